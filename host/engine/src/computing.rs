//! Calls that compute for long have threads of their own.
//!
//! On the threads of the runtime such a call would hold up what it has nothing to do with: a request that comes in would
//! wait for a [tick](baton_sandbox::limits::TICK) of each call that computes. Here they wait for one another, by
//! [tenants](crate::turns), from one tick to the next, and give way to all other threads of the host. A call
//! that has the processors to itself notices nothing of that.

use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use baton_store::TenantId;
use baton_system::priority;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, yield_now};

use crate::fair::FairSemaphore;

/// Who has computed for so long without a pause is likely to go on.
pub(crate) const LONG: Duration = Duration::from_millis(5);

/// The threads, from when they are first needed.
pub(crate) struct Computing {
    threads: usize,
    /// None where the system gives no threads.
    runtime: OnceLock<Option<Runtime>>,
    turns: Arc<FairSemaphore>,
}

impl Computing {
    /// So many threads, at least one.
    pub(crate) fn new(threads: usize) -> Self {
        let threads = threads.max(1);
        Self {
            threads,
            runtime: OnceLock::new(),
            turns: Arc::new(FairSemaphore::new(threads, threads)),
        }
    }

    /// Does something here, or where it is where there are no threads. It ends when the future is dropped, and panics
    /// as the work does.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let runtime = self.runtime.get_or_init(|| start(self.threads));
        let Some(runtime) = runtime else {
            return work.await;
        };
        let mut task = JoinSet::new();
        task.spawn_on(by_turns(self.turns.clone(), tenant, work), runtime.handle());
        match task.join_next().await {
            Some(Ok(done)) => done,
            Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
            // The host stops, and abandons what it does.
            _ => std::future::pending().await,
        }
    }
}

impl Drop for Computing {
    fn drop(&mut self) {
        if let Some(Some(runtime)) = self.runtime.take() {
            // The other way to end it waits, which is not allowed everywhere.
            runtime.shutdown_background();
        }
    }
}

/// The threads, and what is between them and who waits for what they do.
fn start(threads: usize) -> Option<Runtime> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("baton-computing")
        .on_thread_start(priority::lower)
        .enable_all()
        .build();
    runtime
        .inspect_err(|error| {
            tracing::error!(%error, "no threads for calls that compute for long: they hold up others");
        })
        .ok()
}

/// Does something, and has a turn for each part of it: from when it is woken to when it waits, or lets others have the thread.
async fn by_turns<T>(
    turns: Arc<FairSemaphore>,
    tenant: TenantId,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    loop {
        let turn = turns.acquire(&tenant).await;
        // Whoever has been woken asks as well, before this turn is over and the next one is given.
        yield_now().await;
        let done = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
        drop(turn);
        if let Poll::Ready(done) = done {
            return done;
        }
        woken().await;
    }
}

/// Waits until the task is woken: whom it waits for knows whom to wake.
async fn woken() {
    let mut waits = true;
    poll_fn(|_| match std::mem::take(&mut waits) {
        true => Poll::Pending,
        false => Poll::Ready(()),
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::oneshot;

    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).expect("a tenant")
    }

    fn thread_name() -> Option<String> {
        std::thread::current().name().map(str::to_owned)
    }

    #[tokio::test]
    async fn what_is_done_here_has_a_thread_of_its_own() {
        let computing = Computing::new(1);
        let name = computing.run(tenant("a"), async { thread_name() }).await;
        assert_eq!(name.as_deref(), Some("baton-computing"));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn its_threads_give_way_and_no_others() {
        let niceness = || rustix::process::getpriority_process(None);
        let before = niceness().expect("a niceness");
        let computing = Computing::new(1);
        let there = computing.run(tenant("a"), async move { niceness() }).await;
        assert!(there.expect("a niceness") > before);
        assert_eq!(niceness().expect("a niceness"), before);
    }

    #[tokio::test]
    #[should_panic(expected = "as it is told to")]
    async fn a_panic_goes_to_who_waits_for_it() {
        let work = async { panic!("as it is told to") };
        Computing::new(1).run(tenant("a"), work).await;
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_ends() {
        let computing = Computing::new(1);
        let (guard, dropped) = oneshot::channel::<()>();
        let (begun, has_begun) = oneshot::channel();
        let work = async move {
            let _guard = guard;
            begun.send(()).expect("the test waits for it");
            loop {
                yield_now().await;
            }
        };
        {
            let mut run = pin!(computing.run(tenant("a"), work));
            tokio::select! {
                () = &mut run => {}
                begun = has_begun => begun.expect("it begins"),
            }
        }
        assert!(dropped.await.is_err());
    }

    /// Lets others go first, as a guest does at a tick.
    async fn tick() {
        let mut is_first = true;
        poll_fn(|context| match std::mem::take(&mut is_first) {
            true => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            false => Poll::Ready(()),
        })
        .await;
    }

    #[tokio::test]
    async fn who_computes_much_lets_another_tenant_have_its_turns() {
        let turns = Arc::new(FairSemaphore::new(1, 1));
        let done = Arc::new(Mutex::new(String::new()));
        let mut tasks = JoinSet::new();
        for name in "aaaaaaaab".chars() {
            let done = done.clone();
            let work = async move {
                for _ in 0..6 {
                    done.lock().expect("no one panics").push(name);
                    tick().await;
                }
            };
            tasks.spawn(by_turns(turns.clone(), tenant(&name.to_string()), work));
        }
        tasks.join_all().await;
        let done = done.lock().expect("no one panics");
        let of_the_other = done.split_once('b').and_then(|(_, it)| it.rsplit_once('b'));
        let (between, _) = of_the_other.expect("the other tenant has had its turns");
        let longest = between.split('b').map(str::len).max();
        assert!(longest <= Some(2), "{done}");
    }
}
