//! The thread that makes checkpoints, so that who writes does not wait for them.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use baton_system::priority;

use super::files::Files;

/// The thread.
pub(super) struct Checkpoints(Option<(SyncSender<()>, JoinHandle<()>)>);

impl Checkpoints {
    pub(super) fn begin(files: Arc<Files>) -> io::Result<Self> {
        let (sender, due) = sync_channel(1);
        let work = move || {
            // Who computes for somebody that waits goes before it.
            priority::lower();
            while due.recv().is_ok() {
                // Where it fails, the log fills up, and who writes next tries it and says why.
                let _ = files.settle();
            }
        };
        let thread = std::thread::Builder::new().name("baton-checkpoint".into());
        Ok(Self(Some((sender, thread.spawn(work)?))))
    }

    /// Nobody makes any but who writes, when the log is full.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// One is due.
    pub(super) fn due(&self) {
        if let Some((sender, _)) = &self.0 {
            // Where it has been told already, that is enough.
            let _ = sender.try_send(());
        }
    }

    /// Ends the thread, after the checkpoint that is under way.
    pub(super) fn end(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}
