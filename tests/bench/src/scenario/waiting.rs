//! Runs that wait, a third each for a time, for an event and for a person: what memory they take, and how many a second
//! are woken.

use std::time::Duration;

use baton_tests::Host;
use serde_json::{Value, json};

use super::crowd::{self, Crowd};
use crate::figures::{add, per_second};
use crate::host::Many;
use crate::settings::Settings;
use crate::usage::Usage;

/// How many runs one tenant has: below the bound of open runs.
const PER_TENANT: usize = 60_000;

pub(super) async fn measure(settings: &Settings) -> Value {
    let count = settings.runs(1_000_000, 600);
    let tenants = count.div_ceil(PER_TENANT);
    let many = Many::start(tenants, &crowd::documents(), &[]).await;
    let before = Usage::of(&many.host);
    let idle = many.host.process().memory();
    let patience = settings.pause(60, 3);
    let crowd = Crowd::gather(&many.tenants, count, patience).await;
    // The host is left alone for a while before its memory counts.
    tokio::time::sleep(patience / 6).await;
    let mut figures = json!({
        "memory_bytes": many.host.process().memory(),
        "idle_memory_bytes": idle,
        "fill_runs_per_second": per_second(count, crowd.took),
        "settings": { "runs": count, "tenants": tenants },
    });
    add(&mut figures, before.since(&many.host, count, 1));

    let woken = [
        ("timers", crowd.elapse(&many.tenants).await),
        ("events", crowd.tell(&many.tenants).await),
        ("approvals", crowd.decide(&many.tenants).await),
    ];
    let mut all = (0, Duration::ZERO);
    for (kind, (woken, took)) in woken {
        figures[format!("{kind}_woken_per_second")] = per_second(woken, took).into();
        all = (all.0 + woken, all.1 + took);
    }
    figures["woken_per_second"] = per_second(all.0, all.1).into();
    figures["peak_memory_woken_bytes"] = many.host.process().peak_memory().into();
    figures["cpu_seconds"] = used(&many.host, &before);
    figures
}

fn used(host: &Host, before: &Usage) -> Value {
    before.since(host, 1, 1)["cpu_seconds"].clone()
}
