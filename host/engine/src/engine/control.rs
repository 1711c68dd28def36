//! Control of runs: cancel, stop, suspend, resume.

use baton_store::{RunId, TenantId};
use tokio::sync::oneshot;

use super::{Engine, RETRY_AFTER};
use crate::error::{ControlError, Unavailable};
use crate::mailbox::Refused;
use crate::partition::{Message, Reply, Request};
use crate::view::RunView;

impl Engine {
    /// Ends a run, in the name of `by`: tasks under way are abandoned, and what was done is undone, where
    /// the workflow says how. That it is wanted is durable when this returns; where there is something to
    /// undo, the run is still open then.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotFound`] and [`ControlError::Ended`] where there is nothing to cancel.
    pub async fn cancel(
        &self,
        tenant: &TenantId,
        run: &RunId,
        by: &str,
        reason: Option<&str>,
    ) -> Result<RunView, ControlError> {
        self.control(tenant, run, Request::Cancel, by, reason).await
    }

    /// Ends a run now, in the name of `by`, and undoes nothing; what was being undone stays as it is. It is
    /// durable when this returns.
    ///
    /// # Errors
    ///
    /// As [`Engine::cancel`].
    pub async fn stop(
        &self,
        tenant: &TenantId,
        run: &RunId,
        by: &str,
        reason: Option<&str>,
    ) -> Result<RunView, ControlError> {
        self.control(tenant, run, Request::Stop, by, reason).await
    }

    /// Suspends a run, in the name of `by`: calls under way come to their end, and nothing new begins until
    /// somebody resumes it. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotFound`], [`ControlError::Ended`] and [`ControlError::Suspended`] where there is
    /// nothing to suspend.
    pub async fn suspend(
        &self,
        tenant: &TenantId,
        run: &RunId,
        by: &str,
        reason: Option<&str>,
    ) -> Result<RunView, ControlError> {
        self.control(tenant, run, Request::Suspend, by, reason)
            .await
    }

    /// Lets a suspended run go on, in the name of `by`. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotFound`], [`ControlError::Ended`] and [`ControlError::NotSuspended`] where there is
    /// nothing to resume.
    pub async fn resume(
        &self,
        tenant: &TenantId,
        run: &RunId,
        by: &str,
        reason: Option<&str>,
    ) -> Result<RunView, ControlError> {
        self.control(tenant, run, Request::Resume, by, reason).await
    }

    async fn control(
        &self,
        tenant: &TenantId,
        run: &RunId,
        request: Request,
        by: &str,
        reason: Option<&str>,
    ) -> Result<RunView, ControlError> {
        let who = (by.to_owned(), reason.map(str::to_owned));
        let message = |reply| Message::Request {
            tenant: tenant.clone(),
            run: *run,
            request,
            who,
            reply,
        };
        self.ask(tenant, run, message).await
    }

    /// Asks something of an open run, and gives the run as it is then.
    pub(super) async fn ask(
        &self,
        tenant: &TenantId,
        run: &RunId,
        message: impl FnOnce(Reply) -> Message,
    ) -> Result<RunView, ControlError> {
        self.check_open()?;
        let before = self.run(tenant, run).await?;
        let before = before.ok_or(ControlError::NotFound(*run))?;
        if before.status.is_ended() {
            return Err(ControlError::Ended(before.status));
        }
        let (reply, answer) = oneshot::channel();
        self.shared()
            .offer(tenant, run, message(reply))
            .map_err(|refused| match refused {
                Refused::Full => ControlError::Busy {
                    retry_after: RETRY_AFTER,
                },
                Refused::Closed => ControlError::Unavailable(Unavailable::ShuttingDown),
            })?;
        let answered = answer.await.map_err(|_| Unavailable::ShuttingDown)?;
        let now = self.run(tenant, run).await?;
        let now = now.ok_or(ControlError::NotFound(*run))?;
        match answered {
            Ok(()) => Ok(now),
            Err(ControlError::NotFound(_)) if now.status.is_ended() => {
                Err(ControlError::Ended(now.status))
            }
            Err(ControlError::NotFound(_)) => Err(Unavailable::Storage(
                "the run can't be loaded; the host's log says why".into(),
            )
            .into()),
            Err(error) => Err(error),
        }
    }
}
