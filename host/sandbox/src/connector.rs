//! A loaded connector, and calls of its functions.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use wasmtime::component::{ComponentExportIndex, InstancePre, Val};
use wasmtime::{Engine, Store};

use crate::capability::log::Journal;
use crate::capability::{Preparation, Prepared};
use crate::ending::{self, Ending};
use crate::inspect::{Description, Digest, Function};
use crate::limits::LIFTED_BYTES_PER_RESPONSE_BYTE;
use crate::meter::Meter;
use crate::outcome::{Outcome, Usage};
use crate::quota::Renewals;
use crate::secret::Keyring;
use crate::state::{Bounds, State};
use crate::types::{Mismatch, Signature, nearest};
use crate::{CallContext, Failure, FailureKind, Grant, Sandbox};

/// A connector, ready to be called. Clones are the same connector.
#[derive(Clone)]
pub struct Connector(Arc<Inner>);

struct Inner {
    sandbox: Arc<Sandbox>,
    description: Description,
    pre: InstancePre<State>,
    /// The exports of the description's functions, by position.
    exports: Vec<Option<ComponentExportIndex>>,
}

/// A function that a connector does not have, or that cannot be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchFunction {
    /// There is none of this name.
    #[error("there is no function `{name}`{help}")]
    Unknown {
        /// The name that was asked for, with the interface where one was.
        name: String,
        /// What may have been meant, with the punctuation before it.
        help: String,
    },
    /// Two interfaces have one of this name.
    #[error(
        "more than one interface has a function `{name}`: write {}",
        listed(candidates)
    )]
    Ambiguous {
        /// The name.
        name: String,
        /// The names with their interfaces.
        candidates: Vec<String>,
    },
    /// There is one, and it cannot be called.
    #[error("the function `{name}` cannot be called: {reason}")]
    NotCallable {
        /// The name.
        name: String,
        /// Why not.
        reason: String,
    },
}

impl Description {
    /// Finds a function by its name, and by its interface where two share the name. An interface may be given
    /// in short (`greetings`), without a version (`acme:greeter/greetings`) or in full.
    ///
    /// # Errors
    ///
    /// Says what may have been meant, which interfaces share the name, or why the function cannot be called.
    pub fn function(
        &self,
        interface: Option<&str>,
        name: &str,
    ) -> Result<&Function, NoSuchFunction> {
        let within =
            |function: &&Function| interface.is_none_or(|interface| function.is_in(interface));
        let mut found = self
            .functions
            .iter()
            .filter(within)
            .filter(|function| function.name == name);
        let (first, second) = (found.next(), found.next());
        match (first, second) {
            (Some(function), None) => match &function.signature {
                Ok(_) => Ok(function),
                Err(reason) => Err(NoSuchFunction::NotCallable {
                    name: function.to_string(),
                    reason: reason.clone(),
                }),
            },
            (Some(first), Some(second)) => {
                let candidates = [first, second].into_iter().chain(found);
                let short = |function: &Function| function.to_string();
                let full = |function: &Function| {
                    let interface = function.interface.as_deref().unwrap_or_default();
                    format!("{interface}/{}", function.name)
                };
                // Two versions of an interface have the same short name.
                let same = first.to_string() == second.to_string();
                let candidates = candidates.map(if same { full } else { short }).collect();
                Err(NoSuchFunction::Ambiguous {
                    name: name.to_owned(),
                    candidates,
                })
            }
            (None, _) => Err(self.unknown(interface, name)),
        }
    }

    fn unknown(&self, interface: Option<&str>, name: &str) -> NoSuchFunction {
        let elsewhere = self.functions.iter().find(|function| function.name == name);
        let names = self.functions.iter().map(|function| function.name.as_str());
        let help = match elsewhere {
            Some(function) => format!(": it is in `{function}`"),
            None => match nearest(name, names.clone()) {
                Some(near) => format!(": did you mean `{near}`?"),
                None => format!(": there are {}", listed(names)),
            },
        };
        let name = interface.map_or_else(
            || name.to_owned(),
            |interface| format!("{interface}/{name}"),
        );
        NoSuchFunction::Unknown { name, help }
    }
}

impl Connector {
    pub(crate) fn new(
        sandbox: Arc<Sandbox>,
        description: Description,
        pre: InstancePre<State>,
    ) -> Self {
        let component = pre.component();
        let exports = description.functions.iter().map(|function| {
            let interface = match &function.interface {
                None => None,
                Some(interface) => Some(component.get_export_index(None, interface)?),
            };
            component.get_export_index(interface.as_ref(), &function.name)
        });
        let exports = exports.collect();
        Self(Arc::new(Inner {
            sandbox,
            description,
            pre,
            exports,
        }))
    }

    /// What the connector is and what it asks for.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.0.description
    }

    /// The SHA-256 of the component's bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.description.digest
    }

    /// Finds a function: see [`Description::function`].
    ///
    /// # Errors
    ///
    /// As [`Description::function`].
    pub fn function(
        &self,
        interface: Option<&str>,
        name: &str,
    ) -> Result<&Function, NoSuchFunction> {
        self.0.description.function(interface, name)
    }

    /// Checks arguments against a function's types, without calling it.
    ///
    /// # Errors
    ///
    /// Says where (a JSON pointer into the arguments) and what is wrong.
    pub fn check(&self, function: &Function, arguments: &Value) -> Result<(), Mismatch> {
        function.check(arguments)
    }

    /// Calls a function, in an instance that exists for this call only.
    ///
    /// `arguments` is an object with the function's parameters by name. Must be called within a tokio
    /// runtime with timers. Dropping the future ends the call.
    pub async fn call(
        &self,
        function: &Function,
        arguments: &Value,
        grant: &Grant,
        context: CallContext,
    ) -> Outcome {
        let call = match self.begin(function, arguments) {
            Ok(call) => call,
            Err(failure) => return Outcome::not_begun(failure, true),
        };
        call.run(&self.0, grant, context).await
    }

    fn begin<'a>(&self, function: &'a Function, arguments: &Value) -> Result<Call<'a>, Failure> {
        let invalid =
            |detail: String| Failure::new(FailureKind::Validation, "invalid arguments", detail);
        let signature = function.signature.as_ref().map_err(|reason| {
            Failure::new(
                FailureKind::Validation,
                "function not callable",
                format!("`{function}`: {reason}"),
            )
        })?;
        let own = self
            .0
            .description
            .functions
            .iter()
            .position(|own| own.is(function));
        let export = own
            .and_then(|position| self.0.exports[position])
            .ok_or_else(|| {
                let detail = format!("`{function}` is no function of this connector");
                Failure::new(FailureKind::Validation, "function not callable", detail)
            })?;
        let parameters = signature
            .arguments(arguments)
            .map_err(|error| invalid(error.to_string()))?;
        Ok(Call {
            function,
            signature,
            export,
            parameters,
        })
    }
}

impl Function {
    /// Checks arguments against the function's types. A function that cannot be called accepts none.
    ///
    /// # Errors
    ///
    /// Says where (a JSON pointer into the arguments) and what is wrong.
    pub fn check(&self, arguments: &Value) -> Result<(), Mismatch> {
        match &self.signature {
            Ok(signature) => signature.arguments(arguments).map(drop),
            Err(reason) => Err(Mismatch {
                pointer: String::new(),
                message: reason.clone(),
            }),
        }
    }

    fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || (self.name == other.name && self.interface == other.interface)
    }
}

/// A call that is about to be made.
struct Call<'a> {
    function: &'a Function,
    signature: &'a Signature,
    export: ComponentExportIndex,
    parameters: Vec<Val>,
}

impl Call<'_> {
    async fn run(self, connector: &Inner, grant: &Grant, context: CallContext) -> Outcome {
        let began = Instant::now();
        let limits = *grant.limits();
        let goes_on = context.items.is_some();
        let time = match goes_on {
            false => limits.time.min(context.deadline),
            true => context.deadline,
        };
        let deadline = began + time;
        let sandbox = &connector.sandbox;
        // What goes on for long takes no room of what does not: who works on a message may make calls.
        let (of_grant, of_all) = match goes_on {
            false => (grant.permits(), &sandbox.calls),
            true => (grant.subscriptions(), &sandbox.subscriptions),
        };
        let permits = async { (of_grant.acquire().await, of_all.acquire().await) };
        let Ok(_permits) = timeout_at(deadline, permits).await else {
            return Outcome::not_begun(ending::no_turn(&limits, time), false);
        };

        let journal = Journal::default();
        let meter = Arc::new(Meter::new());
        let renewals = Renewals::default();
        let preparation = Preparation {
            context: &context,
            limits: &limits,
            journal: &journal,
            deadline,
            rewrite: sandbox.rewrite.as_ref(),
            keyring: &Keyring::new(&context.secrets, context.seed),
            renewals: &renewals,
            trust: &sandbox.trust,
        };
        let prepared = Prepared::prepare(grant.granted(), &preparation);
        let state = State::new(
            prepared,
            Bounds::new(limits, deadline, Arc::clone(&meter), renewals),
        );
        let mut store = store(&sandbox.connectors.engine, state, limits.response);
        let ending = self.execute(connector, &mut store, &meter, deadline).await;

        let state = store.data();
        let usage = Usage {
            memory_peak: state.bounds.memory_peak(),
            wall: began.elapsed(),
            cpu: meter.spent(),
        };
        let ended = ending::Ended {
            function: self.function,
            signature: self.signature,
            limits: &limits,
            time,
            state,
        };
        let (result, depends_on_time) = ended.conclude(ending);
        let pure = state.capabilities.is_pure() && !depends_on_time;
        let refusals = state.capabilities.refusals();
        // Streams that the guest has left open write their last line when they are dropped.
        drop(store);
        Outcome {
            result,
            pure,
            refusals,
            log: journal.take(),
            usage,
        }
    }

    async fn execute(
        &self,
        connector: &Inner,
        store: &mut Store<State>,
        meter: &Meter,
        deadline: Instant,
    ) -> Ending {
        let running = async {
            let instance = connector.pre.instantiate_async(&mut *store).await?;
            let function = instance.get_func(&mut *store, self.export);
            let function =
                function.ok_or_else(|| wasmtime::format_err!("the export is no function"))?;
            let mut results = vec![Val::Bool(false); function.ty(&*store).results().len()];
            function
                .call_async(&mut *store, &self.parameters, &mut results)
                .await?;
            Ok::<_, wasmtime::Error>(results.pop())
        };
        match timeout_at(deadline, meter.run(running)).await {
            Ok(Ok(result)) => Ending::Returned(result),
            Ok(Err(error)) => Ending::Trapped(error),
            Err(_) => Ending::TimedOut,
        }
    }
}

/// Makes the store of a call.
fn store(engine: &Engine, state: State, response: usize) -> Store<State> {
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.bounds);
    store.set_hostcall_fuel(response.saturating_mul(LIFTED_BYTES_PER_RESPONSE_BYTE));
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| Ok(store.data_mut().bounds.tick()));
    store
}

impl Outcome {
    /// A call that did not begin.
    fn not_begun(failure: Failure, pure: bool) -> Self {
        Self {
            result: Err(failure),
            pure,
            refusals: Vec::new(),
            log: Vec::new(),
            usage: Usage {
                memory_peak: 0,
                wall: Duration::ZERO,
                cpu: Duration::ZERO,
            },
        }
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("description", &self.0.description)
            .finish_non_exhaustive()
    }
}

fn listed(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let names = names.into_iter().map(|name| format!("`{}`", name.as_ref()));
    names.collect::<Vec<_>>().join(", ")
}
