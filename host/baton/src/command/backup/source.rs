//! Where a backup comes from, as something that can be read to its end.

use std::io::{self, Read};

use baton_api::client::Download;
use baton_store::RedbStore;
use baton_store::backup::Backup;
use bytes::{Buf, Bytes};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// How many parts may be on their way. Each has some hundred kilobytes.
const PARTS_MAX: usize = 4;

/// Who makes the backup.
pub(super) enum Source {
    /// A host that runs.
    Remote(Download),
    /// This process, of a store that no host has. Without the store, there is nothing to read.
    Local(Backup, RedbStore),
}

/// The parts of a backup as they come: for a thread that may wait for them.
pub(super) struct Parts {
    coming: mpsc::Receiver<io::Result<Bytes>>,
    part: Bytes,
}

impl Parts {
    /// Has the parts of a source come. Where the handle stops that, they end in the middle.
    pub(super) fn of(source: Source) -> (AbortHandle, Self) {
        let (sender, coming) = mpsc::channel(PARTS_MAX);
        let pump = tokio::spawn(pump(source, sender));
        let part = Bytes::new();
        (pump.abort_handle(), Self { coming, part })
    }
}

async fn pump(mut source: Source, parts: mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let next;
        (next, source) = match source {
            Source::Remote(mut download) => {
                let next = download.next().await.map_err(io::Error::other);
                (next, Source::Remote(download))
            }
            Source::Local(mut backup, store) => {
                let read = tokio::task::spawn_blocking(|| (backup.next_part(), backup));
                let Ok((next, backup)) = read.await else {
                    return;
                };
                let next = next.map_err(io::Error::other);
                (
                    next.map(|part| part.map(Bytes::from)),
                    Source::Local(backup, store),
                )
            }
        };
        let Some(next) = next.transpose() else { return };
        // Nobody wants any more behind an error.
        let is_last = next.is_err();
        if parts.send(next).await.is_err() || is_last {
            return;
        }
    }
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() {
            match self.coming.blocking_recv() {
                Some(part) => self.part = part?,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.part.len());
        self.part.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
