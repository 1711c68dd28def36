//! Which connection is served next: tenants take turns at the threads of the runtime.
//!
//! The runtime has what is ready wait in the order in which it became ready. A request would so wait for one on each
//! connection that another tenant has, which are hundreds in a flood. So a connection that is ready waits here, by
//! [tenants](baton_engine::turns), and no more of them at a time are with the runtime than keep its threads busy.
//! Clients that have shown no token are like one tenant.
//!
//! While tenants share the host, the threads of the runtime [go before](Boost) those that compute: there, what one tenant asks for
//! waits for a turn of another's, and here only until it has been read.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use baton_engine::TenantId;
use baton_engine::turns::Turns;
use baton_system::priority::Boost;

use crate::connections::Connection;

/// How many connections are with the runtime, for each of its threads: the one that it serves, and one more, so that none
/// is idle while the next is chosen.
const PER_THREAD: usize = 2;

/// The threads of the runtime, and which connections wait for one.
pub(crate) struct Workers {
    turns: Mutex<Turns<Arc<Served>, Whose>>,
    /// Whether tenants share the host.
    are_shared: Box<dyn Fn() -> bool + Send + Sync>,
}

thread_local! {
    /// What has a thread of the runtime go before those that compute.
    static BOOST: RefCell<Boost> = const { RefCell::new(Boost::before_computing()) };
}

/// Who takes turns: a tenant, or all strangers.
type Whose = Option<TenantId>;

/// A connection, as those know it who wake it.
struct Served {
    workers: Arc<Workers>,
    connection: Connection,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    turn: Turn,
    /// Hands the connection to the runtime.
    task: Option<Waker>,
}

/// How a connection stands with its turns.
#[derive(Default)]
enum Turn {
    /// Nothing has happened that it has to look at.
    #[default]
    Unwanted,
    /// It is ready, and waits under this number.
    Waiting { whose: Whose, number: u64 },
    /// It is with the runtime.
    Granted(Whose),
    /// It is being served. Whether it has to be once more, since something has happened meanwhile.
    Begun { again: bool },
    /// It is no more.
    Over,
}

/// A turn that is under way. Dropping it gives the thread to the next one.
struct UnderWay<'a> {
    served: &'a Arc<Served>,
    whose: Whose,
}

/// Dropping it ends a connection, wherever it stands.
struct Ending<'a>(&'a Served);

impl Workers {
    /// So many threads, of a host that tenants share at times.
    pub(crate) fn new(
        threads: usize,
        are_shared: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let at_once = threads * PER_THREAD;
        Self {
            turns: Mutex::new(Turns::new(at_once, at_once)),
            are_shared: Box::new(are_shared),
        }
    }

    /// Does what a connection is for, by turns: from when it is woken to when it waits.
    pub(crate) async fn serve<T>(
        self: Arc<Self>,
        connection: Connection,
        work: impl Future<Output = T>,
    ) -> T {
        let served = Arc::new(Served {
            workers: self,
            connection,
            state: Mutex::default(),
        });
        let _ending = Ending(&served);
        let waker = Waker::from(served.clone());
        let mut work = pin!(work);
        let mut is_new = true;
        poll_fn(|context| {
            let Some(_turn) = served.begin(context.waker()) else {
                if std::mem::take(&mut is_new) {
                    served.ask();
                }
                return Poll::Pending;
            };
            served.workers.go_first();
            work.as_mut().poll(&mut Context::from_waker(&waker))
        })
        .await
    }

    /// Has the thread at hand go before those that compute, or not any more.
    fn go_first(&self) {
        let is_shared = (self.are_shared)();
        // Where the system refuses it, the journal's thread has said so.
        let _ = BOOST.with_borrow_mut(|boost| boost.set(is_shared));
    }

    fn turns(&self) -> MutexGuard<'_, Turns<Arc<Served>, Whose>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, whose: &Whose) {
        let next: Vec<_> = {
            let mut turns = self.turns();
            turns.give_back(whose);
            std::iter::from_fn(|| turns.grant()).collect()
        };
        next.iter().for_each(|next| next.be_granted());
    }
}

impl Served {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something has happened that the connection has to look at.
    fn ask(self: &Arc<Self>) {
        let mut state = self.state();
        match &mut state.turn {
            Turn::Unwanted => {}
            Turn::Begun { again } => {
                *again = true;
                return;
            }
            Turn::Waiting { .. } | Turn::Granted(_) | Turn::Over => return,
        }
        let whose = self.connection.tenant();
        let mut turns = self.workers.turns();
        if turns.take(&whose) {
            drop(turns);
            state.grant(whose);
        } else {
            let number = turns.wait(&whose, self.clone());
            state.turn = Turn::Waiting { whose, number };
        }
    }

    /// The turn that it waited for may begin.
    fn be_granted(&self) {
        let mut state = self.state();
        // Where it is over, that has given the turn back.
        if let Turn::Waiting { whose, .. } = &mut state.turn {
            let whose = whose.take();
            state.grant(whose);
        }
    }

    /// Begins the turn that was granted, if one was; the runtime is told by `task` of the next one.
    fn begin<'a>(self: &'a Arc<Self>, task: &Waker) -> Option<UnderWay<'a>> {
        let mut state = self.state();
        match &mut state.task {
            Some(known) => known.clone_from(task),
            none => *none = Some(task.clone()),
        }
        let Turn::Granted(whose) = &mut state.turn else {
            return None;
        };
        let whose = whose.take();
        state.turn = Turn::Begun { again: false };
        Some(UnderWay {
            served: self,
            whose,
        })
    }
}

impl State {
    fn grant(&mut self, whose: Whose) {
        self.turn = Turn::Granted(whose);
        if let Some(task) = &self.task {
            task.wake_by_ref();
        }
    }
}

impl Wake for Served {
    fn wake(self: Arc<Self>) {
        self.ask();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ask();
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        // First, so that those who wait come before it.
        self.served.workers.give_back(&self.whose);
        let turn = std::mem::take(&mut self.served.state().turn);
        if matches!(turn, Turn::Begun { again: true }) {
            self.served.ask();
        }
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let (turn, _task) = {
            let mut state = self.0.state();
            let turn = std::mem::replace(&mut state.turn, Turn::Over);
            (turn, state.task.take())
        };
        let workers = &self.0.workers;
        match turn {
            Turn::Waiting { whose, number } if !workers.turns().leave(&whose, number) => {
                workers.give_back(&whose);
            }
            Turn::Granted(whose) => workers.give_back(&whose),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::{Notify, mpsc};
    use tokio::task::{JoinSet, yield_now};

    use super::*;
    use crate::auth::Authenticator;
    use crate::connections::Connections;
    use crate::settings::ServerSettings;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    fn connections() -> Connections {
        let tenant = TenantId::default();
        Connections::new(&ServerSettings::new(Authenticator::Open { tenant }))
    }

    async fn connection(of: &Connections, whose: Option<&str>) -> Connection {
        let connection = of.enter(IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
        if let Some(whose) = whose {
            connection.belongs_to(&tenant(whose)).unwrap();
        }
        connection
    }

    impl Workers {
        fn has(&self, whose: &Whose) -> bool {
            self.turns().has(whose)
        }
    }

    #[tokio::test]
    async fn who_has_one_connection_does_not_wait_for_all_of_another_tenant() {
        let (connections, workers) = (connections(), Arc::new(Workers::new(1, || false)));
        let (all, served) = (Arc::new(Notify::new()), Arc::new(Mutex::new(Vec::new())));
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        let flood = std::iter::repeat_n(Some("flood"), 100);
        for whose in flood.chain([Some("neighbour"), None]) {
            let (all, served, waiting) = (all.clone(), served.clone(), waiting.clone());
            let connection = connection(&connections, whose).await;
            tasks.spawn(workers.clone().serve(connection, async move {
                waiting.fetch_add(1, Ordering::Relaxed);
                all.notified().await;
                served.lock().unwrap().push(whose);
            }));
        }
        while waiting.load(Ordering::Relaxed) < tasks.len() {
            yield_now().await;
        }
        all.notify_waiters();
        while tasks.join_next().await.is_some() {}
        let served = served.lock().unwrap();
        let place = |whose| served.iter().position(|it| *it == whose).unwrap();
        // Behind the turns that are under way; then those take turns that have none.
        assert!(place(Some("neighbour")) <= PER_THREAD, "{served:?}");
        assert!(place(None) <= 2 * PER_THREAD, "{served:?}");
        assert_eq!(served.len(), 102);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn nothing_that_happens_is_missed_and_no_turn_is_kept() {
        const EACH: usize = 200;
        let (connections, workers) = (connections(), Arc::new(Workers::new(2, || false)));
        let names = [Some("a"), Some("b"), Some("c"), None];
        let (mut whole, mut failing, mut cut_off) =
            (JoinSet::new(), JoinSet::new(), JoinSet::new());
        let seen = Arc::new(AtomicUsize::new(0));
        let mut senders = Vec::new();
        for number in 0..64 {
            let connection = connection(&connections, names[number % names.len()]).await;
            let (sender, mut events) = mpsc::unbounded_channel();
            let at_work = seen.clone();
            senders.push(sender);
            let work = workers.clone().serve(connection, async move {
                let mut sum = 0;
                while let Some(event) = events.recv().await {
                    sum += event;
                    assert!(number % 8 != 7 || sum < 1_000, "as it is told to");
                    if number % 8 == 6 {
                        at_work.fetch_add(1, Ordering::Relaxed);
                    }
                }
                sum
            });
            match number % 8 {
                6 => drop(cut_off.spawn(work)),
                7 => drop(failing.spawn(work)),
                _ => drop(whole.spawn(work)),
            }
        }
        let threads = senders.into_iter().map(|sender| {
            std::thread::spawn(move || {
                for event in 1..=EACH {
                    // Those that are cut off take no more.
                    let _ = sender.send(event);
                }
            })
        });
        let threads: Vec<_> = threads.collect();
        // In the midst of it.
        while seen.load(Ordering::Relaxed) < EACH / 2 {
            yield_now().await;
        }
        cut_off.abort_all();
        while let Some(sum) = whole.join_next().await {
            assert_eq!(sum.unwrap(), EACH * (EACH + 1) / 2);
        }
        while let Some(failed) = failing.join_next().await {
            assert!(failed.unwrap_err().is_panic());
        }
        while cut_off.join_next().await.is_some() {}
        for thread in threads {
            thread.join().unwrap();
        }
        let names = names.map(|name| name.map(tenant));
        assert!(!names.iter().any(|whose| workers.has(whose)));
    }

    #[tokio::test]
    async fn turns_are_of_whom_the_connection_is_by_then() {
        let (connections, workers) = (connections(), Arc::new(Workers::new(1, || false)));
        let connection = connection(&connections, None).await;
        let shows = connection.clone();
        let work = async {
            assert!(workers.has(&None), "a stranger's");
            shows.belongs_to(&tenant("red")).unwrap();
            yield_now().await;
            assert!(workers.has(&Some(tenant("red"))));
            assert!(!workers.has(&None));
        };
        workers.clone().serve(connection, work).await;
        assert!(!workers.has(&Some(tenant("red"))));
    }
}
