//! Calls of a server that is a process: what is said to it, and what comes of what it says.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use calls::{Failure, Kind};
use mcp::{Arguments, call};
use outgoing::authentication::testing::Host;
use outgoing::{Answer, Request, SendError};
use process::{Command, End, Ended, Interrupted, ProcessError, Start, Talk};
use serde_json::{Value, json};

/// A machine on which a process writes these lines, and then ends or falls silent.
struct Machine {
    lines: Vec<String>,
    then: Interrupted,
    by: End,
    started: Rc<RefCell<Option<Command>>>,
    said: Rc<RefCell<Vec<Value>>>,
}

impl Machine {
    fn writes(lines: &[Value]) -> Self {
        Self {
            lines: lines.iter().map(Value::to_string).collect(),
            then: Interrupted::Closed,
            by: End::Code(3),
            started: Rc::default(),
            said: Rc::default(),
        }
    }

    fn call(&self) -> Result<Value, Failure> {
        call(&arguments(), &no_network, &Host::default(), self)
    }
}

struct Process {
    lines: VecDeque<String>,
    then: Interrupted,
    by: End,
    said: Rc<RefCell<Vec<Value>>>,
}

impl Start for Machine {
    type Process = Process;

    fn start(&self, command: &Command) -> Result<Process, ProcessError> {
        self.started.replace(Some(command.clone()));
        Ok(Process {
            lines: self.lines.clone().into(),
            then: self.then,
            by: self.by.clone(),
            said: self.said.clone(),
        })
    }
}

impl Talk for Process {
    fn say(&mut self, line: &str) -> Result<(), Interrupted> {
        assert!(!line.contains('\n'), "a message is one line");
        let message = serde_json::from_str(line).expect("a message is JSON");
        self.said.borrow_mut().push(message);
        Ok(())
    }

    fn hear(&mut self) -> Result<String, Interrupted> {
        self.lines.pop_front().ok_or(self.then)
    }

    fn end(&mut self) -> Ended {
        self.said.borrow_mut().push(json!("end"));
        Ended {
            by: self.by.clone(),
            stderr: "no token\n".to_owned(),
        }
    }
}

/// A machine that starts nothing.
struct Refusing(ProcessError);

impl Start for Refusing {
    type Process = Process;

    fn start(&self, _: &Command) -> Result<Process, ProcessError> {
        Err(self.0.clone())
    }
}

fn no_network(request: &Request) -> Result<Answer, SendError> {
    panic!("{} was to be sent", request.uri)
}

fn arguments() -> Arguments {
    Arguments {
        method: "tools/list".to_owned(),
        transport:
            r#"{"stdio":{"command":"serve","arguments":["--port",7],"environment":{"TOKEN":"t"}}}"#
                .to_owned(),
        idempotency_key: "key-7".to_owned(),
        ..Arguments::default()
    }
}

fn hello() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-06-18", "capabilities": {}}})
}

#[test]
fn a_server_is_started_talked_with_and_ended() {
    let mut machine = Machine::writes(&[
        hello(),
        json!({"jsonrpc": "2.0", "method": "notifications/message"}),
        json!({"jsonrpc": "2.0", "id": "p", "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": 2, "result": {"tools": []}}),
    ]);
    // What starts a server may greet.
    machine.lines.insert(0, "> serve 1.0.0".to_owned());
    machine.lines.insert(1, String::new());
    assert_eq!(machine.call(), Ok(json!({"tools": []})));

    let started = machine.started.take().expect("it was started");
    assert_eq!(started.program, "serve");
    assert_eq!(started.arguments, ["--port", "7"]);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        started.environment,
        [pair("BATON_IDEMPOTENCY_KEY", "key-7"), pair("TOKEN", "t")]
    );
    let said = machine.said.take();
    assert_eq!(said[0]["method"], "initialize");
    assert_eq!(said[1]["method"], "notifications/initialized");
    assert_eq!(
        said[2],
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})
    );
    assert_eq!(said[3], json!({"jsonrpc": "2.0", "id": "p", "result": {}}));
    assert_eq!(said[4..], ["end"]);
}

#[test]
fn a_server_that_ends_too_early_says_why() {
    let failure = Machine::writes(&[hello()]).call().expect_err("no answer");
    assert_eq!(failure.kind, Kind::Communication);
    assert_eq!(
        failure.detail,
        "the server `serve` ended with the exit code 3 before it answered: no token"
    );
    let silent = Machine {
        then: Interrupted::Late,
        ..Machine::writes(&[])
    };
    let failure = silent.call().expect_err("no answer");
    assert_eq!(failure.kind, Kind::Timeout, "{failure}");
    assert_eq!(silent.said.take().last(), Some(&json!("end")));
    let limited = Machine {
        by: End::Limit("it wrote more than 4 MiB".to_owned()),
        ..Machine::writes(&[])
    };
    let failure = limited.call().expect_err("no answer");
    assert_eq!(failure.kind, Kind::Runtime);
    assert!(
        failure.detail.ends_with("it wrote more than 4 MiB"),
        "{failure}"
    );
}

#[test]
fn an_error_of_the_server_ends_it_too() {
    let machine = Machine::writes(&[
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "no"}}),
    ]);
    let failure = machine.call().expect_err("an error");
    assert_eq!(failure.kind, Kind::Runtime);
    assert_eq!(machine.said.take()[1..], ["end"]);
}

#[test]
fn a_server_that_only_talks_is_not_waited_for() {
    let chatter = json!({"jsonrpc": "2.0", "method": "notifications/message"});
    let machine = Machine::writes(&vec![chatter; 10_001]);
    let failure = machine.call().expect_err("no answer");
    assert!(
        failure.detail.contains("among the first 10000 lines"),
        "{failure}"
    );
}

#[test]
fn a_server_that_is_not_started_says_why() {
    for (error, kind) in [
        (ProcessError::Denied("no".to_owned()), Kind::Authorization),
        (ProcessError::Failed("no".to_owned()), Kind::Configuration),
    ] {
        let failure = call(
            &arguments(),
            &no_network,
            &Host::default(),
            &Refusing(error),
        )
        .expect_err("not started");
        assert_eq!((failure.kind, &*failure.detail), (kind, "no"));
    }
}

#[test]
fn settings_that_are_none_are_refused() {
    for (stdio, expected) in [
        ("{}", "transport.stdio: it has no `command`"),
        (
            r#"{"command":7}"#,
            "transport.stdio.command: expected text, and found a number",
        ),
        (
            r#"{"command":"x","arguments":"y"}"#,
            "transport.stdio.arguments: expected an array, and found a string",
        ),
        (
            r#"{"command":"x","environment":{"A":[]}}"#,
            "transport.stdio.environment.A: expected text, and found an array",
        ),
    ] {
        let arguments = Arguments {
            transport: format!("{{\"stdio\":{stdio}}}"),
            ..arguments()
        };
        let refusing = Refusing(ProcessError::Failed("it was started".to_owned()));
        let failure =
            call(&arguments, &no_network, &Host::default(), &refusing).expect_err("a failure");
        assert_eq!(failure.kind, Kind::Validation, "{failure}");
        assert_eq!(failure.detail, expected);
    }
}
