//! What must hold, whatever has happened to the host. Data in, violations out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::customer::Known;
use crate::order::Kind;
use crate::service::{Calls, Seen};

/// A run as it was found at the end, with what had been seen of its history in between.
#[derive(Clone, Debug)]
pub struct Found {
    /// What its customer knows.
    pub known: Known,
    /// The run.
    pub run: Value,
    /// Its history.
    pub history: Vec<Value>,
    /// Its history as it was after each restart while it was open.
    pub before: Vec<Vec<Value>>,
}

/// All violations, each a line that says what is wrong with which run.
pub fn check(found: &[Found], calls: &Calls) -> Vec<String> {
    let mut wrong = Vec::new();
    for found in found {
        let mut told = Vec::new();
        ends_as_it_must(found, &mut told);
        nothing_is_taken_back(found, &mut told);
        nothing_happens_twice(&found.history, &mut told);
        no_recorded_call_is_made_again(found, calls, &mut told);
        let order = &found.known.order;
        let run = found.known.run.as_deref().unwrap_or("none");
        wrong.extend(told.into_iter().map(|told| {
            let kind = order.kind.name();
            format!("order {} ({kind}, run {run}): {told}", order.number)
        }));
    }
    each_call_has_a_key_of_its_own(calls, &mut wrong);
    wrong
}

/// Every accepted run ends, and comes to what it would have without any trouble.
fn ends_as_it_must(found: &Found, wrong: &mut Vec<String>) {
    let order = &found.known.order;
    let output = order.kind.output(order.n);
    if found.run["status"] != "completed" || found.run["output"] != output {
        let (status, is) = (&found.run["status"], &found.run["output"]);
        wrong.push(format!(
            "it should have completed with {output}, and is {status} with {is}; its error: {}",
            found.run["error"]
        ));
    }
}

/// What a client was told, and what a history has shown, stays.
fn nothing_is_taken_back(found: &Found, wrong: &mut Vec<String>) {
    for before in &found.before {
        if !found.history.starts_with(before) {
            let differs = before
                .iter()
                .zip(&found.history)
                .find(|(before, now)| before != now);
            wrong.push(format!(
                "its history had {} lines after a restart, which are not the first of its {} now; the first that differs: {differs:?}",
                before.len(),
                found.history.len()
            ));
        }
    }
    if let Some(ended) = &found.known.ended
        && (&ended["status"], &ended["output"], &ended["endedAt"])
            != (
                &found.run["status"],
                &found.run["output"],
                &found.run["endedAt"],
            )
    {
        wrong.push(format!(
            "its customer was told {ended}, and now it is {}",
            found.run
        ));
    }
}

/// Lines are numbered without gaps, and no visit of a task begins or ends twice in the same attempt.
fn nothing_happens_twice(history: &[Value], wrong: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for (item, number) in history.iter().zip(1_u64..) {
        if item["seq"] != number {
            wrong.push(format!("line {number} is numbered otherwise: {item}"));
        }
        let kind = item["type"].as_str().unwrap_or_default();
        let ends = ["task.completed", "task.faulted", "task.cancelled"];
        let phase = if ends.contains(&kind) { "ended" } else { kind };
        if item["task"].is_string() {
            let line = format!(
                "{phase} {} {} {}",
                item["task"], item["visit"], item["attempt"]
            );
            if !seen.insert(line) {
                wrong.push(format!("twice: {item}"));
            }
        }
    }
}

/// The service has seen every call that is recorded as answered, and none of them after that.
fn no_recorded_call_is_made_again(found: &Found, calls: &Calls, wrong: &mut Vec<String>) {
    let order = &found.known.order;
    for (step, recorded) in recorded(&found.history) {
        // The items of a loop share a task: all of them are recorded when the loop is.
        if order.kind == Kind::Loop && step == "one" {
            continue;
        }
        let of_loop =
            |name: &str| order.kind == Kind::Loop && step == "all" && name.starts_with("one-");
        let own: Vec<&Seen> = calls
            .range((order.number, String::new())..(order.number + 1, String::new()))
            .filter(|((_, name), _)| *name == step || of_loop(name))
            .flat_map(|(_, seen)| seen)
            .collect();
        if own.is_empty() && is_of_the_service(&step) {
            wrong.push(format!("{step} is recorded, and the service never saw it"));
        }
        if let Some(late) = own
            .iter()
            .find(|seen| seen.at.duration_since(recorded).as_millis() > 1)
        {
            wrong.push(format!(
                "{step} was recorded at {recorded}, and was made again at {}",
                late.at
            ));
        }
    }
}

/// The same call has the same key each time, and no other call has it.
fn each_call_has_a_key_of_its_own(calls: &Calls, wrong: &mut Vec<String>) {
    let mut owners = BTreeMap::new();
    for (call, seen) in calls {
        let keys: BTreeSet<_> = seen.iter().map(|seen| &seen.key).collect();
        if keys.len() != 1 || keys.contains(&String::new()) {
            wrong.push(format!("{call:?} was made under the keys {keys:?}"));
        }
        for key in keys {
            if let Some(other) = owners.insert(key, call) {
                wrong.push(format!("{call:?} and {other:?} have the key {key}"));
            }
        }
    }
}

/// When each task was recorded as completed, by the last part of its pointer.
fn recorded(history: &[Value]) -> Vec<(String, Timestamp)> {
    let completed = history
        .iter()
        .filter(|item| item["type"] == "task.completed");
    completed
        .filter_map(|item| {
            let (_, step) = item["task"].as_str()?.rsplit_once('/')?;
            let at = item["at"].as_str()?.parse().ok()?;
            Some((step.to_owned(), at))
        })
        .collect()
}

/// Whether a task calls the service, by its name.
fn is_of_the_service(step: &str) -> bool {
    let others = [
        "all", "left", "middle", "right", "careful", "pause", "hear", "ask", "told", "first",
        "last", "other",
    ];
    !others.contains(&step)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::order::Order;

    fn at(second: u32) -> Timestamp {
        format!("2026-11-28T04:00:{second:02}Z")
            .parse()
            .expect("a time")
    }

    /// A run that went as it must: one of two calls around a pause.
    fn good() -> (Found, Calls) {
        let line = |seq: u64, kind: &str, task: &str, second| json!({"seq": seq, "at": at(second).to_string(), "type": kind, "task": task, "visit": 1, "attempt": 1});
        let history = vec![
            line(1, "task.started", "/do/0/before", 1),
            line(2, "task.completed", "/do/0/before", 2),
            line(3, "task.started", "/do/2/after", 3),
            line(4, "task.completed", "/do/2/after", 4),
        ];
        let run = json!({"status": "completed", "output": {"n": 9}, "endedAt": at(4).to_string()});
        let order = Order {
            number: 1,
            kind: Kind::Wait,
            n: 7,
            ballast: 0,
        };
        let seen = |key: &str, second| Seen {
            at: at(second),
            key: key.to_owned(),
        };
        let calls = Calls::from([
            ((1, "before".to_owned()), vec![seen("k1", 1), seen("k1", 2)]),
            ((1, "after".to_owned()), vec![seen("k2", 3)]),
        ]);
        let found = Found {
            known: Known {
                order,
                run: Some("r".to_owned()),
                ended: Some(run.clone()),
            },
            run,
            before: vec![history[..2].to_vec()],
            history,
        };
        (found, calls)
    }

    /// What is said when something has been changed about a good run.
    fn said(change: impl FnOnce(&mut Found, &mut Calls)) -> String {
        let (mut found, mut calls) = good();
        change(&mut found, &mut calls);
        check(&[found], &calls).join("\n")
    }

    #[test]
    fn a_good_run_breaks_no_law() {
        assert_eq!(said(|_, _| ()), "");
    }

    #[test]
    fn each_law_can_be_broken() {
        let calls_of = |calls: &mut Calls, step: &str, second, key: &str| {
            let seen = Seen {
                at: at(second),
                key: key.to_owned(),
            };
            let all = calls.entry((1, step.to_owned())).or_default();
            all.push(seen);
        };
        assert!(said(|it, _| it.run["output"] = json!(1)).contains("should have completed"));
        assert!(said(|it, _| it.run["endedAt"] = json!("later")).contains("was told"));
        assert!(said(|it, _| it.before[0][1]["visit"] = json!(2)).contains("after a restart"));
        assert!(said(|it, _| it.history[3]["seq"] = json!(5)).contains("numbered otherwise"));
        let twice = said(|it, _| it.history[2]["task"] = json!("/do/0/before"));
        assert!(twice.contains("twice"), "{twice}");
        let again = said(|_, calls| calls_of(calls, "before", 3, "k1"));
        assert!(again.contains("made again"), "{again}");
        let never = said(|_, calls| drop(calls.remove(&(1, "after".to_owned()))));
        assert!(never.contains("never saw"), "{never}");
        let keys = said(|_, calls| calls_of(calls, "before", 1, "k9"));
        assert!(keys.contains("under the keys"), "{keys}");
        let shared = said(|_, calls| calls_of(calls, "other", 1, "k1"));
        assert!(shared.contains("have the key"), "{shared}");
    }
}
