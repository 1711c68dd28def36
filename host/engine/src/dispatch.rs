//! Calls under way: each a task of the async runtime, bounded in number for each tenant and for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use baton_store::TenantId;
use baton_workflow::{Error, ErrorKind};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use crate::outside::{Answer, Call, Invoke};

/// Makes calls.
pub(crate) struct Dispatch {
    runtime: Handle,
    invoke: Arc<dyn Invoke>,
    all: Arc<Semaphore>,
    /// One for each tenant that has ever called; a few hundred bytes each.
    tenants: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
    per_tenant: usize,
}

impl Dispatch {
    /// Calls on `runtime`, `all` of them at most, `per_tenant` of one tenant.
    pub(crate) fn new(
        runtime: Handle,
        invoke: Arc<dyn Invoke>,
        all: usize,
        per_tenant: usize,
    ) -> Self {
        Self {
            runtime,
            invoke,
            all: Arc::new(Semaphore::new(all.clamp(1, Semaphore::MAX_PERMITS))),
            tenants: Mutex::default(),
            per_tenant: per_tenant.clamp(1, Semaphore::MAX_PERMITS),
        }
    }

    /// Makes a call, once there is room, and gives its answer to `answered`, unless it is aborted.
    pub(crate) fn start(
        &self,
        call: Call,
        answered: impl FnOnce(Answer) + Send + 'static,
    ) -> AbortHandle {
        let of_tenant = self.tenant(&call.tenant);
        let all = self.all.clone();
        let invoke = self.invoke.clone();
        let task = self.runtime.spawn(async move {
            let answered = Answered(Some(answered));
            // The tenant's own permit first: who waits for it holds none of those that all share.
            let _of_tenant = of_tenant.acquire_owned().await;
            let _of_all = all.acquire_owned().await;
            let mut answer = invoke.invoke(call).await;
            // Before it is recorded: what is nested too deeply could not be read back.
            answer.result = answer.result.map_err(Error::bounded).and_then(|result| {
                baton_workflow::check_extent("the call's result", &result)?;
                Ok(result)
            });
            answered.with(answer);
        });
        task.abort_handle()
    }

    /// Makes a call outside of any run, if there is room for one more of the tenant.
    pub(crate) async fn once(&self, call: Call) -> Option<Answer> {
        let _of_tenant = self.tenant(&call.tenant).try_acquire_owned().ok()?;
        let _of_all = self.all.clone().acquire_owned().await;
        Some(self.invoke.invoke(call).await)
    }

    fn tenant(&self, tenant: &TenantId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(semaphore) = tenants.get(tenant) {
            return semaphore.clone();
        }
        let semaphore = Arc::new(Semaphore::new(self.per_tenant));
        tenants.insert(tenant.clone(), semaphore.clone());
        semaphore
    }
}

/// Sees to it that a call whose task panics is answered too: a run must not wait for ever for a fault of
/// the host.
struct Answered<F: FnOnce(Answer)>(Option<F>);

impl<F: FnOnce(Answer)> Answered<F> {
    fn with(mut self, answer: Answer) {
        if let Some(answered) = self.0.take() {
            answered(answer);
        }
    }
}

impl<F: FnOnce(Answer)> Drop for Answered<F> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        if let Some(answered) = self.0.take() {
            let error = Error::new(
                ErrorKind::Runtime,
                "The host failed",
                "the host made a mistake while it made this call; its log says more",
            );
            answered(Answer {
                result: Err(error),
                log: Vec::new(),
                refusals: Vec::new(),
            });
        }
    }
}
