//! Open-loop clients: they start runs at a rate, whatever becomes of those before.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};

use super::load::Runs;
use crate::driver::{Answer, Connection, Request, Target};
use crate::figures::{add, float, per_second, percentiles, rounded};

/// How often what has become due is sent.
const TICK: Duration = Duration::from_millis(5);

/// Requests under way at once, below the bound of connections of a tenant. What is due beyond it is counted, not sent.
const UNDER_WAY: usize = 700;

/// Every so many requests one waits for the end of its run.
const AWAITED_EVERY: usize = 100;

/// A flood that goes on.
pub(crate) struct Flood {
    task: JoinHandle<Flooded>,
}

/// What has become of it.
#[derive(Default)]
pub(crate) struct Flooded {
    offered: usize,
    unsent: usize,
    refused: usize,
    failed: usize,
    accepted: usize,
    starts: Vec<Duration>,
    ends: Vec<Duration>,
}

struct State {
    target: Target,
    free: Mutex<Vec<Connection>>,
    flooded: Mutex<Flooded>,
}

impl Flood {
    /// Starts so many of these runs a second, for so long.
    pub(crate) fn start(target: &Target, runs: &Runs, per_second: f64, time: Duration) -> Self {
        let state = Arc::new(State {
            target: target.clone(),
            free: Mutex::default(),
            flooded: Mutex::default(),
        });
        let request = Request::start(runs.workflow, &runs.input);
        Self {
            task: tokio::spawn(flood(state, request, per_second, time)),
        }
    }

    /// Waits until the last request has been answered.
    pub(crate) async fn ended(self) -> Flooded {
        self.task.await.expect("no client fails")
    }
}

async fn flood(state: Arc<State>, request: Request, per_second: f64, time: Duration) -> Flooded {
    let awaited = request.clone().awaited();
    let (since, mut sent) = (Instant::now(), 0);
    let mut under_way = JoinSet::new();
    let mut ticks = tokio::time::interval(TICK);
    while since.elapsed() < time {
        ticks.tick().await;
        while under_way.try_join_next().is_some() {}
        let due = usize::try_from(rounded(since.elapsed().as_secs_f64() * per_second));
        let due = due.unwrap_or(usize::MAX);
        for number in sent..due {
            let has_room = under_way.len() < UNDER_WAY;
            state.flooded().offer(has_room);
            if has_room {
                let waits = number % AWAITED_EVERY == 0;
                let request = if waits { &awaited } else { &request }.clone();
                under_way.spawn(send(Arc::clone(&state), request, waits));
            }
        }
        sent = sent.max(due);
    }
    under_way.join_all().await;
    std::mem::take(&mut state.flooded())
}

async fn send(state: Arc<State>, request: Request, waits: bool) {
    let connection = match state.free() {
        Some(connection) => Ok(connection),
        None => Connection::open(&state.target).await,
    };
    let Ok(mut connection) = connection else {
        state.flooded().failed += 1;
        return;
    };
    match connection.send(&request).await {
        Ok(answer) => {
            state.flooded().note(&answer, waits);
            state.free.lock().expect(UNHARMED).push(connection);
        }
        Err(_) => state.flooded().failed += 1,
    }
}

const UNHARMED: &str = "no holder of this lock panics";

impl State {
    /// A connection that is of use still: the host closes one that nothing is sent on for half a minute.
    fn free(&self) -> Option<Connection> {
        let mut free = self.free.lock().expect(UNHARMED);
        std::iter::from_fn(|| free.pop()).find(|it| !it.is_closed())
    }

    fn flooded(&self) -> MutexGuard<'_, Flooded> {
        self.flooded.lock().expect(UNHARMED)
    }
}

impl Flooded {
    /// How many runs the host has accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted
    }

    /// In figures, where it lasted so long.
    pub(crate) fn figures(&self, time: Duration) -> Value {
        let answered = self.accepted + self.refused;
        let mut figures = json!({
            "offered": self.offered,
            "unsent": self.unsent,
            "accepted": self.accepted,
            "accepted_per_second": per_second(self.accepted, time),
            "refused": self.refused,
            "refused_share": float(self.refused) / float(answered.max(1)),
            "failed": self.failed,
        });
        add(&mut figures, percentiles("accepted", &self.starts));
        add(&mut figures, percentiles("accepted_run", &self.ends));
        figures
    }

    fn offer(&mut self, has_room: bool) {
        self.offered += 1;
        self.unsent += usize::from(!has_room);
    }

    fn note(&mut self, answer: &Answer, waits: bool) {
        if answer.status == 429 {
            self.refused += 1;
            return;
        }
        let run = answer.json(if answer.status == 200 { 200 } else { 202 });
        self.accepted += 1;
        // A wait may be over before its run is.
        match (waits, run["endedAt"].is_string()) {
            (true, true) => self.ends.push(answer.took),
            (true, false) => {}
            (false, _) => self.starts.push(answer.took),
        }
    }
}
