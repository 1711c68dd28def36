//! Calls under way, bounded in number for each tenant and for all: each a task of the async runtime, but for those
//! that are over at once, and for those that [compute](crate::computing) for long.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use baton_workflow::Error;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::computing::Computing;
use crate::failure;
use crate::fair::{FairPermit, FairSemaphore};
use crate::outside::{Answer, Call, Invoke};
use crate::pace::{Pace, Slot};

/// How long a call may take to say goodbye to whom it has subscribed with.
const FAREWELL: Duration = Duration::from_secs(5);

/// Makes calls.
pub(crate) struct Dispatch {
    runtime: Handle,
    permits: Arc<FairSemaphore>,
    subscriptions: Arc<FairSemaphore>,
    maker: Arc<Maker>,
}

/// Where a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thread {
    /// On this thread, until it is answered or lets go of it for the first time.
    This,
    /// On the threads of the runtime.
    Runtime,
}

impl Dispatch {
    /// Calls on `runtime`, as many at once as there are `permits`, and `subscriptions` besides. Those that compute for long
    /// have so many `processors`.
    pub(crate) fn new(
        runtime: Handle,
        invoke: Arc<dyn Invoke>,
        permits: FairSemaphore,
        subscriptions: FairSemaphore,
        processors: usize,
    ) -> Self {
        Self {
            runtime,
            permits: Arc::new(permits),
            subscriptions: Arc::new(subscriptions),
            maker: Arc::new(Maker {
                invoke,
                pace: Pace::new(),
                computing: Computing::new(processors),
            }),
        }
    }

    /// What is called, as far as its [pace](crate::pace) is known.
    pub(crate) fn slot(&self, call: &Call) -> Slot {
        self.maker.pace.slot(call)
    }

    /// Whether a call of it is likely to be over at once.
    pub(crate) fn is_brief(&self, slot: Slot) -> bool {
        self.maker.pace.is_brief(slot)
    }

    /// Does something on the runtime that calls run on.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.runtime.spawn(work).abort_handle()
    }

    /// Makes a call, once there is room, says so by `begun`, and gives its answer to `answered`, unless it is
    /// aborted. None where it has been answered already, which only one is that is made on this thread.
    pub(crate) fn start(
        &self,
        call: Call,
        slot: Slot,
        thread: Thread,
        begun: Option<impl FnOnce() + Send + 'static>,
        answered: impl FnOnce(Answer) + Send + 'static,
    ) -> Option<AbortHandle> {
        let permit = match thread {
            // A subscription goes on for long, and has permits of its own.
            Thread::This if call.items.is_none() => self.permits.try_acquire(&call.tenant),
            _ => None,
        };
        let has_permit = permit.is_some();
        let mut task = Box::pin(self.make(call, slot, permit, begun, answered));
        if has_permit {
            let _runtime = self.runtime.enter();
            let mut context = Context::from_waker(Waker::noop());
            let first = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut context)));
            // Where it has panicked, it has been answered as well.
            if !matches!(first, Ok(Poll::Pending)) {
                return None;
            }
        }
        // A task is polled anew, so that whom it waits for learns whom to wake.
        Some(self.runtime.spawn(task).abort_handle())
    }

    fn make(
        &self,
        call: Call,
        slot: Slot,
        permit: Option<FairPermit>,
        begun: Option<impl FnOnce() + Send + 'static>,
        answered: impl FnOnce(Answer) + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let permits = match call.items {
            None => self.permits.clone(),
            Some(_) => self.subscriptions.clone(),
        };
        let maker = self.maker.clone();
        async move {
            let answered = Answered(Some(answered));
            let _permit = match permit {
                Some(permit) => permit,
                None => permits.acquire(&call.tenant).await,
            };
            if let Some(begun) = begun {
                begun();
            }
            let mut answer = maker.make(call, slot).await;
            // Before it is recorded: what is nested too deeply could not be read back.
            answer.result = answer.result.map_err(Error::bounded).and_then(|result| {
                baton_workflow::check_extent("the call's result", &result)?;
                Ok(result)
            });
            answered.with(answer);
        }
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
        let slot = self.slot(&call);
        Some(self.maker.make(call, slot).await)
    }
}

/// Makes a call where it holds up nobody, as far as its function is known.
struct Maker {
    invoke: Arc<dyn Invoke>,
    pace: Pace,
    computing: Computing,
}

impl Maker {
    async fn make(&self, call: Call, slot: Slot) -> Answer {
        let tenant = call.tenant.clone();
        let work = self.invoke.invoke(call);
        if self.pace.is_lengthy(slot) {
            let pace = self.pace.clone();
            let work = async move {
                match pace.watch(slot, work).await {
                    Ok(answer) => answer,
                    Err(work) => work.await,
                }
            };
            return self.computing.run(tenant, work).await;
        }
        match self.pace.watch(slot, work).await {
            Ok(answer) => answer,
            Err(work) => self.computing.run(tenant, work).await,
        }
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
            let error = failure::of_host("it made this call");
            answered(Answer {
                result: Err(error),
                log: Vec::new(),
                refusals: Vec::new(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use baton_store::TenantId;
    use baton_system::thread_time;
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;
    use crate::computing::LONG;

    /// What becomes of the calls of each function.
    struct Functions;

    impl Invoke for Functions {
        fn invoke(&self, call: Call) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
            Box::pin(async move {
                let began = thread_name();
                match call.function.as_str() {
                    "waits" => tokio::task::yield_now().await,
                    "panics" => panic!("as it is told to"),
                    "computes" => {
                        compute(LONG * 2);
                        tokio::task::yield_now().await;
                    }
                    _ => {}
                }
                Answer::of(Ok(Arc::new(json!([began, thread_name()]))))
            })
        }
    }

    fn thread_name() -> Option<String> {
        std::thread::current().name().map(str::to_owned)
    }

    fn compute(time: Duration) {
        let began = thread_time();
        while thread_time() - began < time {
            std::hint::spin_loop();
        }
    }

    fn dispatch(permits: usize) -> Dispatch {
        let fair = |all| FairSemaphore::new(all, all);
        Dispatch::new(
            Handle::current(),
            Arc::new(Functions),
            fair(permits),
            fair(1),
            1,
        )
    }

    /// Makes a call on this thread: whether it is under way still, and where its answer comes.
    fn start(dispatch: &Dispatch, function: &str) -> (bool, mpsc::UnboundedReceiver<Answer>) {
        let (sender, answers) = mpsc::unbounded_channel();
        let answered = move |answer| drop(sender.send(answer));
        let begun = None::<fn()>;
        let call = Call::some(function);
        let slot = dispatch.slot(&call);
        let handle = dispatch.start(call, slot, Thread::This, begun, answered);
        (handle.is_some(), answers)
    }

    #[tokio::test]
    async fn what_is_over_at_once_is_answered_at_once() {
        let dispatch = dispatch(1);
        let (is_under_way, mut answers) = start(&dispatch, "answers");
        assert!(!is_under_way);
        assert!(answers.try_recv().is_ok_and(|it| it.result.is_ok()));
    }

    #[tokio::test]
    async fn what_waits_goes_on_elsewhere() {
        let dispatch = dispatch(1);
        let (is_under_way, mut answers) = start(&dispatch, "waits");
        assert!(is_under_way && answers.try_recv().is_err());
        let answer = answers.recv().await.expect("it is answered");
        assert!(answer.result.is_ok());
    }

    #[tokio::test]
    async fn what_computes_for_long_goes_on_where_it_holds_up_nobody_and_begins_there_soon() {
        let dispatch = dispatch(1);
        let here = thread_name();
        let elsewhere = Some("baton-computing".to_owned());
        let mut began = Vec::new();
        for _ in 0..20 {
            let (_, mut answers) = start(&dispatch, "computes");
            let answer = answers.recv().await.expect("it is answered");
            let threads = answer.result.expect("it does not fail");
            assert_eq!(threads[1], json!(elsewhere));
            began.push(threads[0].clone());
        }
        assert_eq!(began[0], json!(here), "it is not known");
        assert_eq!(began[19], json!(elsewhere));
        let (_, mut answers) = start(&dispatch, "answers");
        let answer = answers.try_recv().expect("it is answered at once");
        assert_eq!(*answer.result.unwrap(), json!([here, here]));
    }

    #[tokio::test]
    async fn what_panics_is_answered_and_harms_nobody() {
        let dispatch = dispatch(1);
        let (is_under_way, mut answers) = start(&dispatch, "panics");
        assert!(!is_under_way);
        let error = answers
            .try_recv()
            .expect("it is answered")
            .result
            .unwrap_err();
        assert_eq!(error.title.as_deref(), Some("The host failed"));
        let (_, mut answers) = start(&dispatch, "answers");
        assert!(answers.try_recv().is_ok(), "it has given its permit back");
    }

    #[tokio::test]
    async fn what_has_no_permit_waits_elsewhere() {
        let dispatch = dispatch(1);
        let permit = dispatch.permits.acquire(&TenantId::default()).await;
        let (is_under_way, mut answers) = start(&dispatch, "answers");
        assert!(is_under_way);
        drop(permit);
        assert!(answers.recv().await.is_some());
    }
}
