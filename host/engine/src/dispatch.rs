//! Calls under way: each a task of the async runtime, bounded in number for each tenant and for all.

use std::sync::Arc;
use std::time::Duration;

use baton_workflow::{Error, ErrorKind};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::fair::FairSemaphore;
use crate::outside::{Answer, Call, Invoke};

/// How long a call may take to say goodbye to whom it has subscribed with.
const FAREWELL: Duration = Duration::from_secs(5);

/// Makes calls.
pub(crate) struct Dispatch {
    runtime: Handle,
    invoke: Arc<dyn Invoke>,
    permits: Arc<FairSemaphore>,
    subscriptions: Arc<FairSemaphore>,
}

impl Dispatch {
    /// Calls on `runtime`, as many at once as there are `permits`, and `subscriptions` besides.
    pub(crate) fn new(
        runtime: Handle,
        invoke: Arc<dyn Invoke>,
        permits: FairSemaphore,
        subscriptions: FairSemaphore,
    ) -> Self {
        Self {
            runtime,
            invoke,
            permits: Arc::new(permits),
            subscriptions: Arc::new(subscriptions),
        }
    }

    /// Does something on the runtime that calls run on.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.runtime.spawn(work).abort_handle()
    }

    /// Makes a call, once there is room, says so by `begun`, and gives its answer to `answered`, unless it is
    /// aborted.
    pub(crate) fn start(
        &self,
        call: Call,
        begun: Option<impl FnOnce() + Send + 'static>,
        answered: impl FnOnce(Answer) + Send + 'static,
    ) -> AbortHandle {
        let permits = match call.items {
            None => self.permits.clone(),
            Some(_) => self.subscriptions.clone(),
        };
        let invoke = self.invoke.clone();
        let task = self.runtime.spawn(async move {
            let answered = Answered(Some(answered));
            let _permit = permits.acquire(&call.tenant).await;
            if let Some(begun) = begun {
                begun();
            }
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

    /// Ends a call that has been told that no more is wanted of it, unless it ends by itself in good time.
    pub(crate) fn see_off(&self, call: AbortHandle) {
        self.runtime.spawn(async move {
            tokio::time::sleep(FAREWELL).await;
            call.abort();
        });
    }

    /// Makes a call outside of any run, if there is room for one more of the tenant.
    pub(crate) async fn once(&self, call: Call) -> Option<Answer> {
        let _permit = self.permits.try_acquire(&call.tenant)?;
        Some(self.invoke.invoke(call).await)
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
