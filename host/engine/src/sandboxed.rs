//! The sandbox behind [`Invoke`] and [`Languages`]: the one place where the engine meets it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use baton_sandbox::{
    CallContext, Connector, FilterId, Grant, Language, LoadError, Sandbox, Secrets,
};
use baton_store::Digest;
use baton_store::seed::SeedKey;
use baton_workflow::{Error, ErrorKind};
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::task::JoinError;

use crate::failure;
use crate::grants::{GrantUnusable, Grants};
use crate::library::{DescribeError, Library};
use crate::outside::{Answer, Call, Evaluator, Filter, Invoke, Languages, SyntaxError};
use crate::recent::Recent;
use crate::seed::seed;
use crate::vault::{Vault, VaultError};

/// How many expression languages are kept compiled.
const LANGUAGES_MAX: usize = 8;

/// When to try again where the store can't be read for a call.
const RETRY_AFTER: Duration = Duration::from_secs(1);

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

/// What a call is made with.
struct Equipment {
    connector: Connector,
    grant: Grant,
    secrets: Secrets,
}

/// Why there is nothing to make a call with.
#[derive(Debug, thiserror::Error)]
enum Unequipped {
    #[error(transparent)]
    Component(#[from] DescribeError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("the host failed: {0}")]
    Failed(#[from] JoinError),
    #[error(transparent)]
    Grant(#[from] GrantUnusable),
    #[error(transparent)]
    Secrets(#[from] VaultError),
}

impl Unequipped {
    /// Whether it may well go some seconds later.
    fn is_passing(&self) -> bool {
        match self {
            Self::Component(error) => error.is_passing(),
            Self::Grant(error) => error.is_passing(),
            Self::Secrets(error) => error.is_passing(),
            Self::Load(_) | Self::Failed(_) => false,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Component(_) | Self::Load(_) | Self::Failed(_) => "The connector can't be used",
            Self::Grant(_) => "The grant can't be used",
            Self::Secrets(_) => "The secrets can't be used",
        }
    }
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
    async fn connector(&self, digest: Digest) -> Result<Connector, Unequipped> {
        let cell = self
            .connectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(digest, Arc::default());
        let load = || async {
            let (sandbox, library) = (self.sandbox.clone(), self.library.clone());
            let loaded = tokio::task::spawn_blocking(move || {
                let bytes = library.bytes(&digest)?;
                Ok::<_, Unequipped>(sandbox.load(&bytes)?)
            });
            loaded.await?
        };
        cell.get_or_try_init(load).await.cloned()
    }

    /// What a call is made with: the component, and what it may do now.
    async fn equip(&self, call: &Call) -> Result<Equipment, Unequipped> {
        let connector = self.connector(call.digest).await?;
        let grant = self
            .grants
            .get(&call.tenant, &call.connector, call.bundled)?;
        let secrets = grant
            .secret_names()
            .chain(call.secrets.iter().map(String::as_str));
        let secrets = self.vault.lend(&call.tenant, secrets)?;
        Ok(Equipment {
            connector,
            grant,
            secrets,
        })
    }

    /// The same, and waits until the store can be read: that it can't just now says nothing about the call, and is nothing
    /// that its run has to hear of. Outside of any run, whoever has asked may ask again.
    async fn equip_in_time(&self, call: &Call) -> Result<Equipment, Unequipped> {
        let mut is_told = false;
        loop {
            match self.equip(call).await {
                Err(error) if error.is_passing() && !call.run.is_empty() => {
                    if !std::mem::replace(&mut is_told, true) {
                        let (tenant, run, task) = (&call.tenant, &call.run, &call.task.pointer);
                        tracing::error!(%tenant, run, %task, %error, "a call waits until the store can be read");
                    }
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                equipped => return equipped,
            }
        }
    }

    async fn call(self: Arc<Self>, call: Call) -> Answer {
        let Equipment {
            connector,
            grant,
            secrets,
        } = match self.equip_in_time(&call).await {
            Ok(equipment) => equipment,
            Err(error) => return failed(error.title(), error.to_string()),
        };
        let function = match connector.function(call.interface.as_deref(), &call.function) {
            Ok(function) => function,
            Err(error) => return failed("No such function", error.to_string()),
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

fn failed(title: &str, detail: String) -> Answer {
    Answer::of(Err(Error::new(ErrorKind::Configuration, title, detail)))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::pin::pin;

    use baton_store::Batch;
    use tokio::time::timeout;

    use super::*;
    use crate::simulation::store::{Readable, SimulatedStore};

    fn on(store: Arc<SimulatedStore>) -> Sandboxed {
        let sandbox = Sandbox::new(baton_sandbox::Settings::default()).expect("a sandbox");
        let library = Arc::new(Library::new(store.clone(), BTreeMap::new(), None));
        let secret = SeedKey::from_bytes([7; 32]);
        let vault = Vault::new(store.clone(), None, &secret);
        let nothing = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let grants = Grants::new(store, &library, nothing.0, nothing.1, nothing.2);
        let grants = Arc::new(grants.expect("no grants"));
        Sandboxed::new(sandbox, library, grants, Arc::new(vault), secret, 1)
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_of_a_run_waits_until_the_store_can_be_read() {
        let store = Arc::new(SimulatedStore::new(&Batch::new()));
        let sandboxed = on(store.clone());
        store.allow(Readable::Nothing);
        let call = Call::some("f");
        let told = sandboxed.equip_in_time(&call).await;
        assert!(
            told.is_err_and(|it| it.is_passing()),
            "who asks outside of any run is told"
        );

        let call = Call {
            run: "a run".to_owned(),
            ..call
        };
        let mut equipped = pin!(sandboxed.equip_in_time(&call));
        let waited = timeout(RETRY_AFTER * 3, &mut equipped).await;
        assert!(waited.is_err(), "it waits");
        store.allow(Readable::All);
        let told = equipped.await;
        assert!(
            matches!(told, Err(Unequipped::Component(DescribeError::Missing(_)))),
            "nobody has installed it"
        );
    }
}
