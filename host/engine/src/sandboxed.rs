//! The sandbox behind [`Invoke`] and [`Languages`]: the one place where the engine meets it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use baton_sandbox::{CallContext, Connector, FilterId, Language, LoadError, Sandbox};
use baton_store::Digest;
use baton_store::seed::SeedKey;
use baton_workflow::{Error, ErrorKind};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::failure;
use crate::grants::Grants;
use crate::library::Library;
use crate::outside::{Answer, Call, Evaluator, Filter, Invoke, Languages, SyntaxError};
use crate::recent::Recent;
use crate::seed::seed;
use crate::vault::Vault;

/// How many expression languages are kept compiled.
const LANGUAGES_MAX: usize = 8;

/// Loaded components, each loaded once however many ask for it at the same time. The last used ones are kept;
/// calls hold what they use, so that one that makes room ends no call.
pub(crate) struct Sandboxed {
    sandbox: Arc<Sandbox>,
    library: Arc<Library>,
    grants: Arc<Grants>,
    vault: Arc<Vault>,
    secret: SeedKey,
    connectors: Mutex<Recent<Digest, Arc<OnceCell<Connector>>>>,
    languages: Mutex<Recent<Digest, Language>>,
}

impl Sandboxed {
    /// At most `components` connectors are kept; `secret` is what random numbers come from.
    pub(crate) fn new(
        sandbox: Arc<Sandbox>,
        library: Arc<Library>,
        grants: Arc<Grants>,
        vault: Arc<Vault>,
        secret: SeedKey,
        components: usize,
    ) -> Self {
        Self {
            sandbox,
            library,
            grants,
            vault,
            secret,
            connectors: Mutex::new(Recent::new(components)),
            languages: Mutex::new(Recent::new(LANGUAGES_MAX)),
        }
    }

    /// A connector, compiled where it is needed for the first time.
    async fn connector(&self, digest: Digest) -> Result<Connector, String> {
        let cell = self
            .connectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(digest, Arc::default());
        let load = || async {
            let (sandbox, library) = (self.sandbox.clone(), self.library.clone());
            let loaded = tokio::task::spawn_blocking(move || {
                let bytes = library.bytes(&digest).map_err(|error| error.to_string())?;
                sandbox
                    .load(&bytes)
                    .map_err(|error: LoadError| error.to_string())
            });
            loaded.await.map_err(|error| error.to_string())?
        };
        cell.get_or_try_init(load).await.cloned()
    }

    async fn call(self: Arc<Self>, call: Call) -> Answer {
        let connector = match self.connector(call.digest).await {
            Ok(connector) => connector,
            Err(message) => {
                return failed(
                    ErrorKind::Configuration,
                    "The connector can't be used",
                    message,
                );
            }
        };
        let grant = match self.grants.get(&call.tenant, &call.connector, call.bundled) {
            Ok(grant) => grant,
            Err(error) => {
                return failed(
                    ErrorKind::Configuration,
                    "The grant can't be used",
                    error.to_string(),
                );
            }
        };
        let function = match connector.function(call.interface.as_deref(), &call.function) {
            Ok(function) => function,
            Err(error) => {
                return failed(
                    ErrorKind::Configuration,
                    "No such function",
                    error.to_string(),
                );
            }
        };
        let secrets = grant
            .secret_names()
            .chain(call.secrets.iter().map(String::as_str));
        let secrets = match self.vault.lend(&call.tenant, secrets) {
            Ok(secrets) => secrets,
            Err(error) => {
                return failed(
                    ErrorKind::Configuration,
                    "The secrets can't be used",
                    error.to_string(),
                );
            }
        };
        let context = CallContext {
            run: call.run.clone(),
            task: call.task.pointer.to_string(),
            visit: call.task.visit,
            attempt: call.attempt,
            seed: seed(&self.secret, &call.idempotency_key),
            idempotency_key: call.idempotency_key,
            deadline: call.time,
            secrets,
            progress: call.progress,
            items: call.items,
            reveals: call.reveals,
        };
        let outcome = connector
            .call(function, &call.arguments, &grant, context)
            .await;
        for line in &outcome.log {
            tracing::info!(run = call.run, task = %call.task.pointer, context = line.context, "{}", line.message);
        }
        for refusal in &outcome.refusals {
            tracing::warn!(run = call.run, task = %call.task.pointer, "{refusal}");
        }
        let result = outcome.result.map(Arc::new);
        Answer {
            result: result
                .map_err(|failure| failure::error(failure, &outcome.refusals, &call.connector)),
            log: outcome.log,
            refusals: outcome.refusals,
        }
    }
}

fn failed(kind: ErrorKind, title: &str, detail: String) -> Answer {
    Answer {
        result: Err(Error::new(kind, title, detail)),
        log: Vec::new(),
        refusals: Vec::new(),
    }
}

/// The sandbox, as what makes calls.
pub(crate) struct Calls(pub(crate) Arc<Sandboxed>);

impl Invoke for Calls {
    fn invoke(&self, call: Call) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        Box::pin(self.0.clone().call(call))
    }
}

impl Languages for Sandboxed {
    fn evaluator(&self, language: &Digest) -> Result<Box<dyn Evaluator>, String> {
        // Under the lock: two that load the same language would each compile it.
        let mut languages = self
            .languages
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let loaded = match languages.get(language) {
            Some(loaded) => loaded,
            None => {
                let bytes = self
                    .library
                    .bytes(language)
                    .map_err(|error| error.to_string())?;
                let loaded = self
                    .sandbox
                    .load_language(&bytes)
                    .map_err(|error| error.to_string())?;
                languages.insert(*language, loaded)
            }
        };
        Ok(Box::new(Warm {
            evaluator: loaded.evaluator(),
            filters: Vec::new(),
        }))
    }
}

/// An evaluator, and its filters by our numbers.
struct Warm {
    evaluator: baton_sandbox::Evaluator,
    filters: Vec<FilterId>,
}

impl Evaluator for Warm {
    fn compile(&mut self, source: &str, variables: &[String]) -> Result<Filter, SyntaxError> {
        let compiled = self.evaluator.compile(source, variables);
        let filter = compiled.map_err(|error| SyntaxError {
            message: error.message,
            start: error.start,
            end: error.end,
        })?;
        self.filters.push(filter);
        Ok(Filter(self.filters.len() as u64 - 1))
    }

    fn evaluate(
        &mut self,
        filter: Filter,
        input: &Value,
        values: &[&Value],
    ) -> Result<Value, String> {
        let index = usize::try_from(filter.0).unwrap_or(usize::MAX);
        let filter = self
            .filters
            .get(index)
            .ok_or("the expression was compiled elsewhere")?;
        self.evaluator.evaluate(*filter, input, values)
    }

    fn is_unavailable(&self) -> bool {
        self.evaluator.is_unavailable()
    }

    fn spent(&self) -> u64 {
        self.evaluator.spent()
    }
}
