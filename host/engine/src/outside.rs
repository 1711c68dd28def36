//! What the engine needs of the world outside: somebody who calls functions, and somebody who evaluates
//! expressions. The sandbox is behind both; tests put scripts there.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use baton_sandbox::{Items, LogLine, Progress, Refusal, Reveals};
use baton_store::{Digest, TenantId};
use baton_workflow::machine::TaskKey;
use baton_workflow::{Data, Error};
use serde_json::Value;

/// A call of a connector's function.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whose call it is.
    pub tenant: TenantId,
    /// The run, as text; empty outside of any run.
    pub run: String,
    /// The task that calls, and which visit of it.
    pub task: TaskKey,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The connector's name: what grants go by.
    pub connector: String,
    /// The connector's component.
    pub digest: Digest,
    /// Whether the component came with the host, with this release or with the one under which the run began: then it
    /// has what the operator gives such connectors.
    pub bundled: bool,
    /// The interface that exports the function, where it was named.
    pub interface: Option<String>,
    /// The function.
    pub function: String,
    /// The arguments by parameter name.
    pub arguments: Data,
    /// The names of the secrets that the workflow uses: the call may use them besides those of its grant.
    pub secrets: Arc<[String]>,
    /// How long the call may take at most.
    pub time: Duration,
    /// The same for every attempt and after every recovery of this visit of this task, and never used by
    /// another. At most 128 ASCII characters.
    pub idempotency_key: String,
    /// Where the call's heartbeats go.
    pub progress: Progress,
    /// Where the items go that the call hands over on its way, where they are wanted: it goes on until no more is
    /// wanted then, or until it ends by itself.
    pub items: Option<Items>,
    /// Where it is recorded what values of secrets the call is given, before it is given them. None outside of any
    /// run, where the call's log alone has it.
    pub reveals: Option<Reveals>,
}

#[cfg(test)]
impl Call {
    /// One outside of any run.
    pub(crate) fn some(function: &str) -> Self {
        Self {
            tenant: TenantId::default(),
            run: String::new(),
            task: TaskKey {
                pointer: "/do/0/call".into(),
                visit: 1,
            },
            attempt: 1,
            connector: "c".into(),
            digest: Digest([0; 32]),
            bundled: false,
            interface: None,
            function: function.into(),
            arguments: Arc::new(Value::Null),
            secrets: Arc::new([]),
            time: Duration::from_secs(60),
            idempotency_key: "key".into(),
            progress: baton_sandbox::Progress::default(),
            items: None,
            reveals: None,
        }
    }
}

/// What a call came to.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The function's result, or what it failed with.
    pub result: Result<Data, Error>,
    /// What it wrote to its log.
    pub log: Vec<LogLine>,
    /// What it was refused.
    pub refusals: Vec<Refusal>,
}

impl Answer {
    /// An answer that no connector has given.
    pub(crate) fn of(result: Result<Data, Error>) -> Self {
        Self {
            result,
            log: Vec::new(),
            refusals: Vec::new(),
        }
    }
}

/// The one way out of the engine.
pub trait Invoke: Send + Sync {
    /// Makes a call. Dropping the future abandons it. It never fails: what goes wrong is in the answer.
    fn invoke(&self, call: Call) -> Pin<Box<dyn Future<Output = Answer> + Send>>;
}

/// Where expression languages come from.
pub trait Languages: Send + Sync {
    /// A new evaluator of the language with that digest. May take some milliseconds.
    ///
    /// # Errors
    ///
    /// A message, where there is no such language or it can't be started.
    fn evaluator(&self, language: &Digest) -> Result<Box<dyn Evaluator>, String>;
}

/// A warm instance of an expression language, used by one thread at a time.
pub trait Evaluator: Send {
    /// Compiles an expression. `variables` are the names, without `$`, that it may use.
    ///
    /// # Errors
    ///
    /// Where `source` is no expression.
    fn compile(&mut self, source: &str, variables: &[String]) -> Result<Filter, SyntaxError>;

    /// Evaluates a compiled expression on `input`, with a value for each of its variables.
    ///
    /// # Errors
    ///
    /// A message, in a form that fits behind "error: ".
    fn evaluate(
        &mut self,
        filter: Filter,
        input: &Value,
        values: &[&Value],
    ) -> Result<Value, String>;

    /// Whether the last error says nothing about the expression: the instance could not be started. Default:
    /// never.
    fn is_unavailable(&self) -> bool {
        false
    }

    /// How much all evaluations so far have cost, in a measure that is the same on every machine: the
    /// instructions executed. Default: nothing.
    fn spent(&self) -> u64 {
        0
    }
}

/// A compiled expression, as the evaluator that compiled it knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter(pub u64);

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong, in a form that fits behind "error: ".
    pub message: String,
    /// The first byte of the text that is wrong.
    pub start: usize,
    /// The byte behind the last; the same as `start` where the text ends too early.
    pub end: usize,
}
