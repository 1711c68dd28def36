//! Documents, by chance. Each is right: names are given out in order, `then` leads forward and functions call those
//! behind them, so that every run ends.

use std::collections::BTreeMap;

use proptest::prelude::*;

/// The kinds of task that occur.
pub(crate) const KINDS: [&str; 15] = [
    "approval",
    "call",
    "do",
    "emit",
    "for",
    "fork",
    "function",
    "listen",
    "raise",
    "run",
    "set",
    "subscribe",
    "switch",
    "try",
    "wait",
];

/// A document.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// `do`.
    pub(crate) tasks: Vec<Task>,
    /// `use.functions`: tasks that calls perform.
    pub(crate) functions: Vec<Task>,
    /// `use.extensions`.
    pub(crate) extensions: Vec<Extension>,
}

/// What is done before and after tasks.
#[derive(Clone, Debug)]
pub(crate) struct Extension {
    /// The tasks that it is around: a key of the language, `composite` or `all`.
    pub(crate) extend: &'static str,
    /// `when`, as a constant.
    pub(crate) when: Option<bool>,
    pub(crate) before: Vec<Task>,
    pub(crate) after: Vec<Task>,
}

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
    /// Of one of the document's functions, with arguments or on the input.
    Function {
        which: usize,
        with: bool,
    },
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

/// A document in which everything may happen.
pub(crate) fn any_document() -> impl Strategy<Value = Document> {
    document(false)
}

/// A document whose outcome does not depend on what comes first: no races, no errors, no time limits, and no end but
/// the last task's.
pub(crate) fn calm_document() -> impl Strategy<Value = Document> {
    document(true)
}

fn document(calm: bool) -> impl Strategy<Value = Document> {
    let tasks = prop::collection::vec(task(calm), 1..5);
    let functions = prop::collection::vec(task(calm), 0..4);
    // What is around each task makes a document large: every other one does without.
    let extensions = prop_oneof![
        Just(Vec::new()),
        prop::collection::vec(extension(calm), 1..3),
    ];
    (tasks, functions, extensions).prop_map(|(tasks, functions, extensions)| {
        let functions = functions.into_iter().map(closed);
        let mut document = Document {
            tasks,
            functions: functions.collect(),
            extensions,
        };
        document.settle();
        document
    })
}

fn extension(calm: bool) -> impl Strategy<Value = Extension> {
    let one_kind = prop::sample::select(
        &[
            "call", "emit", "for", "listen", "raise", "run", "set", "switch", "try", "wait",
        ][..],
    );
    let extend = prop_oneof![Just("all"), Just("composite"), one_kind];
    let when = prop_oneof![4 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))];
    let list = || prop::collection::vec(task_within(calm, 1, 4), 0..3);
    (extend, when, list(), list()).prop_map(|(extend, when, before, after)| Extension {
        extend,
        when,
        before,
        after,
    })
}

fn task(calm: bool) -> impl Strategy<Value = Task> {
    task_within(calm, 3, 24)
}

/// A task with at most so many levels of tasks inside, and about so many of them.
fn task_within(calm: bool, depth: u32, size: u32) -> impl Strategy<Value = Task> {
    let leaf = prop_oneof![
        4 => Just(Kind::Call),
        2 => (0..4usize, any::<bool>()).prop_map(|(which, with)| Kind::Function { which, with }),
        1 => any::<bool>().prop_map(|awaited| Kind::Run { awaited }),
        1 => Just(Kind::Emit),
        1 => Just(Kind::Listen),
        1 => Just(Kind::Approval),
        2 => Just(Kind::Set),
        2 => (1..9u8).prop_map(Kind::Wait),
        1 => Just(if calm { Kind::Set } else { Kind::Raise }),
    ];
    let leaf = with_frame(leaf.boxed(), calm);
    leaf.prop_recursive(depth, size, 4, move |inner| {
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

/// A branch, or a function: nothing stands behind it that it could lead to.
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

impl Document {
    /// Lets each function call only those behind it. Where there are none, another task stands in place of the call.
    fn settle(&mut self) {
        let count = self.functions.len();
        settle(&mut self.tasks, 0, count);
        for (index, function) in self.functions.iter_mut().enumerate() {
            settle(std::slice::from_mut(function), index + 1, count);
        }
        for extension in &mut self.extensions {
            settle(&mut extension.before, 0, count);
            settle(&mut extension.after, 0, count);
        }
    }

    /// The task that a pointer leads to.
    pub(crate) fn find(&self, pointer: &str) -> Option<&Task> {
        let mut parts = pointer.split('/').skip(1);
        let mut task: Option<&Task> = None;
        while let Some(key) = parts.next() {
            let list = match (key, task.map(|task| &task.kind)) {
                (_, None) => &self.tasks,
                // Undo steps are inside no task.
                ("compensate", _) => return None,
                ("call", Some(Kind::Function { which, .. })) => {
                    task = self.functions.get(*which);
                    continue;
                }
                // `use/extensions/0/e0/before`.
                ("use", _) => {
                    let index: usize = parts.nth(1)?.parse().ok()?;
                    let extension = self.extensions.get(index)?;
                    match parts.nth(1)? {
                        "before" => &extension.before,
                        _ => &extension.after,
                    }
                }
                ("catch", Some(Kind::Try { handler, .. })) => {
                    parts.next();
                    handler.as_deref()?
                }
                ("fork", Some(Kind::Fork { branches, .. })) => {
                    parts.next();
                    branches
                }
                // `with/subscription/foreach/do`.
                ("with", Some(Kind::Subscribe { tasks, .. })) => {
                    parts.nth(2);
                    tasks
                }
                (_, Some(kind)) => *lists(kind).first()?,
            };
            task = list.get(parts.next()?.parse::<usize>().ok()?);
            task?;
            parts.next();
        }
        task
    }

    /// The numbers of the extensions that are around the task of a pointer.
    pub(crate) fn around(&self, pointer: &str) -> Vec<usize> {
        // Tasks of extensions are not extended.
        let task = match pointer.contains("/use/extensions/") {
            true => None,
            false => self.find(pointer),
        };
        let Some(Task { kind, .. }) = task else {
            return Vec::new();
        };
        let extends = |extension: &Extension| match extension.extend {
            "all" => true,
            "composite" => matches!(
                kind,
                Kind::Do(_) | Kind::For { .. } | Kind::Fork { .. } | Kind::Try { .. }
            ),
            "call" => matches!(
                kind,
                Kind::Call | Kind::Function { .. } | Kind::Approval | Kind::Subscribe { .. }
            ),
            one => one == key(kind),
        };
        let extensions = self.extensions.iter().enumerate();
        extensions
            .filter(|(_, it)| it.when != Some(false) && extends(it))
            .map(|(index, _)| index)
            .collect()
    }

    /// Whether a task may end the run.
    pub(crate) fn may_end(&self) -> bool {
        let extensions = self.extensions.iter();
        let extending = extensions.flat_map(|it| it.before.iter().chain(&it.after));
        let mut all = self.tasks.iter().chain(&self.functions).chain(extending);
        all.any(|task| leads(task, &|then| matches!(then, Then::End)))
    }

    /// Whether an extension may put something else in the place of a task's output: by `exit`, or by ending the run,
    /// itself or in a function that it calls.
    pub(crate) fn replaces_outputs(&self) -> bool {
        let extensions = self.extensions.iter();
        let mut tasks = extensions.flat_map(|it| it.before.iter().chain(&it.after));
        let out = |then: &Then| matches!(then, Then::Exit | Then::End);
        tasks.any(|task| leads(task, &out) || self.calls_to_the_end(task))
    }

    /// Whether a function that a task calls, or one inside, may end the run.
    fn calls_to_the_end(&self, task: &Task) -> bool {
        let by_call = match &task.kind {
            Kind::Function { which, .. } => self.functions.get(*which).is_some_and(|body| {
                leads(body, &|then| matches!(then, Then::End)) || self.calls_to_the_end(body)
            }),
            _ => false,
        };
        let mut inside = lists(&task.kind).into_iter().flatten();
        by_call || inside.any(|task| self.calls_to_the_end(task))
    }

    /// Adds up how often each kind occurs.
    pub(crate) fn count(&self, kinds: &mut BTreeMap<&str, usize>) {
        count(&self.tasks, kinds);
        count(&self.functions, kinds);
        for extension in &self.extensions {
            count(&extension.before, kinds);
            count(&extension.after, kinds);
        }
    }
}

/// Lets the calls be of functions from `first` on, of so many that there are.
fn settle(tasks: &mut [Task], first: usize, count: usize) {
    for task in tasks {
        if let Kind::Function { which, .. } = &mut task.kind {
            match count - first {
                0 => task.kind = Kind::Set,
                some => *which = first + *which % some,
            }
        }
        for list in lists_mut(&mut task.kind) {
            settle(list, first, count);
        }
    }
}

/// Whether a task, or one inside, leads somewhere of that kind.
fn leads(task: &Task, there: &impl Fn(&Then) -> bool) -> bool {
    let by_case = match &task.kind {
        Kind::Switch { cases, .. } => cases.iter().any(there),
        _ => false,
    };
    let mut inside = lists(&task.kind).into_iter().flatten();
    there(&task.then) || by_case || inside.any(|task| leads(task, there))
}

fn count(tasks: &[Task], kinds: &mut BTreeMap<&str, usize>) {
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

fn lists_mut(kind: &mut Kind) -> Vec<&mut [Task]> {
    match kind {
        Kind::Do(tasks) | Kind::For { tasks, .. } | Kind::Subscribe { tasks, .. } => vec![tasks],
        Kind::Fork { branches, .. } => vec![branches],
        Kind::Try { tasks, handler, .. } => std::iter::once(&mut tasks[..])
            .chain(handler.as_deref_mut())
            .collect(),
        _ => Vec::new(),
    }
}

fn key(kind: &Kind) -> &'static str {
    match kind {
        Kind::Call => "call",
        Kind::Function { .. } => "function",
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
