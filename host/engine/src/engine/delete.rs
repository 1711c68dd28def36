//! Deleting a run that has ended.

use baton_store::{RunId, TenantId};
use baton_workflow::machine::Status;

use super::{Engine, RETRY_AFTER};
use crate::error::{DeleteError, Unavailable};
use crate::removal::{self, Kept};

impl Engine {
    /// Deletes a run that has ended, with its history and all else that is stored of it. It is gone for good when
    /// this returns. Events that it has emitted stay in the log, and runs that it was restarted as stay.
    ///
    /// # Errors
    ///
    /// See [`DeleteError`]; the run is as it was then.
    pub async fn delete(&self, tenant: &TenantId, run: &RunId) -> Result<(), DeleteError> {
        let (tenant, run) = (tenant.clone(), *run);
        self.whole(async move |engine| engine.delete_whole(&tenant, &run).await)
            .await
    }

    async fn delete_whole(&self, tenant: &TenantId, run: &RunId) -> Result<(), DeleteError> {
        self.check_open()?;
        let (owner, id) = (tenant.clone(), *run);
        let look = self.aside(tenant, move |shared| {
            removal::look(shared, &owner, &id, i64::MAX)
        });
        let removable = match look.await?.map_err(Unavailable::from)? {
            Ok(removable) => removable,
            Err(Kept::Absent) => return Err(DeleteError::NotFound(*run)),
            Err(Kept::ByParent(parent)) => return Err(DeleteError::HasParent(parent)),
            Err(Kept::ByChild(child)) => return Err(DeleteError::HasOpenChild(child)),
            Err(Kept::Open | Kept::Young) => return Err(self.still_open(tenant, run)),
        };
        match removal::remove(self.shared(), removable).await? {
            true => Ok(()),
            // It has gone on since, or there is too much to do.
            false => Err(Unavailable::Busy {
                retry_after: RETRY_AFTER,
            }
            .into()),
        }
    }

    fn still_open(&self, tenant: &TenantId, run: &RunId) -> DeleteError {
        let live = self.shared().live.get(tenant, run);
        DeleteError::Open(live.map_or(Status::Running, |live| live.status()))
    }
}
