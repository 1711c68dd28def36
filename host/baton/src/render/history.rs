//! A run's history as lines of text.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::text::{duration, tame};

/// How long an error's text may get on a line.
const ERROR_LENGTH_MAX: usize = 400;
/// How long a task's path may get on a line.
const PATH_LENGTH_MAX: usize = 120;

/// A line of a run's history, from an engine in this process or from a server.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// When, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// What, under the name of the specification's lifecycle event: `task.started`.
    pub(crate) kind: String,
    /// The task's JSON pointer; none where the line is about the run itself.
    pub(crate) task: Option<String>,
    /// Which visit of the task, from 1; 0 where there is no task.
    pub(crate) visit: u32,
    /// Which attempt, where the task calls or tries.
    pub(crate) attempt: Option<u32>,
    /// The function that the task calls, as `function@connector`.
    pub(crate) function: Option<String>,
    /// The error that it is about.
    pub(crate) error: Option<Value>,
    /// When a wait ends or the next attempt begins, in milliseconds since 1970.
    pub(crate) due_ms: Option<i64>,
    /// Who asked for it.
    pub(crate) by: Option<String>,
    /// Why they did.
    pub(crate) reason: Option<String>,
    /// The value of a secret that a connector was given.
    pub(crate) reveal: Option<Reveal>,
}

/// The value of a secret that a connector was given: which, and to whom.
#[derive(Clone, Debug)]
pub(crate) struct Reveal {
    /// The secret's name.
    pub(crate) secret: String,
    /// Which of its members, where it has such.
    pub(crate) member: Option<String>,
    /// The connector's name.
    pub(crate) connector: String,
}

impl fmt::Display for Reveal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            secret,
            member,
            connector,
        } = self;
        if let Some(member) = member {
            write!(f, "`{}` of ", tame(member, 60))?;
        }
        write!(f, "the secret `{}` ", tame(secret, 60))?;
        write!(f, "to the connector `{}`", tame(connector, 60))
    }
}

/// What identifies a task within a run.
pub(crate) type Key = (String, u32);

impl Item {
    /// The task and its visit, where the line is about one.
    pub(crate) fn key(&self) -> Option<Key> {
        self.task.clone().map(|task| (task, self.visit))
    }

    /// The event without its subject: `started`. A task that is undone is said to be so: its own `started` and
    /// `completed` are long over.
    pub(crate) fn verb(&self) -> &str {
        match &*self.kind {
            "task.compensation.started" => "undoing",
            "task.compensation.completed" => "undone",
            "task.compensation.faulted" => "not undone",
            kind => kind.rsplit('.').next().unwrap_or(kind),
        }
    }

    /// The error that the line is about, on one line.
    pub(crate) fn error(&self) -> Option<String> {
        self.error.as_ref().map(error)
    }

    /// How long it is from this line until something is due.
    pub(crate) fn due_in(&self) -> Option<Duration> {
        let due_in_ms = self.due_ms?.saturating_sub(self.at_ms);
        Some(Duration::from_millis(u64::try_from(due_in_ms).unwrap_or(0)))
    }

    /// What the line adds to its verb and task, if anything.
    fn remark(&self) -> String {
        let due = self.due_in().map(|wait| match self.verb() {
            "retried" => format!(", again in {}", duration(wait)),
            _ => format!(", for {}", duration(wait)),
        });
        let by = self.by.as_ref().map(|by| format!(" by {}", tame(by, 60)));
        let why = self
            .error()
            .or_else(|| self.reason.as_ref().map(|reason| tame(reason, 200)));
        let why = why.map(|why| format!(": {why}"));
        let reveal = self.reveal.as_ref().map(|reveal| format!(": {reveal}"));
        [due, by, why, reveal].into_iter().flatten().collect()
    }
}

/// A problem detail on one line: title, detail, and in parentheses its kind and status.
pub(crate) fn error(error: &Value) -> String {
    let text = |name: &str| {
        error
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let kind = text("type")
        .and_then(|uri| uri.rsplit('/').next())
        .unwrap_or("error");
    let what = match (text("title"), text("detail")) {
        (Some(title), Some(detail)) => format!("{title}: {detail}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "no further explanation".to_owned(),
    };
    let status = error
        .get("status")
        .and_then(Value::as_u64)
        .map(|status| format!(", {status}"));
    format!(
        "{} ({}{})",
        tame(&what, ERROR_LENGTH_MAX),
        tame(kind, 60),
        status.unwrap_or_default()
    )
}

/// The names of a task and of those around it, from its pointer: `/do/1/provision/fork/branches/0/laptop`
/// is `provision/laptop`.
///
/// In a pointer, a task's name stands behind its number in a list; all else are keys of the language.
pub(crate) fn path(pointer: &str) -> String {
    let mut names = Vec::new();
    let mut segments = pointer.split('/').skip(1);
    while let Some(segment) = segments.next() {
        let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && let Some(name) = segments.next() {
            names.push(name.replace("~1", "/").replace("~0", "~"));
        }
    }
    tame(&names.join("/"), PATH_LENGTH_MAX)
}

/// What the task of an item does: `call create-user@scim`, `wait`. Read from the document, and where that
/// has no such task, from the item.
pub(crate) fn kind(document: &Value, item: &Item) -> Option<String> {
    const KINDS: [&str; 12] = [
        "call", "emit", "for", "fork", "listen", "raise", "run", "set", "switch", "try", "wait",
        "do",
    ];
    let call = |what: &str| format!("call {}", tame(what, 60));
    let task = document.pointer(item.task.as_deref()?);
    // `for` and others have a `do` beside them, so that it comes last.
    let known = task.and_then(|task| {
        KINDS
            .into_iter()
            .find(|kind| task.get(kind).is_some())
            .zip(Some(task))
    });
    let Some((kind, task)) = known else {
        return item.function.as_deref().map(call);
    };
    match task.get(kind).and_then(Value::as_str) {
        Some(what) if kind == "call" => Some(call(what)),
        _ => Some(kind.to_owned()),
    }
}

/// When each task under way began: what it takes to say how long one took.
#[derive(Default)]
pub(crate) struct Clock {
    started_ms: HashMap<Option<Key>, i64>,
}

impl Clock {
    /// Takes note of an item. Answers how long what it ends has taken, where it ends something.
    pub(crate) fn note(&mut self, item: &Item) -> Option<Duration> {
        match item.verb() {
            "started" | "undoing" => {
                self.started_ms.insert(item.key(), item.at_ms);
                None
            }
            "completed" | "faulted" | "cancelled" | "undone" | "not undone" => {
                let took_ms = item.at_ms - self.started_ms.remove(&item.key())?;
                Some(Duration::from_millis(u64::try_from(took_ms).unwrap_or(0)))
            }
            _ => None,
        }
    }
}

/// Turns items into plain lines, each with its time: for logs, pipes and `runs history`.
pub(crate) struct Lines {
    /// The workflow's document, from which a task's kind is read; `null` where it isn't known.
    document: Value,
    clock: Clock,
}

impl Lines {
    /// For the run of a workflow.
    pub(crate) fn new(document: Value) -> Self {
        Self {
            document,
            clock: Clock::default(),
        }
    }

    /// The item as a line, without its end.
    pub(crate) fn line(&mut self, item: &Item) -> String {
        let took = self
            .clock
            .note(item)
            .map(|took| format!(" in {}", duration(took)))
            .unwrap_or_default();
        let subject = match &item.task {
            None => "the run".to_owned(),
            Some(pointer) => self.subject(item, pointer),
        };
        format!(
            "{}  {:9}  {subject}{took}{}",
            time(item.at_ms),
            item.verb(),
            item.remark()
        )
    }

    fn subject(&self, item: &Item, pointer: &str) -> String {
        let visit = if item.visit > 1 {
            format!(" #{}", item.visit)
        } else {
            String::new()
        };
        let attempt = item
            .attempt
            .filter(|attempt| *attempt > 1 || item.verb() == "retried");
        let attempt = attempt
            .map(|attempt| format!(", attempt {attempt}"))
            .unwrap_or_default();
        let kind = match item.verb() {
            "started" => kind(&self.document, item).map(|kind| format!("  {kind}")),
            _ => None,
        };
        format!(
            "{}{visit}{attempt}{}",
            path(pointer),
            kind.unwrap_or_default()
        )
    }
}

/// RFC 3339 in UTC with milliseconds.
pub(crate) fn time(at_ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(at_ms) {
        Ok(time) => format!("{time:.3}"),
        Err(_) => format!("{at_ms} ms"),
    }
}

/// Milliseconds since 1970 of a time in RFC 3339; 0 where it is none.
pub(crate) fn parse_time(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>()
        .map_or(0, jiff::Timestamp::as_millisecond)
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn item(at_ms: i64, kind: &str, task: Option<&str>) -> Item {
        Item {
            at_ms,
            kind: kind.into(),
            task: task.map(Into::into),
            visit: 1,
            attempt: None,
            function: None,
            error: None,
            due_ms: None,
            by: None,
            reason: None,
            reveal: None,
        }
    }

    #[test]
    fn lines_of_a_run() {
        let document = json!({ "do": [
            { "account": { "call": "create-user@scim", "with": {} } },
            { "provision": { "fork": { "branches": [{ "laptop": { "call": "http" } }] } } },
            { "pause": { "wait": "PT1S" } },
        ] });
        let unavailable = Some(json!({
            "type": "https://serverlessworkflow.io/spec/1.0.0/errors/communication",
            "status": 503, "title": "Service Unavailable", "detail": "PATCH http://assets/1\nanswered 503",
        }));
        let laptop = Some("/do/1/provision/fork/branches/0/laptop");
        let retried = item(500, "task.retried", laptop);
        let cancelled = item(2_002, "workflow.cancelled", None);
        let items = [
            item(0, "workflow.started", None),
            item(1, "task.started", Some("/do/0/account")),
            item(235, "task.completed", Some("/do/0/account")),
            item(236, "task.started", laptop),
            Item {
                attempt: Some(2),
                due_ms: Some(1_500),
                error: unavailable.clone(),
                ..retried
            },
            Item {
                visit: 2,
                ..item(1_500, "task.started", laptop)
            },
            Item {
                visit: 2,
                error: unavailable,
                ..item(2_000, "task.faulted", laptop)
            },
            Item {
                due_ms: Some(3_001),
                ..item(2_001, "task.started", Some("/do/2/pause"))
            },
            Item {
                function: Some("f@c".into()),
                ..item(2_001, "task.started", Some("/gone/0/x"))
            },
            Item {
                reveal: Some(Reveal {
                    secret: "login".into(),
                    member: Some("password".into()),
                    connector: "c".into(),
                }),
                ..item(2_001, "task.secret.revealed", Some("/gone/0/x"))
            },
            Item {
                by: Some("ops".into()),
                reason: Some("too\u{1b}late".into()),
                ..cancelled
            },
        ];
        let mut lines = Lines::new(document);
        let text: Vec<String> = items.iter().map(|item| lines.line(item)).collect();
        insta::assert_snapshot!(text.join("\n"), @r##"
        1970-01-01T00:00:00.000Z  started    the run
        1970-01-01T00:00:00.001Z  started    account  call create-user@scim
        1970-01-01T00:00:00.235Z  completed  account in 234 ms
        1970-01-01T00:00:00.236Z  started    provision/laptop  call http
        1970-01-01T00:00:00.500Z  retried    provision/laptop, attempt 2, again in 1.00 s: Service Unavailable: PATCH http://assets/1 answered 503 (communication, 503)
        1970-01-01T00:00:01.500Z  started    provision/laptop #2  call http
        1970-01-01T00:00:02.000Z  faulted    provision/laptop #2 in 500 ms: Service Unavailable: PATCH http://assets/1 answered 503 (communication, 503)
        1970-01-01T00:00:02.001Z  started    pause  wait, for 1.00 s
        1970-01-01T00:00:02.001Z  started    x  call f@c
        1970-01-01T00:00:02.001Z  revealed   x: `password` of the secret `login` to the connector `c`
        1970-01-01T00:00:02.002Z  cancelled  the run in 2.00 s by ops: toolate
        "##);
    }

    #[test]
    fn what_is_undone_is_no_task_that_starts() {
        let (flight, cancel) = (
            Some("/do/0/flight"),
            Some("/do/0/flight/compensate/0/cancel"),
        );
        let error = json!({ "type": "x/communication", "status": 503, "title": "Unavailable" });
        let items = [
            item(0, "task.compensation.started", flight),
            item(1, "task.started", cancel),
            item(2, "task.completed", cancel),
            item(3, "task.compensation.completed", flight),
            item(4, "task.compensation.started", flight),
            Item {
                error: Some(error),
                ..item(6, "task.compensation.faulted", flight)
            },
        ];
        let mut lines = Lines::new(Value::Null);
        let text: Vec<String> = items.iter().map(|item| lines.line(item)).collect();
        insta::assert_snapshot!(text.join("\n"), @r##"
        1970-01-01T00:00:00.000Z  undoing    flight
        1970-01-01T00:00:00.001Z  started    flight/cancel
        1970-01-01T00:00:00.002Z  completed  flight/cancel in 1 ms
        1970-01-01T00:00:00.003Z  undone     flight in 3 ms
        1970-01-01T00:00:00.004Z  undoing    flight
        1970-01-01T00:00:00.006Z  not undone  flight in 2 ms: Unavailable (communication, 503)
        "##);
    }

    #[test]
    fn a_path_is_the_names_in_a_pointer() {
        let cases = [
            ("/do/0/hello", "hello"),
            ("/do/0/try/try/1/inner/for/do/0/leaf", "try/inner/leaf"),
            ("/do/0/a~1b~0c", "a/b~c"),
            ("/do/3/7/do/0/8", "7/8"),
            ("", ""),
        ];
        for (pointer, expected) in cases {
            assert_eq!(path(pointer), expected, "{pointer}");
        }
    }

    #[test]
    fn times_go_there_and_back() {
        assert_eq!(time(1_641_024_000_123), "2022-01-01T08:00:00.123Z");
        assert_eq!(parse_time("2022-01-01T08:00:00.123Z"), 1_641_024_000_123);
        assert_eq!(parse_time("yesterday"), 0);
    }
}
