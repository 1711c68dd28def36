//! How a call ended, in a workflow's terms.

use std::time::Duration;

use serde_json::Value;
use wasmtime::component::Val;
use wasmtime::{Trap, WasmBacktrace};

use crate::inspect::Function;
use crate::limits::{Limits, TABLE_ELEMENTS_MAX};
use crate::state::{Exceeded, State};
use crate::types::{ErrorType, LiftError, Room, Signature, Type};
use crate::units::{show_bytes, show_duration};
use crate::{Failure, FailureKind, Refusal};

/// How the guest's code ended.
pub(crate) enum Ending {
    /// The function returned.
    Returned(Option<Val>),
    /// The guest trapped, or was ended by the engine.
    Trapped(wasmtime::Error),
    /// The deadline passed while the guest was waiting.
    TimedOut,
}

/// A call that has ended, before its outcome is made.
pub(crate) struct Ended<'a> {
    pub(crate) function: &'a Function,
    pub(crate) signature: &'a Signature,
    pub(crate) limits: &'a Limits,
    /// How long the call could take.
    pub(crate) time: Duration,
    pub(crate) state: &'a State,
}

/// The failure of a call that did not get its turn in `time`.
pub(crate) fn no_turn(limits: &Limits, time: Duration) -> Failure {
    let waited = show_duration(time);
    let detail = format!(
        "the call waited for {waited} without a free instance: {} calls may run at once under this grant \
         (`limits.concurrency`), and a bounded number in the whole host",
        limits.concurrency
    );
    Failure::new(FailureKind::Timeout, "no free instance", detail)
}

impl Ended<'_> {
    /// The result of the call, and whether it depends on how long things took.
    pub(crate) fn conclude(&self, ending: Ending) -> (Result<Value, Failure>, bool) {
        match ending {
            Ending::Returned(val) => (self.returned(val.as_ref()), false),
            Ending::TimedOut => (Err(self.time()), true),
            Ending::Trapped(error) => match self.state.bounds.exceeded() {
                Some(Exceeded::Time) => (Err(self.time()), true),
                Some(Exceeded::Cpu) => (Err(self.cpu()), true),
                Some(Exceeded::Memory) => (Err(self.memory(&error)), false),
                Some(Exceeded::Table) => (Err(table(&error)), false),
                None => (Err(self.trapped(&error)), false),
            },
        }
    }

    fn returned(&self, val: Option<&Val>) -> Result<Value, Failure> {
        let mut room = Room(self.limits.response);
        let failed = match (&self.signature.error, val) {
            (ErrorType::Never, val) => {
                return self.lifted(self.signature.result.as_ref(), val, &mut room);
            }
            (_, Some(Val::Result(Ok(payload)))) => {
                return self.lifted(
                    self.signature.result.as_ref(),
                    payload.as_deref(),
                    &mut room,
                );
            }
            (ErrorType::Empty, _) => self.failed(None),
            (ErrorType::Failure(ty), Some(Val::Result(Err(Some(payload))))) => {
                failure(&self.lift(ty, payload, &mut room)?)
            }
            (ErrorType::Other(ty), Some(Val::Result(Err(Some(payload))))) => {
                self.failed(Some(self.lift(ty, payload, &mut room)?))
            }
            _ => return Err(self.not_lifted(&LiftError::Unexpected)),
        };
        Err(self.with_refusals(failed))
    }

    fn lifted(
        &self,
        ty: Option<&Type>,
        val: Option<&Val>,
        room: &mut Room,
    ) -> Result<Value, Failure> {
        match (ty, val) {
            (None, None) => Ok(Value::Null),
            (Some(ty), Some(val)) => self.lift(ty, val, room),
            _ => Err(self.not_lifted(&LiftError::Unexpected)),
        }
    }

    fn lift(&self, ty: &Type, val: &Val, room: &mut Room) -> Result<Value, Failure> {
        ty.lift(val, room).map_err(|error| self.not_lifted(&error))
    }

    fn not_lifted(&self, error: &LiftError) -> Failure {
        match error {
            LiftError::TooLarge => self.response(),
            error => {
                let detail = format!(
                    "`{}` answered with a value that cannot be used: {error}",
                    self.function
                );
                Failure::new(FailureKind::Runtime, "invalid result", detail)
            }
        }
    }

    /// A failure of the function's own error type.
    fn failed(&self, data: Option<Value>) -> Failure {
        let detail = data.as_ref().map(|data| {
            data.as_str()
                .map_or_else(|| data.to_string(), str::to_owned)
        });
        Failure {
            kind: FailureKind::Runtime,
            title: format!("{} failed", self.function.name),
            detail,
            status: None,
            retry_after: None,
            data,
        }
    }

    fn trapped(&self, error: &wasmtime::Error) -> Failure {
        if is_out_of_fuel(error) {
            return self.response();
        }
        let failure = Failure::new(FailureKind::Runtime, "the connector trapped", trap(error));
        self.with_refusals(failure)
    }

    /// A call that failed after it was refused something most likely failed for that.
    fn with_refusals(&self, mut failure: Failure) -> Failure {
        let refusals = self.state.capabilities.refusals();
        let Some(first) = refusals.first() else {
            return self.with_causes(failure);
        };
        // What would allow it is for the caller to say, who knows how rules are given.
        let mut detail = format!("{}: {}", first.request, first.reason);
        if let Some(more) = refusals.len().checked_sub(1).filter(|more| *more > 0) {
            detail.push_str(&format!(" (and {more} more refused)"));
        }
        // The connector was told of the refusal, and mostly passes on no more than that.
        let own = failure.detail.as_deref().unwrap_or_default();
        let is_known = |it: &Refusal| own.contains(it.url()) || own.contains(&it.reason);
        if !own.is_empty() && !refusals.iter().any(is_known) {
            detail = with_own(&detail, &failure);
        }
        failure.kind = FailureKind::Authorization;
        failure.status = Some(FailureKind::Authorization.default_status());
        failure.detail = Some(detail);
        "request refused".clone_into(&mut failure.title);
        failure
    }

    /// A call that failed after something was amiss with an answer most likely failed for that.
    fn with_causes(&self, mut failure: Failure) -> Failure {
        if self.state.capabilities.http.is_oversized() {
            failure.detail = Some(with_own(
                &format!(
                    "an HTTP response was larger than the limit of {} (`limits.response` of the grant)",
                    show_bytes(self.limits.response as u64)
                ),
                &failure,
            ));
        } else if let Some(untrusted) = self.state.capabilities.http.untrusted() {
            failure.detail = Some(with_own(&untrusted, &failure));
        }
        failure
    }

    fn time(&self) -> Failure {
        if self.time != self.limits.time {
            let detail = format!(
                "the call did not end within the {} that the task may take",
                show_duration(self.time)
            );
            return Failure::new(FailureKind::Timeout, "task timeout", detail);
        }
        let limit = show_duration(self.limits.time);
        exceeded(
            FailureKind::Timeout,
            "time",
            &limit,
            "did not end within",
            None,
        )
    }

    fn cpu(&self) -> Failure {
        exceeded(
            FailureKind::Timeout,
            "cpu",
            &show_duration(self.limits.cpu),
            "computed longer than",
            None,
        )
    }

    fn memory(&self, error: &wasmtime::Error) -> Failure {
        let limit = show_bytes(self.limits.memory as u64);
        exceeded(
            FailureKind::Runtime,
            "memory",
            &limit,
            "asked for more memory than",
            Some(error),
        )
    }

    fn response(&self) -> Failure {
        let limit = show_bytes(self.limits.response as u64);
        exceeded(
            FailureKind::Runtime,
            "response",
            &limit,
            "handed over a value larger than",
            None,
        )
    }
}

fn exceeded(
    kind: FailureKind,
    name: &str,
    limit: &str,
    what: &str,
    error: Option<&wasmtime::Error>,
) -> Failure {
    let mut detail = format!(
        "the call {what} its limit of {limit}; if it needs more, raise `limits.{name}` in the connector's grant"
    );
    if let Some(error) = error {
        detail.push_str(&format!(" (it then ended with: {})", trap(error)));
    }
    Failure::new(kind, format!("{name} limit exceeded"), detail)
}

fn table(error: &wasmtime::Error) -> Failure {
    let detail = format!(
        "the call asked for a table of more than {TABLE_ELEMENTS_MAX} elements (it then ended with: {})",
        trap(error)
    );
    Failure::new(FailureKind::Runtime, "table limit exceeded", detail)
}

fn with_own(detail: &str, failure: &Failure) -> String {
    match &failure.detail {
        Some(own) if !own.is_empty() => format!("{detail} ({}: {own})", failure.title),
        _ => format!("{detail} ({})", failure.title),
    }
}

/// Why the engine ended a guest, with the function where it happened if the component names its functions.
pub(crate) fn trap(error: &wasmtime::Error) -> String {
    if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        return format!("it exited with status {} instead of returning", exit.0);
    }
    let reason = match error.downcast_ref::<Trap>() {
        Some(Trap::UnreachableCodeReached) => {
            "it reached code that must not be reached (a panic or an abort)".to_owned()
        }
        Some(Trap::StackOverflow) => {
            "its call stack overflowed (a recursion without end)".to_owned()
        }
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    let function = backtrace.and_then(|backtrace| backtrace.frames().first()?.func_name());
    function.map_or(reason.clone(), |function| {
        format!("{reason}, in `{function}`")
    })
}

/// Whether a guest handed the host more than it takes. Wasmtime has no type for this error.
pub(crate) fn is_out_of_fuel(error: &wasmtime::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.to_string().contains("fuel allocated for hostcalls"))
}

/// The `failure` of `wit/connector.wit`, from its JSON. Its fields are there and of their types, since the
/// value was lifted by its type.
fn failure(value: &Value) -> Failure {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Failure {
        kind: text("kind")
            .and_then(|kind| FailureKind::from_name(&kind))
            .unwrap_or(FailureKind::Runtime),
        title: text("title").unwrap_or_default(),
        detail: text("detail"),
        status: value
            .get("status")
            .and_then(Value::as_u64)
            .and_then(|status| status.try_into().ok()),
        retry_after: value
            .get("retry-after")
            .and_then(Value::as_u64)
            .map(Duration::from_millis),
        data: value.get("data").cloned(),
    }
}
