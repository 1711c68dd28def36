//! A run's history: the lines that its machine writes when it is led through its journal.

use std::sync::Arc;

use baton_store::{RunId, TenantId};
use baton_workflow::machine::{Command, Note};

use crate::replay::{LoadError, Replay};
use crate::shared::Shared;

/// The lines of a run's history behind some line, read a page at a time. Between two pages it holds the run as
/// it was where the last one ended, so that all pages together take one replay.
pub(crate) struct History {
    replay: Replay,
    after: u64,
}

/// Some lines of a history.
pub(crate) struct Lines {
    pub(crate) notes: Vec<Note>,
    /// Whether there may be more now; else they come with the next event.
    pub(crate) more: bool,
}

impl History {
    /// The lines behind `after`; none where there is no such run.
    pub(crate) fn open(
        shared: &Arc<Shared>,
        tenant: &TenantId,
        id: &RunId,
        after: u64,
    ) -> Result<Option<Self>, LoadError> {
        let replay = Replay::open(shared, tenant, id)?;
        Ok(replay.map(|replay| Self { replay, after }))
    }

    /// The next lines: `limit` or those of one event more, fewer at the journal's end.
    pub(crate) fn read(&mut self, limit: usize) -> Result<Lines, LoadError> {
        let mut notes = Vec::new();
        while notes.len() < limit {
            let Some(commands) = self.replay.step()? else {
                return Ok(Lines { notes, more: false });
            };
            notes.extend(commands.into_iter().filter_map(|command| match command {
                Command::Note(note) if note.seq > self.after => Some(note),
                _ => None,
            }));
        }
        Ok(Lines { notes, more: true })
    }
}
