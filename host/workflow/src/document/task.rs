//! Tasks and lists of them (dsl-reference, "Task").

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::read::{Field, Object, Read, Reader, Scope, nearest};
use super::{
    Call, Do, Emit, Export, Flow, For, Foreach, Fork, Input, Listen, Located, Location, Output,
    Raise, Reusable, Run, Set, Switch, Timeout, Try, Wait,
};
use crate::diagnostic::{Span, code};
use crate::yaml::Data;

/// A list of named tasks.
#[derive(Debug, Clone)]
pub struct TaskList {
    /// The tasks, in order. No name stands twice.
    pub tasks: Vec<Task>,
    /// Where the list is.
    pub location: Location,
}

/// A task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its name, at the place of the key that gives it.
    pub name: Located<String>,
    /// Where it is. The pointer is its reference: `/do/0/hello`.
    pub location: Location,
    /// `if`: the condition under which it is performed, an expression.
    pub condition: Option<Located<String>>,
    /// `input`: what it takes.
    pub input: Option<Input>,
    /// `output`: what it gives.
    pub output: Option<Output>,
    /// `export`: what it makes of the context.
    pub export: Option<Export>,
    /// `timeout`: how long it may take.
    pub timeout: Option<Reusable<Timeout>>,
    /// `then`: where the flow goes on. Default: to the next task.
    pub then: Option<Located<Flow>>,
    /// `metadata`: anything else.
    pub metadata: Option<Located<Map<String, Value>>>,
    /// `compensate`: what undoes it. An addition of this host.
    pub compensate: Option<TaskList>,
    /// What it does.
    pub kind: TaskKind,
}

/// What a task does: one for each key that says so.
#[expect(
    clippy::large_enum_variant,
    reason = "a document has few tasks, and a box in each pattern is worse to read"
)]
#[derive(Debug, Clone)]
pub enum TaskKind {
    /// `call`: calls a function.
    Call(Call),
    /// `do`: performs tasks in order.
    Do(Do),
    /// `emit`: publishes an event.
    Emit(Emit),
    /// `for`: performs tasks for each item of a collection.
    For(For),
    /// `fork`: performs tasks at the same time.
    Fork(Fork),
    /// `listen`: waits for events.
    Listen(Listen),
    /// `raise`: raises an error.
    Raise(Raise),
    /// `run`: runs a container, a script, a shell command or a workflow.
    Run(Run),
    /// `set`: sets data.
    Set(Set),
    /// `switch`: chooses where to go on.
    Switch(Switch),
    /// `try`: performs tasks and catches their errors.
    Try(Try),
    /// `wait`: waits.
    Wait(Wait),
}

/// The keys that say what a task does.
const KINDS: [&str; 12] = [
    "call", "do", "emit", "for", "fork", "listen", "raise", "run", "set", "switch", "try", "wait",
];

impl TaskKind {
    /// The key that says so.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Do(_) => "do",
            Self::Emit(_) => "emit",
            Self::For(_) => "for",
            Self::Fork(_) => "fork",
            Self::Listen(_) => "listen",
            Self::Raise(_) => "raise",
            Self::Run(_) => "run",
            Self::Set(_) => "set",
            Self::Switch(_) => "switch",
            Self::Try(_) => "try",
            Self::Wait(_) => "wait",
        }
    }

    /// The lists of tasks inside, in the order in which they are written.
    pub fn lists(&self) -> Vec<&TaskList> {
        match self {
            Self::Do(Do { tasks }) | Self::For(For { tasks, .. }) => vec![tasks],
            Self::Try(Try { tasks, catch }) => std::iter::once(tasks).chain(&catch.tasks).collect(),
            _ => {
                let foreach = self.foreach();
                foreach
                    .and_then(|it| it.tasks.as_ref())
                    .into_iter()
                    .collect()
            }
        }
    }

    /// What happens for each item, where the task consumes some.
    pub fn foreach(&self) -> Option<&Foreach> {
        match self {
            Self::Listen(listen) => listen.foreach.as_ref(),
            Self::Call(call) => call.subscription()?.foreach.as_ref(),
            _ => None,
        }
    }

    fn read(key: &'static str, object: &mut Object<'_, '_, '_>) -> Option<Self> {
        Some(match key {
            "call" => Self::Call(Call::read(object)?),
            "do" => Self::Do(Do::read(object)?),
            "emit" => Self::Emit(Emit::read(object)?),
            "for" => Self::For(For::read(object)?),
            "fork" => Self::Fork(Fork::read(object)?),
            "listen" => Self::Listen(Listen::read(object)?),
            "raise" => Self::Raise(Raise::read(object)?),
            "run" => Self::Run(Run::read(object)?),
            "set" => Self::Set(Set::read(object)?),
            "switch" => Self::Switch(Switch::read(object)?),
            "try" => Self::Try(Try::read(object)?),
            "wait" => Self::Wait(Wait::read(object)?),
            _ => unreachable!("`{key}` is one of KINDS"),
        })
    }
}

impl Read for TaskList {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let items = named_items(field, reader, "task")?;
        let scope = Scope::List(
            items
                .iter()
                .map(|(name, _)| (name.value.clone(), name.location.span))
                .collect(),
        );
        // What could not be read has been reported, and is left out: the rest can still be looked at.
        let tasks = reader.in_scope(scope, |reader| {
            items
                .into_iter()
                .filter_map(|(name, field)| Task::read(name, &field, reader))
                .collect()
        });
        Some(Self {
            tasks,
            location: field.location(),
        })
    }
}

/// The undo steps of a task.
struct Compensation(TaskList);

impl Read for Compensation {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if reader.undoes() {
            let message = "what undoes something is not undone in turn";
            let help = "remove this `compensate`, and let the undo steps `try` again if need be";
            let location = field.location();
            reader.error(code::CONFLICTING_KEYS, &location, message, help.to_owned());
            return None;
        }
        reader
            .in_undo(|reader| TaskList::read(field, reader))
            .map(Self)
    }
}

impl Task {
    pub(super) fn read(
        name: Located<String>,
        field: &Field<'_>,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        let mut object = reader.object(field, "a task")?;
        let kind = kind_of(&name, &mut object);
        Self::read_as(name, object, kind)
    }

    /// The rest of a task that does what the key `kind` says, or that is wrong, if there is none.
    pub(super) fn read_as(
        name: Located<String>,
        mut object: Object<'_, '_, '_>,
        kind: Option<&'static str>,
    ) -> Option<Self> {
        let location = object.location();
        let condition = object.optional("if");
        let input = object.optional("input");
        let output = object.optional("output");
        let export = object.optional("export");
        let timeout = object.optional("timeout");
        let then = object.optional("then");
        let metadata = object.optional("metadata");
        let compensate = object.optional::<Compensation>("compensate");
        // What else may stand in a task that doesn't say what it is, nobody knows.
        let key = kind?;
        object.describe(key);
        let kind = TaskKind::read(key, &mut object);
        // A key too many is reported; what the task does is clear all the same.
        object.finish_with(|unknown| misplaced(key, unknown));
        Some(Self {
            name,
            location,
            condition: condition?,
            input: input?,
            output: output?,
            export: export?,
            timeout: timeout?,
            then: then?,
            metadata: metadata?,
            compensate: compensate?.map(|compensation| compensation.0),
            kind: kind?,
        })
    }
}

/// Which of the keys that say what a task does it has.
pub(super) fn kind_of(
    name: &Located<String>,
    object: &mut Object<'_, '_, '_>,
) -> Option<&'static str> {
    let mut found: Vec<&'static str> = KINDS.into_iter().filter(|kind| object.has(kind)).collect();
    // A `for` says in `do` what it does for each item.
    if found.contains(&"for") {
        found.retain(|kind| *kind != "do");
    }
    match found[..] {
        [kind] => return Some(kind),
        [] => no_kind(name, object),
        [..] => several_kinds(name, &found, object),
    }
    None
}

fn no_kind(name: &Located<String>, object: &mut Object<'_, '_, '_>) {
    let meant = object.keys().find_map(|key| {
        Some((
            key,
            nearest(key, KINDS.into_iter()).filter(|_| !COMMON.contains(&key))?,
        ))
    });
    if let Some((key, kind)) = meant {
        let location = object.key_location(key);
        let message = format!("unknown key `{key}` in the task `{}`", name.value);
        object.reader().error(
            code::UNKNOWN_KEY,
            &location,
            message,
            format!("did you mean `{kind}`?"),
        );
        return;
    }
    let message = format!("the task `{}` does not say what it does", name.value);
    let help = format!(
        "give it one of the keys {}",
        KINDS.map(|kind| format!("`{kind}`")).join(", ")
    );
    object
        .reader()
        .error(code::NO_TASK_KIND, &name.location, message, help);
}

fn several_kinds(name: &Located<String>, found: &[&'static str], object: &mut Object<'_, '_, '_>) {
    let mut places: Vec<_> = found
        .iter()
        .map(|key| (object.key_location(key), *key))
        .collect();
    places.sort_by_key(|(location, _)| location.span);
    let keys: Vec<_> = places.iter().map(|(_, key)| format!("`{key}`")).collect();
    let message = format!(
        "the task `{}` does several things at once: {}",
        name.value,
        keys.join(" and ")
    );
    let help = "make a task of each, or put them into the list of a `do`".to_owned();
    let reader = object.reader();
    let (first, key) = &places[0];
    let diagnostic = reader
        .diagnostic(code::SEVERAL_TASK_KINDS, &places[1].0, message, help)
        .with_related(reader.source(), first.span, format!("`{key}` stands here"));
    reader.report(diagnostic);
}

/// The keys that every task may have.
const COMMON: [&str; 8] = [
    "if",
    "input",
    "output",
    "export",
    "timeout",
    "then",
    "metadata",
    "compensate",
];

/// Where a key belongs that is often put into a task.
fn misplaced(kind: &str, key: &str) -> Option<&'static str> {
    match (kind, key) {
        ("call", "endpoint" | "method" | "headers" | "query" | "body" | "uri" | "redirect") => {
            Some("arguments of the call belong under `with`")
        }
        ("try", "retry") => Some("it belongs inside `catch`"),
        ("for", "each" | "in" | "at" | "concurrency") => Some("it belongs inside `for`"),
        ("fork", "branches" | "compete") => Some("it belongs inside `fork`"),
        ("call" | "do" | "set" | "run" | "for", "retry" | "catch") => {
            Some("put the task into the list of a `try` to catch its errors")
        }
        (_, "needs") => Some("only branches of a `fork` can need one another"),
        (_, "when" | "condition") => Some("did you mean `if`?"),
        (_, "next" | "goto") => Some("did you mean `then`?"),
        _ => None,
    }
}

/// The items of a list in which each has exactly one key, its name; and reports what is none, and names
/// that stand twice. `what` is what an item is. Wrong items are left out.
pub(super) fn named_items<'f>(
    field: &Field<'f>,
    reader: &mut Reader<'_>,
    what: &str,
) -> Option<Vec<(Located<String>, Field<'f>)>> {
    let Some(items) = field.items() else {
        let first = field
            .node
            .as_mapping()
            .and_then(<[_]>::first)
            .map(|entry| format!("begin each {what} with a hyphen: `- {}:`", entry.key));
        reader.wrong_type(field, &format!("a list of {what}s"), first);
        return None;
    };
    let mut seen: HashMap<&str, Span> = HashMap::new();
    let mut named = Vec::with_capacity(items.len());
    for item in items {
        let Some((name, body)) = named_item(&item, reader, what) else {
            continue;
        };
        let span = body.key_span.unwrap_or_default();
        let location = Location {
            span,
            pointer: body.pointer.clone(),
        };
        if let Some(first) = seen.get(name) {
            let message = format!("a second {what} with the name `{name}` in the same list");
            let diagnostic = reader
                .diagnostic(
                    code::DUPLICATE_NAME,
                    &location,
                    message,
                    "give one of them another name".to_owned(),
                )
                .with_related(reader.source(), *first, "the first is here");
            reader.report(diagnostic);
        }
        seen.entry(name).or_insert(span);
        named.push((
            Located {
                value: name.to_owned(),
                location,
            },
            body,
        ));
    }
    Some(named)
}

fn named_item<'f>(
    item: &Field<'f>,
    reader: &mut Reader<'_>,
    what: &str,
) -> Option<(&'f str, Field<'f>)> {
    let Some(mut entries) = item.entries() else {
        reader.wrong_type(
            item,
            &format!("a {what}: a mapping with its name as the only key"),
            None,
        );
        return None;
    };
    match (entries.next(), entries.next()) {
        (Some(("", body)), None) => {
            let location = Location {
                span: body.key_span.unwrap_or_default(),
                pointer: item.pointer.clone(),
            };
            reader.error(
                code::BAD_NAME,
                &location,
                format!("the name of a {what} cannot be empty"),
                None,
            );
            None
        }
        (Some(one), None) => Some(one),
        (Some((first, body)), Some((second, other))) => {
            let message = format!(
                "expected one {what} under its name, found the keys `{first}` and `{second}` beside one another"
            );
            let help = if matches!(body.node.data, Data::Null) {
                format!("indent what belongs to `{first}` further than its name")
            } else if KINDS.contains(&first) || KINDS.contains(&second) {
                format!("give the {what} a name and indent it below: `- name:`")
            } else {
                format!("begin each {what} with a hyphen: `- {second}:`")
            };
            let location = Location {
                span: other.key_span.unwrap_or_default(),
                pointer: item.pointer.clone(),
            };
            reader.error(code::BAD_TASK_ITEM, &location, message, help);
            None
        }
        (None, _) => {
            reader.error(
                code::BAD_TASK_ITEM,
                &item.whole(),
                format!("a {what} needs a name"),
                None,
            );
            None
        }
    }
}
