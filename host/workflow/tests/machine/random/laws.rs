//! What must hold of every run.

use std::collections::{BTreeMap, BTreeSet};

use baton_workflow::Command;
use baton_workflow::machine::{Ending, Note, NoteKind, TaskKey};

use serde_json::Value;

use super::document::{Document, Kind, Task};
use super::text::text;
use super::world::World;

/// Checks a run that has ended.
///
/// # Panics
///
/// Where a law is broken, with the document.
pub(crate) fn check(document: &Document, world: &World) {
    let commands = &world.run.commands;
    let notes: Vec<&Note> = commands
        .iter()
        .filter_map(|command| match command {
            Command::Note(note) => Some(note),
            _ => None,
        })
        .collect();
    let text = text(document);
    let said = |law: &str, note: &Note| format!("{law}: {note:?}\n{text}");

    numbered(&notes);
    ends_once(commands, &notes);
    let mut open = BTreeSet::new();
    let mut ended = BTreeSet::new();
    let mut undone = BTreeSet::new();
    let mut outputs: Outputs<'_> = BTreeMap::new();
    for note in &notes {
        let Some(task) = &note.task else { continue };
        let visit = (task.clone(), note.attempt.unwrap_or(1));
        match note.kind {
            NoteKind::TaskStarted => {
                assert!(
                    !ended.contains(&visit),
                    "{}",
                    said("started after its end", note)
                );
                assert!(open.insert(visit), "{}", said("started twice", note));
                within(task, &open, || said("nothing around it is under way", note));
                alone(document, task, &open, || {
                    said("its list is not done with another", note)
                });
            }
            NoteKind::TaskCompleted | NoteKind::TaskFaulted | NoteKind::TaskCancelled => {
                let began = open.remove(&visit);
                // A task whose condition could not be evaluated has failed before it began.
                assert!(
                    began || note.kind != NoteKind::TaskCompleted,
                    "{}",
                    said("completed without a start", note)
                );
                assert!(ended.insert(visit), "{}", said("ended twice", note));
                if let Some(output) = &note.detail.output {
                    joined(document, task, output, &outputs, || {
                        said("a wrong join", note)
                    });
                    let of_task = outputs.entry(&*task.pointer).or_default();
                    of_task.push(Some(&**output));
                }
            }
            NoteKind::TaskCompensationCompleted => {
                let done = ended.iter().any(|(other, _)| other == task);
                assert!(done, "{}", said("undone before it was done", note));
                assert!(
                    undone.insert(task.clone()),
                    "{}",
                    said("undone twice", note)
                );
            }
            NoteKind::TaskSkipped => outputs.entry(&*task.pointer).or_default().push(None),
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?} never ended\n{text}");
    extended(document, &notes, &text);
}

/// What extends a task is performed before it as often as the task completes, and after it as often as something follows
/// on that: nothing does on what has come to its end in a suspended run that is cancelled.
fn extended(document: &Document, notes: &[&Note], text: &str) {
    if document.replaces_outputs() {
        return;
    }
    let mut come_to = BTreeMap::<&str, usize>::new();
    let mut completed = BTreeMap::<&str, usize>::new();
    let mut followed = BTreeMap::<&str, usize>::new();
    let mut is_suspended = false;
    for note in notes {
        let Some(task) = &note.task else {
            is_suspended = match note.kind {
                NoteKind::WorkflowSuspended => true,
                NoteKind::WorkflowResumed => false,
                _ => is_suspended,
            };
            continue;
        };
        let count = |times: &mut BTreeMap<_, _>| *times.entry(&*task.pointer).or_default() += 1;
        match note.kind {
            NoteKind::TaskStarted | NoteKind::TaskSkipped => count(&mut come_to),
            NoteKind::TaskCompleted => {
                count(&mut completed);
                if !is_suspended {
                    count(&mut followed);
                }
            }
            _ => {}
        }
    }
    for (pointer, count) in completed {
        for index in document.around(pointer) {
            let extension = &document.extensions[index];
            let performed = |stage: &str, tasks: &[Task], count: usize| {
                let first = format!("{pointer}/use/extensions/{index}/e{index}/{stage}/0/t0");
                let times = come_to.get(&*first).copied().unwrap_or_default();
                tasks.is_empty() || times >= count
            };
            let before = performed("before", &extension.before, count);
            assert!(before, "nothing before {pointer}\n{text}");
            // What ends the run ends the tasks around it at once.
            let count = followed.get(pointer).copied().unwrap_or_default();
            let after = document.may_end() || performed("after", &extension.after, count);
            assert!(after, "nothing after {pointer}\n{text}");
        }
    }
}

/// The lines of the history are numbered without gaps, and time does not go back.
fn numbered(notes: &[&Note]) {
    for (number, note) in (1..).zip(notes) {
        assert_eq!(note.seq, number);
    }
    assert!(notes.windows(2).all(|pair| pair[0].at <= pair[1].at));
}

/// A run ends once, as its last line says, and asks for nothing after that.
fn ends_once(commands: &[Command], notes: &[&Note]) {
    let Some(Command::End(ending)) = commands.last() else {
        panic!("the end is not the last command: {:?}", commands.last());
    };
    let last = match ending {
        Ending::Completed(_) => NoteKind::WorkflowCompleted,
        Ending::Faulted(_) => NoteKind::WorkflowFaulted,
        Ending::Cancelled => NoteKind::WorkflowCancelled,
    };
    assert_eq!(notes.last().map(|note| note.kind), Some(last));
    let ends = commands
        .iter()
        .filter(|command| matches!(command, Command::End(_)));
    assert_eq!(ends.count(), 1);
}

type Open = BTreeSet<(TaskKey, u32)>;

/// What has come of each task, visit by visit: its output, or nothing where it was skipped.
type Outputs<'a> = BTreeMap<&'a str, Vec<Option<&'a Value>>>;

/// The task that a task stands in is under way while it is.
fn within(task: &TaskKey, open: &Open, said: impl Fn() -> String) {
    if undoes(task) {
        return;
    }
    let Some(around) = around(&task.pointer) else {
        return;
    };
    let found = open.iter().any(|(other, _)| *other.pointer == *around);
    assert!(found, "{}", said());
}

/// In a list that is performed in order, one task is under way at a time for each visit of what is around
/// the list: for each iteration, where those of a loop run abreast.
fn alone(document: &Document, task: &TaskKey, open: &Open, said: impl Fn() -> String) {
    let list = list_of(&task.pointer);
    if list.ends_with("/fork/branches") || undoes(task) {
        return;
    }
    let siblings = open
        .iter()
        .filter(|(other, _)| list_of(&other.pointer) == list)
        .count();
    let lists = match around(&task.pointer) {
        None => 1,
        Some(around) => {
            let abreast = match document.find(&around).map(|task| &task.kind) {
                Some(Kind::For { abreast, .. }) => usize::from(abreast.unwrap_or(1)),
                _ => 1,
            };
            let visits = open.iter().filter(|(other, _)| *other.pointer == *around);
            visits.count() * abreast
        }
    };
    assert!(siblings <= lists, "{}", said());
}

/// Whether a task is one that undoes another, which has been left by then.
fn undoes(task: &TaskKey) -> bool {
    task.pointer.contains("/compensate/")
}

/// The output of a fork is that of its branches in the order of their declaration, or of the one that won: what
/// came of them last or, where iterations run abreast, in one of them.
fn joined(
    document: &Document,
    task: &TaskKey,
    output: &Value,
    outputs: &Outputs<'_>,
    said: impl Fn() -> String,
) {
    let Some(Kind::Fork {
        compete, branches, ..
    }) = document.find(&task.pointer).map(|task| &task.kind)
    else {
        return;
    };
    // What `then: end` brought is the output of another task; within an extension, a fork names the extended task.
    if output["of"] != *task.pointer || document.replaces_outputs() {
        return;
    }
    let looked_at = match runs_abreast(document, &task.pointer) {
        true => usize::MAX,
        false => 1,
    };
    let fits = |index: usize, output: &Value| {
        let pointer = format!("{}/fork/branches/{index}/t{index}", task.pointer);
        let of_branch = outputs.get(&*pointer).into_iter().flatten();
        let mut last = of_branch.rev().take(looked_at);
        last.any(|branch| branch.is_none_or(|branch| branch == output))
    };
    let right = match (compete, &output["outputs"]) {
        (true, winner) => (0..branches.len()).any(|index| fits(index, winner)),
        (false, Value::Array(all)) => {
            all.len() == branches.len()
                && all
                    .iter()
                    .enumerate()
                    .all(|(index, output)| fits(index, output))
        }
        _ => false,
    };
    assert!(right, "{}", said());
}

/// Whether a task may be under way several times at once, since a loop around it runs iterations abreast.
fn runs_abreast(document: &Document, pointer: &str) -> bool {
    let mut all_around = std::iter::successors(around(pointer), |it| around(it));
    all_around.any(|pointer| {
        let task = document.find(&pointer);
        matches!(
            task.map(|task| &task.kind),
            Some(Kind::For {
                abreast: Some(2..),
                ..
            })
        )
    })
}

/// The list that a task stands in: `/do/1/a/try` for `/do/1/a/try/0/b`. The task of a function stands by itself, as
/// `/do/1/a` does for `/do/1/a/call`.
fn list_of(pointer: &str) -> &str {
    if let Some(call) = pointer.strip_suffix("/call") {
        return call;
    }
    let name = pointer.rfind('/').expect("a pointer");
    let index = pointer[..name].rfind('/').expect("a pointer to a task");
    &pointer[..index]
}

/// The task around a task: `/do/1/a` for `/do/1/a/catch/do/0/b`.
fn around(pointer: &str) -> Option<String> {
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    let mut end = 0;
    let mut at = 0;
    while at < parts.len() {
        // Lists are under `do`, `try`, `catch/do`, `fork/branches`, `with/subscription/foreach/do` and
        // `use/extensions/0/e0/before`; behind each stand an index and a name. A function's task has neither.
        at += match parts[at] {
            "call" => 1,
            "fork" | "catch" => 4,
            "with" => 6,
            "use" => 7,
            _ => 3,
        };
        if at < parts.len() {
            end = at;
        }
    }
    (end > 0).then(|| format!("/{}", parts[..end].join("/")))
}
