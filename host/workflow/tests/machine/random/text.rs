//! Documents as text.

use serde_json::{Map, Value, json};

use super::document::{Document, Extension, Kind, Task, Then, Undo};

/// What a fork makes of its output: it tells that it is its own, and not one that `then: end` has brought.
const JOINED: &str = "${ { n: 1, of: $task.reference, outputs: . } }";

/// The type of the events that tasks listen for.
pub(crate) const EVENT: &str = "org.example.happened";

/// The `do` and the `use` of a document, as YAML.
pub(crate) fn text(document: &Document) -> String {
    let functions = document.functions.iter().enumerate();
    let functions: Map<String, Value> = functions
        .map(|(index, body)| (function(index), task_value(body, 0, 1)))
        .collect();
    let extensions = document.extensions.iter().enumerate();
    let extensions: Vec<Value> = extensions
        .map(|(index, it)| json!({ format!("e{index}"): extension(it) }))
        .collect();
    let reusable = json!({ "functions": functions, "extensions": extensions });
    format!("use: {reusable}\ndo: {}\n", list(&document.tasks))
}

fn extension(extension: &Extension) -> Value {
    let mut value = json!({
        "extend": extension.extend,
        "before": list(&extension.before),
        "after": list(&extension.after),
    });
    if let Some(when) = extension.when {
        value["when"] = json!(format!("${{ {when} }}"));
    }
    value
}

fn function(index: usize) -> String {
    format!("f{index}")
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
        Kind::Function { which, with: true } => {
            json!({ "call": function(*which), "with": { "n": "${ .n? // 0 }" } })
        }
        Kind::Function { which, with: false } => json!({ "call": function(*which) }),
        Kind::Run { awaited } => {
            let workflow = json!({ "namespace": "test", "name": "other", "version": "1.0.0" });
            json!({ "run": { "await": awaited, "workflow": workflow } })
        }
        Kind::Emit => {
            json!({ "emit": { "event": { "with": { "type": "org.example.told", "data": "${ . }" } } } })
        }
        Kind::Listen => json!({ "listen": { "to": { "one": { "with": { "type": EVENT } } } } }),
        Kind::Approval => {
            // An extension that leaves the task before its work puts anything in place of the decision.
            let kept = "${ { n: 1, decision: (.decision? // null) } }";
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
