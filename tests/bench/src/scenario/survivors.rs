//! Clients that outlive the host: each start has an `Idempotency-Key`, and one that was not answered is sent
//! again to the host that comes after.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinHandle;

use crate::driver::{Connection, Request, Target};
use crate::workflow::STEPS;

/// Clients at work.
pub(crate) struct Survivors {
    clients: Vec<JoinHandle<Client>>,
}

/// Clients whose host is gone.
pub(crate) struct Broken {
    clients: Vec<Client>,
}

/// What one of them knows.
struct Client {
    /// The runs of which it was told that they have ended.
    ended: Vec<String>,
    /// What it was not answered.
    open: Request,
}

impl Survivors {
    /// So many clients, each of which starts runs of ten steps one after the other and waits for their ends.
    pub(crate) fn start(target: &Target, count: usize) -> Self {
        /// Names no start twice, whatever host it is of.
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let clients = (0..count).map(|_| {
            let target = target.clone();
            tokio::spawn(async move {
                let mut connection = Connection::open(&target).await.expect("the host is there");
                let mut ended = Vec::new();
                loop {
                    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                    let open = Request::start("steps", &json!(0))
                        .awaited()
                        .key(format!("bench-{number}"));
                    match connection.send(&open).await {
                        Ok(answer) => ended.push(answer.expect_output(&json!(STEPS))),
                        Err(_) => return Client { ended, open },
                    }
                }
            })
        });
        Self {
            clients: clients.collect(),
        }
    }

    /// Waits until all have noticed that the host is gone.
    pub(crate) async fn broken(self) -> Broken {
        let mut clients = Vec::new();
        for client in self.clients {
            clients.push(client.await.expect("no client fails"));
        }
        Broken { clients }
    }
}

impl Broken {
    /// Sends again what was not answered. Gives how long after `since` the first of those runs had ended, and the ids of
    /// all runs whose ends have been told, before and now.
    pub(crate) async fn go_on(self, target: &Target, since: Instant) -> (Duration, Vec<String>) {
        let first = Arc::new(std::sync::Mutex::new(None));
        let clients: Vec<_> = self
            .clients
            .into_iter()
            .map(|mut client| {
                let (target, first) = (target.clone(), Arc::clone(&first));
                tokio::spawn(async move {
                    let mut connection =
                        Connection::open(&target).await.expect("the host is there");
                    let answer = connection.send(&client.open).await;
                    let answer = answer.expect("the host answers");
                    client.ended.push(answer.expect_output(&json!(STEPS)));
                    let mut first = first.lock().expect("no holder of this lock panics");
                    first.get_or_insert_with(|| since.elapsed());
                    client.ended
                })
            })
            .collect();
        let mut ended = Vec::new();
        for client in clients {
            ended.extend(client.await.expect("no client fails"));
        }
        let first = *first.lock().expect("no holder of this lock panics");
        (first.expect("there are clients"), ended)
    }
}
