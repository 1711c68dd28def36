//! Carries a plan out.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use baton_tests::guests;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::Value;
use tokio::sync::watch;

use crate::customer::{Known, Shop};
use crate::laws::{self, Found};
use crate::order::Kind;
use crate::service::Service;
use crate::trouble::{Trouble, Troubled};

/// How long it may take, after the last trouble, until all runs have ended.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is to happen.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What chance begins with.
    pub seed: u64,
    /// The kind of trouble.
    pub trouble: Trouble,
    /// How often it comes.
    pub times: usize,
    /// How many customers there are, each of whom has one run under way.
    pub customers: u64,
    /// How many bytes a run carries along at most, so that a store fills up.
    pub ballast: usize,
}

/// What has happened.
#[derive(Clone, Debug)]
pub struct Report {
    /// How often the host was killed.
    pub kills: usize,
    /// How many runs there were.
    pub runs: usize,
    /// How many calls the service has seen, those made again counted once.
    pub calls: usize,
    /// How many of them it has seen more than once.
    pub repeated: usize,
    /// The problems with which the host has said that it can't do something just now.
    pub refusals: Vec<Value>,
    /// What should not have happened.
    pub violations: Vec<String>,
}

/// Starts a host, has customers order, makes trouble, and looks at all of it when every run has ended.
///
/// # Panics
///
/// When the host does not come back, or runs do not end.
pub async fn run(plan: &Plan) -> Report {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let service = Service::start().await;
    let (door, entrance) = watch::channel(None);
    let mut troubled = Troubled::start(plan.trouble, service.url(), door).await;
    let host = &troubled.host;
    host.install("adder", guests::adder()).await.expect(201);
    for kind in Kind::ALL {
        host.publish(kind.document(service.url())).await.expect(201);
    }
    troubled.open();

    let shop = Shop::new(entrance, plan.ballast);
    let customers: Vec<_> = (0..plan.customers)
        .map(|number| {
            let seed = plan.seed.wrapping_mul(1_000_003).wrapping_add(number);
            tokio::spawn(Arc::clone(&shop).visit(seed))
        })
        .collect();
    let mut before = HashMap::new();
    let mut kills = 0;
    for number in 1..=plan.times {
        let killed = troubled.strike(&service, &shop, &mut random).await;
        kills += usize::from(killed);
        let orders = shop.orders();
        tell(plan, number, &orders);
        if killed {
            witness(&troubled, &orders, &mut before).await;
        }
    }
    shop.close();
    let all = async {
        for customer in customers {
            customer.await.expect("no customer fails");
        }
    };
    if tokio::time::timeout(PATIENCE, all).await.is_err() {
        panic!(
            "seed {}: {} the host said:\n{}",
            plan.seed,
            unended(&troubled, &service, &shop.orders()).await,
            troubled.host.process().output()
        );
    }
    let found = look(&troubled, shop.orders(), &mut before).await;
    let calls = service.calls();
    Report {
        kills,
        runs: found.len(),
        calls: calls.len(),
        repeated: calls.values().filter(|seen| seen.len() > 1).count(),
        refusals: shop.refusals(),
        violations: laws::check(&found, &calls),
    }
}

/// Says how far it is, for those who wait.
fn tell(plan: &Plan, number: usize, orders: &[Known]) {
    let ended = orders.iter().filter(|it| it.ended.is_some()).count();
    eprintln!(
        "seed {}: {:?} {number} of {}, {ended} of {} runs have ended",
        plan.seed,
        plan.trouble,
        plan.times,
        orders.len()
    );
}

/// Keeps what the histories of open runs show after a crash.
async fn witness(
    troubled: &Troubled,
    orders: &[Known],
    before: &mut HashMap<String, Vec<Vec<Value>>>,
) {
    for known in orders.iter().filter(|known| known.ended.is_none()) {
        if let Some(run) = &known.run {
            let history = troubled.host.history(run).await;
            before.entry(run.clone()).or_default().push(history);
        }
    }
}

/// What is to be known of the runs that have not ended.
async fn unended(troubled: &Troubled, service: &Service, orders: &[Known]) -> String {
    let open: Vec<_> = orders.iter().filter(|it| it.ended.is_none()).collect();
    let mut text = format!("{} runs have not ended:\n", open.len());
    let calls = service.calls();
    for known in open {
        let number = known.order.number;
        let made = calls.keys().filter(|(order, _)| *order == number);
        let made: Vec<_> = made.map(|(_, step)| step).collect();
        let _ = writeln!(text, "{known:?}, calls made: {made:?}");
        let Some(run) = &known.run else { continue };
        for path in [format!("/v1/runs/{run}"), format!("/v1/runs/{run}/history")] {
            // Whatever is wrong with the run, the others are told of as well.
            let answer = troubled.host.try_get(&path).await;
            let _ = match answer {
                Some(answer) => writeln!(text, "  {path}: {} {}", answer.status, answer.text()),
                None => writeln!(text, "  {path}: no answer"),
            };
        }
    }
    text
}

/// All runs as they are in the end.
async fn look(
    troubled: &Troubled,
    orders: Vec<Known>,
    before: &mut HashMap<String, Vec<Vec<Value>>>,
) -> Vec<Found> {
    let mut found = Vec::new();
    for known in orders {
        let run = known
            .run
            .as_deref()
            .expect("its customer has waited for its end");
        let view = troubled.host.run(run).await;
        let history = troubled.host.history(run).await;
        found.push(Found {
            before: before.remove(run).unwrap_or_default(),
            run: view,
            history,
            known,
        });
    }
    found
}
