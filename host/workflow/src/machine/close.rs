//! How a run ends that does not complete: by an error, or because somebody wants it to. Nothing of it goes on,
//! what it has done is undone, and then it has ended.

use super::command::{Command, Detail, Ending, NoteKind};
use super::task::Place;
use super::{Status, Turn};
use crate::error::Error;
use crate::extent::BYTES_PER_EVENT_MAX;
use crate::pack::packed;

/// How a run is going to end.
#[derive(Clone, Debug)]
pub(super) enum Closing {
    /// An error has left the workflow.
    Faulted(Error),
    /// Somebody has asked for it.
    Cancelled { by: String, reason: Option<String> },
}

packed!(enum Closing { Faulted(error), Cancelled { by, reason } });

impl Turn<'_> {
    /// Somebody wants the run to end.
    pub(super) fn cancelled(&mut self, by: String, reason: Option<String>) {
        // A run that is ending is not ended twice.
        if self.run.closing.is_none() {
            self.wind_up();
            self.abandon_unawaited();
            self.begin_close(Closing::Cancelled { by, reason });
        }
    }

    /// Somebody wants the run to end now. What it was ending with already, it ends with.
    pub(super) fn stopped(&mut self, by: String, reason: Option<String>) {
        self.run.held = None;
        self.cancel_all();
        self.abandon_unawaited();
        self.run.ledger.clear();
        self.run
            .closing
            .get_or_insert(Closing::Cancelled { by, reason });
        self.close();
    }

    /// The run goes on without end: it faults, or stops undoing, where that is what it is at.
    pub(super) fn give_up(&mut self, error: Error) {
        if self.run.closing.is_none() {
            return self.fault(error);
        }
        self.cancel_all();
        let last = std::mem::take(&mut self.run.ledger).pop_last();
        self.run.ledger.extend(last);
        self.undone(None, Err(error));
    }

    /// Nothing of the run goes on; what it has done is undone.
    pub(super) fn begin_close(&mut self, closing: Closing) {
        self.cancel_all();
        // Where something is undone, there is nothing to go on from.
        if matches!(closing, Closing::Faulted(_)) && self.run.ledger.is_empty() {
            self.run.failed = Some(std::mem::take(&mut self.run.grave));
        }
        self.run.closing = Some(closing);
        // That the run has made much does not keep it from undoing.
        self.left = BYTES_PER_EVENT_MAX;
        self.undo_next(None);
    }

    /// All is undone that could be: the run has ended.
    pub(super) fn close(&mut self) {
        let (status, kind, detail, ending) = match self.run.closing.take() {
            Some(Closing::Faulted(error)) => (
                Status::Faulted,
                NoteKind::WorkflowFaulted,
                Detail {
                    error: Some(error.clone()),
                    ..Detail::default()
                },
                Ending::Faulted(error),
            ),
            Some(Closing::Cancelled { by, reason }) => (
                Status::Cancelled,
                NoteKind::WorkflowCancelled,
                Detail {
                    by: Some(by),
                    reason,
                    ..Detail::default()
                },
                Ending::Cancelled,
            ),
            None => return,
        };
        self.run.status = status;
        self.note(kind, None, None, detail);
        self.commands.push(Command::End(ending));
    }

    /// Where the undo steps stand that a place is inside of; none where it is inside of none.
    pub(super) fn undo_step_around(&self, place: &Place) -> Option<Place> {
        let mut place = place;
        while !self.is_undoing(place.parent) {
            place = &self.run.tasks[&place.parent?].place;
        }
        Some(place.clone())
    }
}
