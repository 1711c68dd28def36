//! Documents, by chance. Each is right: names are given out in order, and `then` leads forward, so that
//! every run ends.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The kinds of task that occur.
pub(crate) const KINDS: [&str; 13] = [
    "approval", "call", "do", "emit", "for", "fork", "listen", "raise", "run", "set", "switch",
    "try", "wait",
];

/// What a fork makes of its output: it tells that it is its own, and not one that `then: end` has brought.
const JOINED: &str = "${ { n: 1, of: $task.reference, outputs: . } }";

/// The type of the events that tasks listen for.
pub(crate) const EVENT: &str = "org.example.happened";

/// A task, without its name, which its place gives it.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) kind: Kind,
    /// `if`, as a constant.
    pub(crate) condition: Option<bool>,
    pub(crate) then: Then,
    /// `timeout`, in seconds.
    pub(crate) timeout: Option<u8>,
    /// Whether it exports that it has run.
    pub(crate) exports: bool,
    /// What undoes it.
    pub(crate) undo: Option<Undo>,
}

/// What undoes a task.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Undo {
    Call,
    Wait,
    Raise,
}

/// What a task does.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Call,
    /// Another workflow, whose end is awaited or not.
    Run {
        awaited: bool,
    },
    Emit,
    /// For one event.
    Listen,
    /// A person is asked.
    Approval,
    Set,
    /// So many seconds.
    Wait(u8),
    Raise,
    /// For so many messages, on each of which there are tasks.
    Subscribe {
        amount: u8,
        tasks: Vec<Task>,
    },
    Do(Vec<Task>),
    /// So many items, until which index it goes on, and how many at a time.
    For {
        items: u8,
        until: Option<u8>,
        abreast: Option<u8>,
        tasks: Vec<Task>,
    },
    /// Each branch needs those before it whose bit is set in its number, unless they compete.
    Fork {
        compete: bool,
        branches: Vec<Task>,
        needs: Vec<u8>,
    },
    Try {
        tasks: Vec<Task>,
        retries: Option<u8>,
        handler: Option<Vec<Task>>,
    },
    /// Which case holds, and where each leads.
    Switch {
        holds: u8,
        cases: Vec<Then>,
    },
}

/// Where a task leads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    /// Nothing is said.
    Next,
    Exit,
    End,
    /// So many tasks further on in the list; `continue` where there are none.
    Skip(u8),
}

/// The top list of a document in which everything may happen.
pub(crate) fn tasks() -> impl Strategy<Value = Vec<Task>> {
    prop::collection::vec(task(false), 1..5)
}

/// The top list of a document whose outcome does not depend on what comes first: no races, no errors, no
/// time limits, and no end but the last task's.
pub(crate) fn calm_tasks() -> impl Strategy<Value = Vec<Task>> {
    prop::collection::vec(task(true), 1..5)
}

fn task(calm: bool) -> impl Strategy<Value = Task> {
    let leaf = prop_oneof![
        4 => Just(Kind::Call),
        1 => any::<bool>().prop_map(|awaited| Kind::Run { awaited }),
        1 => Just(Kind::Emit),
        1 => Just(Kind::Listen),
        1 => Just(Kind::Approval),
        2 => Just(Kind::Set),
        2 => (1..9u8).prop_map(Kind::Wait),
        1 => Just(if calm { Kind::Set } else { Kind::Raise }),
    ];
    let leaf = with_frame(leaf.boxed(), calm);
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..4);
        let kind = prop_oneof![
            list().prop_map(Kind::Do),
            (1..4u8, list()).prop_map(|(amount, tasks)| Kind::Subscribe { amount, tasks }),
            (
                0..4u8,
                prop::option::of(0..3u8),
                prop::option::of(1..4u8),
                list()
            )
                .prop_map(|(items, until, abreast, tasks)| Kind::For {
                    items,
                    until,
                    abreast,
                    tasks,
                }),
            (
                any::<bool>(),
                prop::collection::vec((inner.clone(), 0..8u8), 1..4)
            )
                .prop_map(move |(compete, branches)| {
                    let (branches, needs): (Vec<_>, _) = branches.into_iter().unzip();
                    Kind::Fork {
                        compete: compete && !calm,
                        branches: branches.into_iter().map(closed).collect(),
                        needs,
                    }
                }),
            (list(), prop::option::of(0..3u8), prop::option::of(list())).prop_map(
                |(tasks, retries, handler)| Kind::Try {
                    tasks,
                    retries,
                    handler
                }
            ),
            (0..3u8, prop::collection::vec(then(calm), 1..3))
                .prop_map(|(holds, cases)| Kind::Switch { holds, cases }),
        ];
        with_frame(kind.boxed(), calm)
    })
}

/// What every task has, around what it does.
fn with_frame(kind: BoxedStrategy<Kind>, calm: bool) -> BoxedStrategy<Task> {
    let rarely = |of: u32| prop::bool::weighted(1.0 / f64::from(of));
    let condition = prop_oneof![8 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))];
    let timeout = prop_oneof![9 => Just(None), 1 => (1..20u8).prop_map(Some)];
    let undo = prop_oneof![
        6 => Just(None),
        1 => Just(Some(Undo::Call)),
        1 => Just(Some(Undo::Wait)),
        1 => Just(Some(Undo::Raise)),
    ];
    let frame = (kind, condition, then(calm), timeout, rarely(4), undo);
    frame
        .prop_map(
            move |(kind, condition, then, timeout, exports, undo)| Task {
                kind,
                condition,
                then,
                timeout: timeout.filter(|_| !calm),
                exports,
                undo,
            },
        )
        .boxed()
}

fn then(calm: bool) -> impl Strategy<Value = Then> {
    prop_oneof![
        12 => Just(Then::Next),
        1 => Just(Then::Exit),
        1 => Just(if calm { Then::Next } else { Then::End }),
        2 => (0..3u8).prop_map(Then::Skip),
    ]
}

/// A branch: nothing stands behind it that it could lead to.
fn closed(mut branch: Task) -> Task {
    if matches!(branch.then, Then::Skip(_)) {
        branch.then = Then::Next;
    }
    if let Kind::Switch { cases, .. } = &mut branch.kind {
        for case in cases
            .iter_mut()
            .filter(|case| matches!(case, Then::Skip(_)))
        {
            *case = Then::Next;
        }
    }
    branch
}

/// The `do` of the document, as YAML.
pub(crate) fn text(tasks: &[Task]) -> String {
    format!("do: {}\n", list(tasks))
}

/// The task that a pointer leads to.
pub(crate) fn find<'t>(tasks: &'t [Task], pointer: &str) -> Option<&'t Task> {
    let mut parts = pointer.split('/').skip(2);
    let mut task = tasks.get(parts.next()?.parse::<usize>().ok()?)?;
    while let Some(key) = parts.nth(1) {
        let list = match (&task.kind, key) {
            // Undo steps are inside no task.
            (_, "compensate") => return None,
            (Kind::Try { handler, .. }, "catch") => {
                parts.next();
                handler.as_deref()?
            }
            (Kind::Fork { branches, .. }, _) => {
                parts.next();
                branches
            }
            // `with/subscription/foreach/do`.
            (Kind::Subscribe { tasks, .. }, _) => {
                parts.nth(2);
                tasks
            }
            (kind, _) => *lists(kind).first()?,
        };
        task = list.get(parts.next()?.parse::<usize>().ok()?)?;
    }
    Some(task)
}

/// Adds up how often each kind occurs.
pub(crate) fn count(tasks: &[Task], kinds: &mut BTreeMap<&str, usize>) {
    for task in tasks {
        *kinds.entry(key(&task.kind)).or_default() += 1;
        for list in lists(&task.kind) {
            count(list, kinds);
        }
    }
}

/// The lists of tasks inside.
fn lists(kind: &Kind) -> Vec<&[Task]> {
    match kind {
        Kind::Do(tasks) | Kind::For { tasks, .. } | Kind::Subscribe { tasks, .. } => vec![tasks],
        Kind::Fork { branches, .. } => vec![branches],
        Kind::Try { tasks, handler, .. } => std::iter::once(&tasks[..])
            .chain(handler.as_deref())
            .collect(),
        _ => Vec::new(),
    }
}

fn key(kind: &Kind) -> &'static str {
    match kind {
        Kind::Call => "call",
        Kind::Run { .. } => "run",
        Kind::Emit => "emit",
        Kind::Listen => "listen",
        Kind::Approval => "approval",
        Kind::Set => "set",
        Kind::Wait(_) => "wait",
        Kind::Raise => "raise",
        Kind::Subscribe { .. } => "subscribe",
        Kind::Do(_) => "do",
        Kind::For { .. } => "for",
        Kind::Fork { .. } => "fork",
        Kind::Try { .. } => "try",
        Kind::Switch { .. } => "switch",
    }
}

fn name(index: usize) -> String {
    format!("t{index}")
}

fn list(tasks: &[Task]) -> Value {
    let item = |(index, one): (usize, &Task)| {
        let mut item = Map::new();
        item.insert(name(index), task_value(one, index, tasks.len()));
        Value::Object(item)
    };
    tasks.iter().enumerate().map(item).collect()
}

fn task_value(task: &Task, index: usize, of: usize) -> Value {
    let mut value = work(&task.kind, index, of);
    let members = value.as_object_mut().expect("a task is an object");
    if let Some(condition) = task.condition {
        members.insert("if".to_owned(), json!(format!("${{ {condition} }}")));
    }
    if let Some(seconds) = task.timeout {
        members.insert(
            "timeout".to_owned(),
            json!({ "after": { "seconds": seconds } }),
        );
    }
    if task.exports {
        members.insert(
            "export".to_owned(),
            json!({ "as": format!("${{ ($context // {{}}) + {{ {}: $task.reference }} }}", name(index)) }),
        );
    }
    if let Some(undo) = task.undo {
        members.insert(
            "compensate".to_owned(),
            json!([{ "undo": undo_value(undo) }]),
        );
    }
    if let Some(directive) = directive(task.then, index, of) {
        members.insert("then".to_owned(), json!(directive));
    }
    value
}

fn undo_value(undo: Undo) -> Value {
    match undo {
        Undo::Call => json!({ "call": "f@any" }),
        Undo::Wait => json!({ "wait": { "seconds": 1 } }),
        Undo::Raise => work(&Kind::Raise, 0, 1),
    }
}

fn directive(then: Then, index: usize, of: usize) -> Option<String> {
    match then {
        Then::Next => None,
        Then::Exit => Some("exit".to_owned()),
        Then::End => Some("end".to_owned()),
        Then::Skip(by) => {
            let to = index + 1 + usize::from(by);
            Some(if to < of {
                name(to)
            } else {
                "continue".to_owned()
            })
        }
    }
}

fn work(kind: &Kind, index: usize, of: usize) -> Value {
    match kind {
        Kind::Call => json!({ "call": "f@any", "with": { "a": "${ .n? // 0 }" } }),
        Kind::Run { awaited } => {
            let workflow = json!({ "namespace": "test", "name": "other", "version": "1.0.0" });
            json!({ "run": { "await": awaited, "workflow": workflow } })
        }
        Kind::Emit => {
            json!({ "emit": { "event": { "with": { "type": "org.example.told", "data": "${ . }" } } } })
        }
        Kind::Listen => json!({ "listen": { "to": { "one": { "with": { "type": EVENT } } } } }),
        Kind::Approval => {
            let kept = "${ { n: 1, decision: .decision } }";
            json!({ "call": "approval", "with": { "title": "Really?" }, "output": { "as": kept } })
        }
        Kind::Set => json!({ "set": { "n": "${ (.n? // 0) + 1 }" } }),
        Kind::Wait(seconds) => json!({ "wait": { "seconds": seconds } }),
        Kind::Raise => {
            json!({ "raise": { "error": { "type": "https://example.org/raised", "status": 500 } } })
        }
        Kind::Subscribe { amount, tasks } => {
            let foreach = json!({ "do": list(tasks) });
            let subscription = json!({ "consume": { "amount": amount }, "foreach": foreach });
            let with = json!({
                "document": { "endpoint": "https://example.org/api" },
                "operation": "hear",
                "subscription": subscription,
            });
            json!({ "call": "asyncapi", "with": with, "output": { "as": "${ { n: length } }" } })
        }
        Kind::Do(tasks) => json!({ "do": list(tasks) }),
        Kind::For {
            items,
            until,
            abreast,
            tasks,
        } => {
            let items: Vec<u8> = (0..*items).collect();
            let mut value =
                json!({ "for": { "in": format!("${{ {} }}", json!(items)) }, "do": list(tasks) });
            if let Some(abreast) = abreast {
                value["for"]["concurrency"] = json!(abreast);
            }
            if let Some(until) = until {
                value["while"] = json!(format!("${{ $index < {until} }}"));
            }
            value
        }
        Kind::Fork {
            compete,
            branches,
            needs,
        } => {
            let mut list = list(branches);
            for (index, needs) in needs.iter().enumerate().filter(|_| !compete) {
                let needed = (0..index).filter(|other| needs & (1 << other) != 0);
                let needed: Vec<String> = needed.map(name).collect();
                list[index][name(index)]["needs"] = json!(needed);
            }
            json!({ "fork": { "compete": compete, "branches": list }, "output": { "as": JOINED } })
        }
        Kind::Try {
            tasks,
            retries,
            handler,
        } => {
            let mut catch = json!({});
            if let Some(count) = retries {
                catch["retry"] = json!({
                    "delay": { "seconds": 1 },
                    "backoff": { "exponential": {} },
                    "jitter": { "from": { "seconds": 0 }, "to": { "seconds": 2 } },
                    "limit": { "attempt": { "count": count } },
                });
            }
            if let Some(handler) = handler {
                catch["do"] = list(handler);
            }
            json!({ "try": list(tasks), "catch": catch })
        }
        Kind::Switch { holds, cases } => {
            let case = |(number, then): (usize, &Then)| {
                let leads = directive(*then, index, of).unwrap_or_else(|| "continue".to_owned());
                let when = format!("${{ {} }}", number == usize::from(*holds));
                json!({ format!("c{number}"): { "when": when, "then": leads } })
            };
            json!({ "switch": cases.iter().enumerate().map(case).collect::<Value>() })
        }
    }
}
