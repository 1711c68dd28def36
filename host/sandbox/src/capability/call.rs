//! `baton:connector/call`: which call this is, and heartbeats.

use serde_json::Value;
use tokio::time::Instant;
use wasmtime::component::{HasData, Linker};

use super::log::Journal;
use super::{Moments, Preparation};
use crate::bindings::baton::connector::{call, types};
use crate::context::CallContext;
use crate::limits::PROGRESS_BYTES_MAX;
use crate::outcome::LogLevel;
use crate::state::State;
use crate::{GrantError, GrantSpec};

/// The capability.
pub(crate) struct Call;

/// The identity of a call.
pub(crate) struct Identity {
    context: CallContext,
    deadline: Instant,
    journal: Journal,
    used: bool,
}

impl Moments for Call {
    const INTERFACES: &'static [&'static str] = &["baton:connector/call", "baton:connector/types"];
    type Granted = ();
    type Prepared = Identity;

    fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
        call::add_to_linker::<State, Self>(linker, |state| &mut state.capabilities.call)?;
        types::add_to_linker::<State, Self>(linker, |state| &mut state.capabilities.call)
    }

    fn configure(_: &GrantSpec) -> Result<(), GrantError> {
        Ok(())
    }

    fn prepare((): &(), call: &Preparation<'_>) -> Identity {
        Identity {
            context: call.context.clone(),
            deadline: call.deadline,
            journal: call.journal.clone(),
            used: false,
        }
    }
}

impl HasData for Call {
    type Data<'a> = &'a mut Identity;
}

impl types::Host for Identity {}

impl call::Host for Identity {
    fn get(&mut self) -> wasmtime::Result<call::Context> {
        self.used = true;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let CallContext {
            run,
            task,
            visit,
            attempt,
            idempotency_key,
            ..
        } = &self.context;
        Ok(call::Context {
            run: run.clone(),
            task: task.clone(),
            visit: *visit,
            attempt: *attempt,
            idempotency_key: idempotency_key.clone(),
            deadline: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
        })
    }

    fn heartbeat(&mut self, progress: Option<String>) -> wasmtime::Result<()> {
        let progress = progress.and_then(|text| self.progress(&text));
        self.context.progress.beat(progress);
        Ok(())
    }
}

impl Identity {
    /// Whether the call has asked. The time that is left is another one each time.
    pub(crate) fn is_used(&self) -> bool {
        self.used
    }

    /// Reads a progress report. A wrong one is no reason to end a call that is well otherwise.
    fn progress(&self, text: &str) -> Option<Value> {
        let problem = if text.len() > PROGRESS_BYTES_MAX {
            format!(
                "it has {} bytes, of {PROGRESS_BYTES_MAX} at most",
                text.len()
            )
        } else {
            match serde_json::from_str(text) {
                Ok(progress) => return Some(progress),
                Err(error) => format!("it is not JSON: {error}"),
            }
        };
        self.journal.write(
            LogLevel::Warn,
            "host",
            &format!("a heartbeat's progress was dropped: {problem}"),
        );
        None
    }
}
