//! A run's history as it grows.

use std::collections::VecDeque;

use baton_store::{RunId, TenantId};
use baton_workflow::machine::Note;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use super::Engine;
use super::run_views::live;
use crate::error::{Lagged, Unavailable};
use crate::history::{History, Lines};
use crate::live::Follower;
use crate::replay::LoadError;

/// How many lines are read from the journal at a time. So many are in memory for each reader.
const LINES_AT_A_TIME: usize = 256;

/// The lines of a run's history as they come, each once it is durable.
///
/// What is in the journal is read a page at a time, as fast as it is taken. At the journal's end it listens to the
/// run and reads on, so that no line is missed; those that come twice are known by their numbers.
pub struct Subscription {
    tenant: TenantId,
    run: RunId,
    source: Source,
    backlog: VecDeque<Note>,
    last: u64,
}

/// Where the next lines come from, when the backlog is empty.
enum Source {
    /// The journal.
    Journal(Box<Reader>),
    /// The journal, which is being read: in a task of its own, so that dropping [`Subscription::next`] loses nothing.
    Reading(JoinHandle<Result<(Box<Reader>, Lines), Unread>>),
    /// The run itself.
    Live(Follower),
    /// Nowhere.
    Ended,
}

/// Reads the journal.
struct Reader {
    engine: Engine,
    history: History,
    /// Set once the journal's end has been seen.
    listening: Option<Listening>,
}

/// What tells of the lines that become durable from then on; nothing, where the run has ended before.
struct Listening(Option<Follower>);

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl Subscription {
    /// The lines of `history`, which are those behind `after`, and those that come.
    pub(super) fn new(
        engine: Engine,
        tenant: TenantId,
        run: RunId,
        history: History,
        after: u64,
    ) -> Self {
        let reader = Reader {
            engine,
            history,
            listening: None,
        };
        Self {
            tenant,
            run,
            source: Source::Journal(Box::new(reader)),
            backlog: VecDeque::new(),
            last: after,
        }
    }

    /// The next line; none once the run has ended, or stands still until the host is restarted, and all its lines have come,
    /// and none after an error. Dropping the future loses no line.
    ///
    /// # Errors
    ///
    /// [`Lagged`] where lines came faster than they were taken, where one is missing, or they could not be read.
    pub async fn next(&mut self) -> Option<Result<Note, Lagged>> {
        loop {
            let note = match self.backlog.pop_front() {
                Some(note) => note,
                None => match self.more().await {
                    Ok(Some(note)) => note,
                    Ok(None) if self.is_over() => return None,
                    Ok(None) => continue,
                    Err(lagged) => {
                        self.source = Source::Ended;
                        return Some(Err(lagged));
                    }
                },
            };
            if note.seq <= self.last {
                continue;
            }
            self.last = note.seq;
            return Some(Ok(note));
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.source, Source::Ended) && self.backlog.is_empty()
    }

    /// A line from the source, or one step on the way to it.
    async fn more(&mut self) -> Result<Option<Note>, Lagged> {
        match &mut self.source {
            Source::Ended => {}
            Source::Live(follower) => match follower.next().await {
                // All are told one after the other. Whatever kept one from that, the journal has it.
                Ok(note) if note.seq > self.last.saturating_add(1) => return Err(Lagged),
                Ok(note) => return Ok(Some(note)),
                Err(broadcast::error::RecvError::Closed) => self.source = Source::Ended,
                Err(broadcast::error::RecvError::Lagged(_)) => return Err(Lagged),
            },
            Source::Reading(read) => {
                let done = read.await.map_err(|_| Lagged)?;
                let (reader, lines) = done.map_err(|error| {
                    tracing::warn!(run = %self.run, %error, "a run's history can't be read on");
                    Lagged
                })?;
                self.backlog = lines.notes.into();
                self.source = self.behind(reader, lines.more);
            }
            Source::Journal(_) => {
                if let Source::Journal(reader) = std::mem::replace(&mut self.source, Source::Ended)
                {
                    self.source = Source::Reading(tokio::spawn(reader.read(self.tenant.clone())));
                }
            }
        }
        Ok(None)
    }

    /// Where the lines behind a page come from.
    fn behind(&self, mut reader: Box<Reader>, more: bool) -> Source {
        if more {
            return Source::Journal(reader);
        }
        if let Some(Listening(follower)) = reader.listening {
            return follower.map_or(Source::Ended, Source::Live);
        }
        // What became durable between the last look and the first listening is read once more.
        let shared = reader.engine.shared();
        let live = live(shared, &self.tenant, &self.run);
        let live = live.unwrap_or_else(|error| {
            tracing::warn!(run = %self.run, %error, "a run can't be followed");
            None
        });
        let follower = live.and_then(|live| live.follow(shared.limits.subscriber_lag));
        reader.listening = Some(Listening(follower));
        Source::Journal(reader)
    }
}

impl Reader {
    /// Reads the next page.
    async fn read(self: Box<Self>, tenant: TenantId) -> Result<(Box<Self>, Lines), Unread> {
        let Self {
            engine,
            mut history,
            listening,
        } = *self;
        let read = move |_: &_| {
            let lines = history.read(LINES_AT_A_TIME)?;
            Ok::<_, LoadError>((history, lines))
        };
        let (history, lines) = engine.aside(&tenant, read).await??;
        let reader = Self {
            engine,
            history,
            listening,
        };
        Ok((Box::new(reader), lines))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Source::Reading(read) = &self.source {
            read.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use baton_workflow::Timestamp;
    use baton_workflow::machine::{Detail, NoteKind, Status};

    use super::*;
    use crate::live::LiveRuns;

    fn line(seq: u64) -> Note {
        Note {
            seq,
            at: Timestamp::from_millis(0),
            kind: NoteKind::TaskStarted,
            task: None,
            attempt: None,
            detail: Detail::default(),
        }
    }

    #[tokio::test]
    async fn who_misses_a_line_is_told() {
        let (tenant, run) = (TenantId::default(), RunId::new(0, &[0; 10]));
        let live = LiveRuns::default().enter(&tenant, run, Status::Running);
        let follower = live.clone().follow(9).expect("it has not ended");
        let mut lines = Subscription {
            tenant,
            run,
            source: Source::Live(follower),
            backlog: VecDeque::new(),
            last: 3,
        };
        live.publish(Status::Running, vec![line(3), line(4), line(6), line(7)]);
        assert_eq!(lines.next().await, Some(Ok(line(4))));
        assert_eq!(lines.next().await, Some(Err(Lagged)));
        assert_eq!(lines.next().await, None);
    }
}
