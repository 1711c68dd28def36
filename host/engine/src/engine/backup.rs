//! A backup of all that the store holds, while work goes on.

use std::sync::Arc;

use baton_store::backup;
use tokio::sync::OwnedSemaphorePermit;

use super::{Engine, RETRY_AFTER, failed};
use crate::error::Unavailable;
use crate::shared::Shared;

/// A backup that is being made: of what was durable when it began. As long as there is one, the store keeps what is
/// replaced and removed meanwhile.
pub struct Backup {
    parts: backup::Backup,
    _only_one: OwnedSemaphorePermit,
}

impl Engine {
    /// Begins a backup: of all tenants, so that it is for the operator alone. There is one at a time.
    ///
    /// # Errors
    ///
    /// [`Unavailable::Busy`] while another one is made, and where the store can't be read.
    pub async fn backup(&self) -> Result<Backup, Unavailable> {
        self.check_open()?;
        let only_one = self.inner.backups.clone().try_acquire_owned();
        let only_one = only_one.map_err(|_| Unavailable::Busy {
            retry_after: RETRY_AFTER,
        })?;
        let shared = self.shared().clone();
        let begun = tokio::task::spawn_blocking(move || begin(&shared)).await;
        let parts = begun.map_err(|error| failed(&error))??;
        Ok(Backup {
            parts,
            _only_one: only_one,
        })
    }
}

fn begin(shared: &Arc<Shared>) -> Result<backup::Backup, Unavailable> {
    let at = shared.clock.now().as_millis();
    backup::Backup::begin(&*shared.store, &shared.made_by, at)
        .map_err(|error| Unavailable::Storage(error.to_string()))
}

impl Backup {
    /// The next part, and the rest of the backup; none behind the last part.
    ///
    /// # Errors
    ///
    /// Where the store can't be read. What came before is no backup then, and is known as none.
    pub async fn next(mut self) -> Result<Option<(Vec<u8>, Self)>, Unavailable> {
        let read = tokio::task::spawn_blocking(move || (self.parts.next_part(), self)).await;
        let (part, rest) = read.map_err(|error| failed(&error))?;
        Ok(part?.map(|part| (part, rest)))
    }
}
