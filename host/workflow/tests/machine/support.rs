//! A run with a clock that moves when told to, and a transcript of what it wants done.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use baton_workflow::document::Document;
use baton_workflow::expression::{Evaluate, Expression};
use baton_workflow::machine::{
    Ending, Facts, NoteKind, Occurrence, Status, TaskKey, TimerKey, Weight,
};
use baton_workflow::plan::{Catalog, FunctionReference, NoSuchFunction, Signature, Topic, Topics};
use baton_workflow::{
    CloudEvent, Command, Data, Error, ErrorKind, Event, Machine, Plan, Timestamp,
};
use serde_json::{Value, json};

/// A connector named `any` that has every function, and those of the language's own calls.
pub(crate) struct AnyFunction;

impl Catalog for AnyFunction {
    fn function(&self, reference: &FunctionReference) -> Result<Signature, NoSuchFunction> {
        match reference.connector.as_str() {
            "any" => {
                let parameters = json!({"a": {}, "b": {}, "n": {"type": "integer"}});
                Ok(Signature {
                    arguments: json!({"type": "object", "properties": parameters}),
                    result: json!({}),
                })
            }
            "http" => {
                let names = [
                    "method", "endpoint", "headers", "query", "body", "output", "redirect",
                ];
                let properties: Value = names
                    .iter()
                    .map(|name| ((*name).to_owned(), json!({})))
                    .collect();
                Ok(Signature {
                    arguments: json!({"type": "object", "properties": properties}),
                    result: json!({}),
                })
            }
            "a2a" | "asyncapi" | "container" | "grpc" | "javascript" | "mcp" | "python"
            | "shell" => Ok(Signature {
                arguments: json!({"type": "object"}),
                result: json!({}),
            }),
            other => Err(NoSuchFunction {
                message: format!("there is no connector `{other}`"),
                help: Some("install it".to_owned()),
            }),
        }
    }
}

/// jq, natively.
#[derive(Default)]
pub(crate) struct Jq {
    compiled: HashMap<u32, jq::Filter>,
}

impl Evaluate for Jq {
    fn evaluate(
        &mut self,
        expression: &Expression,
        input: &Value,
        variables: &[&Value],
    ) -> Result<Value, String> {
        let filter = match self.compiled.entry(expression.id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let filter = jq::Filter::compile(&expression.source, &expression.variables);
                let filter = filter.map_err(|error| error.message);
                // What need not be an expression may be none.
                assert!(
                    filter.is_ok() || expression.is_loose,
                    "{} is no expression",
                    expression.source
                );
                place.insert(filter?)
            }
        };
        let values: Vec<String> = variables.iter().map(ToString::to_string).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        filter
            .evaluate(&input.to_string(), &values)
            .map(|text| serde_json::from_str(&text).expect("jq gives JSON"))
    }
}

pub(crate) fn plan(tasks: &str) -> Arc<Plan> {
    let head = "document: {dsl: '1.0.3', namespace: test, name: test, version: '1.0.0'}\n";
    let document = Document::parse(format!("{head}{tasks}"), Some("test.yaml")).unwrap_or_else(
        |diagnostics| {
            panic!(
                "{}",
                diagnostics
                    .iter()
                    .map(|it| format!("{}\n", it.display("test.yaml")))
                    .collect::<String>()
            )
        },
    );
    Arc::new(
        Plan::new(&document, &AnyFunction).unwrap_or_else(|diagnostics| {
            panic!(
                "{}",
                diagnostics
                    .iter()
                    .map(|it| format!("{}\n", it.display("test.yaml")))
                    .collect::<String>()
            )
        }),
    )
}

/// What is wrong with a workflow that has these tasks.
pub(crate) fn diagnostics(tasks: &str) -> String {
    let head = "document: {dsl: '1.0.3', namespace: test, name: test, version: '1.0.0'}\n";
    let document = Document::parse(format!("{head}{tasks}"), Some("test.yaml"))
        .expect("what is wrong with it, only lowering can tell");
    let found = Plan::lower(&document, &AnyFunction).diagnostics;
    found
        .iter()
        .map(|it| format!("{}\n", it.display("test.yaml")))
        .collect()
}

/// What a run knows of the world.
pub(crate) fn facts() -> Facts {
    Facts {
        id: "run-1".to_owned(),
        runtime: json!({"name": "Baton", "version": "0"}),
        secrets: json!({"token": "baton-secret-1", "login": {"password": "baton-secret-2"}}),
        event_bytes: 1 << 20,
    }
}

/// A run under way.
pub(crate) struct Run {
    pub(crate) machine: Machine,
    pub(crate) now: Timestamp,
    pub(crate) journal: Vec<Occurrence>,
    pub(crate) commands: Vec<Command>,
    /// The events that there are, from position 1 on.
    log: Vec<CloudEvent>,
    calls: Vec<(TaskKey, u32)>,
    jq: Jq,
    transcript: String,
    /// Whether the machine is replaced by what its snapshot gives, behind each event.
    pub(crate) is_restored: bool,
}

impl Run {
    /// Starts a run of a workflow that has these tasks.
    pub(crate) fn start(tasks: &str, input: Value) -> Self {
        let mut run = Self {
            machine: Machine::new(plan(tasks), facts()),
            now: Timestamp::from_millis(0),
            journal: Vec::new(),
            commands: Vec::new(),
            log: Vec::new(),
            calls: Vec::new(),
            jq: Jq::default(),
            transcript: String::new(),
            is_restored: true,
        };
        run.apply(Event::Started {
            input: Arc::new(input),
            events_from: 1,
        });
        run
    }

    pub(crate) fn apply(&mut self, event: Event) {
        self.journal.push(Occurrence {
            at: self.now,
            event: event.clone(),
        });
        let commands = self.machine.apply(event, self.now, &mut self.jq);
        for command in &commands {
            self.tell(command);
        }
        self.commands.extend(commands);
        if self.is_restored {
            self.restore();
        }
    }

    /// Replaces the machine by what its snapshot gives: no test may see a difference.
    pub(crate) fn restore(&mut self) {
        let before = &self.machine;
        let snapshot = before.snapshot();
        let restored = Machine::restore(before.plan().clone(), facts(), &snapshot);
        let restored = restored.expect("a snapshot of the run");
        assert_eq!(restored.status(), before.status());
        assert_eq!(restored.outstanding(), before.outstanding());
        let again = restored.snapshot();
        assert!(
            again == snapshot,
            "the snapshot of what it gives is another"
        );
        self.machine = restored;
    }

    /// Answers the oldest call under way of the task with this name.
    pub(crate) fn answer(&mut self, task: &str, answer: Result<Value, Error>) {
        let found = self
            .calls
            .iter()
            .position(|(key, _)| key.pointer.ends_with(&format!("/{task}")));
        let (task, attempt) = self
            .calls
            .remove(found.unwrap_or_else(|| panic!("no call of {task} is under way")));
        self.apply(Event::Answered {
            task,
            attempt,
            answer: answer.map(Arc::new),
        });
    }

    /// Answers the call of the task with this name on a visit.
    pub(crate) fn ok_visit(&mut self, task: &str, visit: u32, output: Value) {
        let (name, wanted) = (format!("/{task}"), visit);
        let found = self
            .calls
            .iter()
            .position(|(key, _)| key.pointer.ends_with(&name) && key.visit == wanted);
        let (task, attempt) = self
            .calls
            .remove(found.unwrap_or_else(|| panic!("no such call of {task} is under way")));
        self.apply(Event::Answered {
            task,
            attempt,
            answer: Ok(Arc::new(output)),
        });
    }

    pub(crate) fn ok(&mut self, task: &str, output: Value) {
        self.answer(task, Ok(output));
    }

    pub(crate) fn fails(&mut self, task: &str, status: u16) {
        let mut error = Error::new(ErrorKind::Communication, "Failed", "as told");
        error.status = status;
        self.answer(task, Err(error));
    }

    /// What is to become of an item that a call has handed over.
    pub(crate) fn weigh(&mut self, task: &TaskKey, attempt: u32, item: &Data) -> Weight {
        self.machine.weigh(task, attempt, item, &mut self.jq)
    }

    /// Hands over an item of the oldest call under way of the task with this name; what comes of it.
    pub(crate) fn hand_over(&mut self, task: &str, item: Value) -> Weight {
        let name = format!("/{task}");
        let found = self
            .calls
            .iter()
            .find(|(key, _)| key.pointer.ends_with(&name));
        // Of a call that is abandoned nobody wants anything.
        let Some((task, attempt)) = found.cloned() else {
            return Weight::Unwanted;
        };
        let item = Arc::new(item);
        let weight = self.weigh(&task, attempt, &item);
        if weight == Weight::Taken {
            self.apply(Event::Yielded {
                task,
                attempt,
                item,
            });
        }
        weight
    }

    /// Puts an event into the log, and offers it to those that listen.
    pub(crate) fn publish(&mut self, kind: &str, data: Value) {
        let id = self.log.len() + 1;
        self.publish_whole(
            json!({"id": id.to_string(), "source": "/test", "type": kind, "data": data}),
        );
    }

    /// The same, with attributes of the test's choice; `specversion` is filled in.
    pub(crate) fn publish_whole(&mut self, mut event: Value) {
        event["specversion"] = json!("1.0");
        self.log.push(CloudEvent::new(event).expect("an event"));
        self.offer();
    }

    /// Offers what is in the log to those that listen, as long as somebody takes something.
    pub(crate) fn offer(&mut self) {
        while let Some(received) = self.taken() {
            self.apply(received);
        }
    }

    fn taken(&mut self) -> Option<Event> {
        for listening in self.machine.outstanding().listening {
            for (position, event) in (1..).zip(&self.log) {
                let (task, jq) = (&listening.task, &mut self.jq);
                let takes = self.machine.takes(task, position, event, jq);
                assert!(!takes || listening.topics.include(event), "{event:?}");
                if takes && position >= listening.from {
                    return Some(Event::Received {
                        task: listening.task,
                        position,
                        event: event.clone(),
                    });
                }
            }
        }
        None
    }

    /// Moves the clock to the timer that is due next, which elapses.
    pub(crate) fn elapse(&mut self) {
        let timers = self.machine.outstanding().timers;
        let (timer, due) = timers
            .into_iter()
            .min_by_key(|(_, due)| *due)
            .expect("a timer is set");
        self.now = self.now.max(due);
        self.apply(Event::Elapsed { timer });
    }

    pub(crate) fn pass(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
    }

    pub(crate) fn status(&self) -> Status {
        self.machine.status()
    }

    /// The output of a run that has completed.
    #[track_caller]
    pub(crate) fn output(&self) -> Value {
        match self.ending() {
            Some(Ending::Completed(output)) => Value::clone(output),
            other => panic!("the run has not completed: {other:?}"),
        }
    }

    /// The error of a run that has faulted.
    #[track_caller]
    pub(crate) fn error(&self) -> Error {
        match self.ending() {
            Some(Ending::Faulted(error)) => error.clone(),
            other => panic!("the run has not faulted: {other:?}"),
        }
    }

    /// The output of a run that has completed in the end, after it had faulted.
    #[track_caller]
    pub(crate) fn last_output(&self) -> Value {
        let ended = self
            .commands
            .iter()
            .rev()
            .find_map(|command| match command {
                Command::End(Ending::Completed(output)) => Some(output),
                _ => None,
            });
        Value::clone(ended.expect("the run has completed"))
    }

    pub(crate) fn ending(&self) -> Option<&Ending> {
        self.commands.iter().find_map(|command| match command {
            Command::End(ending) => Some(ending),
            _ => None,
        })
    }

    /// The tasks that have been undone by the commands behind the first `from`, in that order.
    pub(crate) fn undone_since(&self, from: usize) -> Vec<TaskKey> {
        let undone = |command: &Command| match command {
            Command::Note(note) if note.kind == NoteKind::TaskCompensationCompleted => {
                note.task.clone()
            }
            _ => None,
        };
        self.commands[from..].iter().filter_map(undone).collect()
    }

    /// What has happened since the last time somebody asked.
    pub(crate) fn transcript(&mut self) -> String {
        std::mem::take(&mut self.transcript)
    }

    fn tell(&mut self, command: &Command) {
        let out = &mut self.transcript;
        match command {
            Command::Invoke(call) => {
                self.calls.push((call.task.clone(), call.attempt));
                writeln!(
                    out,
                    "invoke {} {}@{} {}",
                    name(&call.task, call.attempt),
                    call.function,
                    call.connector,
                    call.arguments
                )
            }
            Command::StartRun(child) => {
                self.calls.push((child.task.clone(), child.attempt));
                writeln!(
                    out,
                    "{} {} {}/{} {} {}",
                    if child.awaited { "run" } else { "start" },
                    name(&child.task, child.attempt),
                    child.namespace,
                    child.name,
                    child.version.as_deref().unwrap_or("latest"),
                    child.input
                )
            }
            Command::Pull { task, attempt } => writeln!(out, "pull {}", name(task, *attempt)),
            Command::Abandon { task, attempt } => {
                self.calls
                    .retain(|(key, number)| key != task || number != attempt);
                writeln!(out, "abandon {}", name(task, *attempt))
            }
            Command::SetTimer { timer, due } => {
                writeln!(out, "set {} {}ms", timer_name(timer), due.as_millis())
            }
            Command::ClearTimer { timer } => writeln!(out, "clear {}", timer_name(timer)),
            Command::Note(note) => {
                let task = note
                    .task
                    .as_ref()
                    .map(|task| name(task, note.attempt.unwrap_or(1)));
                let mut line = format!("{} {}", note.kind.name(), task.unwrap_or_default());
                if let Some(output) = &note.detail.output {
                    write!(line, " -> {output}").expect("a string takes all");
                }
                if let Some(keys) = &note.detail.correlation_keys {
                    write!(line, " = {keys}").expect("a string takes all");
                }
                if let Some(reveal) = &note.detail.reveal {
                    write!(line, " = {} to {}", reveal.secret, reveal.connector)
                        .expect("a string takes all");
                }
                if let Some(error) = &note.detail.error {
                    let kind = error.type_uri.rsplit('/').next().unwrap_or_default();
                    write!(line, " !! {kind} {}", error.status).expect("a string takes all");
                }
                writeln!(out, "  {}", line.replace("  ", " ").trim())
            }
            Command::Emit(event) => writeln!(out, "emit {}", event.envelope()),
            Command::Listen(listening) => {
                let topics = match &listening.topics {
                    Topics::Any => "any".to_owned(),
                    Topics::Types(types) => types.iter().map(topic).collect::<Vec<_>>().join(" "),
                };
                let task = name(&listening.task, 1);
                writeln!(out, "listen {task} from {} to {topics}", listening.from)
            }
            Command::Unlisten { task } => writeln!(out, "unlisten {}", name(task, 1)),
            Command::Ask(asked) => {
                writeln!(
                    out,
                    "ask {}: {}",
                    name(&asked.task, asked.attempt),
                    asked.title
                )
            }
            Command::Withdraw { task } => writeln!(out, "withdraw {}", name(task, 1)),
            Command::End(ending) => match ending {
                Ending::Completed(output) => writeln!(out, "end: completed {output}"),
                Ending::Faulted(error) => {
                    writeln!(
                        out,
                        "end: faulted {} at {}",
                        error.status,
                        error.instance.as_deref().unwrap_or("-")
                    )
                }
                Ending::Cancelled => writeln!(out, "end: cancelled"),
            },
        }
        .expect("a string takes all");
    }
}

/// `createUser`, `createUser#2` on the second visit, `createUser~3` on the third attempt.
/// `type`, and in brackets what events of it must have where.
fn topic(Topic { kind, mark }: &Topic) -> String {
    match mark {
        None => kind.to_string(),
        Some(mark) => format!("{kind} ({} = {})", mark.path.join("."), mark.text),
    }
}

fn name(task: &TaskKey, attempt: u32) -> String {
    let mut name = task
        .pointer
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    if task.visit > 1 {
        write!(name, "#{}", task.visit).expect("a string takes all");
    }
    if attempt > 1 {
        write!(name, "~{attempt}").expect("a string takes all");
    }
    name
}

fn timer_name(timer: &TimerKey) -> String {
    match timer {
        TimerKey::Wait(task) => format!("wait {}", name(task, 1)),
        TimerKey::Timeout(task) => format!("timeout {}", name(task, 1)),
        TimerKey::Retry(task) => format!("retry {}", name(task, 1)),
        TimerKey::Attempt(task) => format!("attempt {}", name(task, 1)),
        TimerKey::RunTimeout => "timeout of the run".to_owned(),
        TimerKey::Consume(task) => format!("consume {}", name(task, 1)),
    }
}
