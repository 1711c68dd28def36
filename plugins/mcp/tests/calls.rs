//! Calls against a scripted server: what is said, and what comes of the answers.

use std::cell::RefCell;
use std::collections::VecDeque;

use calls::{Failure, Kind};
use mcp::{Arguments, call};
use outgoing::authentication::testing::Host;
use outgoing::{Answer, ErrorKind, Request, Response, SendError};
use process::{Command, Ended, Interrupted, ProcessError, Start, Talk};
use serde_json::{Value, json};

type Script = Vec<Result<Response, SendError>>;

/// Makes a call; each request is answered with the next of the script.
fn exchange(arguments: &Arguments, script: Script) -> (Vec<Request>, Result<Value, Failure>) {
    let script: RefCell<VecDeque<_>> = RefCell::new(script.into());
    let requests = RefCell::new(Vec::new());
    let network = |request: &Request| -> Result<Answer, SendError> {
        requests.borrow_mut().push(request.clone());
        let next = script.borrow_mut().pop_front();
        next.expect("another request was made than was scripted")
            .map(Answer::from)
    };
    let result = call(arguments, &network, &Host::default(), &NoMachine);
    assert!(script.borrow().is_empty(), "not all was asked for");
    (requests.into_inner(), result)
}

/// A machine that nothing is to be run on.
struct NoMachine;

impl Start for NoMachine {
    type Process = NoProcess;

    fn start(&self, command: &Command) -> Result<NoProcess, ProcessError> {
        panic!("{} was to be started", command.program)
    }
}

enum NoProcess {}

impl Talk for NoProcess {
    fn say(&mut self, _: &str) -> Result<(), Interrupted> {
        match *self {}
    }

    fn hear(&mut self) -> Result<String, Interrupted> {
        match *self {}
    }

    fn end(&mut self) -> Ended {
        match *self {}
    }
}

fn arguments() -> Arguments {
    Arguments {
        method: "tools/call".to_owned(),
        transport: r#"{"http":{"endpoint":{"uri":"http://a.test/mcp","authentication":{"bearer":{"token":"t"}}},"headers":{"x-team":"it"}}}"#
            .to_owned(),
        parameters: Some(r#"{"name":"echo","arguments":{"text":"hi"}}"#.to_owned()),
        idempotency_key: "key-7".to_owned(),
        ..Arguments::default()
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Response, SendError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Ok(Response {
        status,
        headers: headers.iter().map(owned).collect(),
        body: body.as_bytes().to_vec(),
    })
}

fn json_answer(body: &Value) -> Result<Response, SendError> {
    answer(
        200,
        &[("content-type", "application/json")],
        &body.to_string(),
    )
}

fn stream(messages: &[Value]) -> Result<Response, SendError> {
    let events: String = messages
        .iter()
        .map(|message| format!("event: message\ndata: {message}\n\n"))
        .collect();
    answer(
        200,
        &[("content-type", "text/event-stream; charset=utf-8")],
        &events,
    )
}

fn hello(version: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": version, "capabilities": {}}})
}

fn result(value: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 2, "result": value})
}

fn body(request: &Request) -> Value {
    let body = request.body.as_deref().expect("a body");
    serde_json::from_slice(body).expect("JSON")
}

#[test]
fn a_session_is_opened_used_and_closed() {
    let hello = answer(
        200,
        &[
            ("content-type", "application/json"),
            ("mcp-session-id", "s-1"),
        ],
        &hello("2025-03-26").to_string(),
    );
    let script = vec![
        hello,
        answer(202, &[], ""),
        stream(&[
            json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}),
            result(&json!({"content": [{"type": "text", "text": "hi"}]})),
        ]),
        answer(405, &[], ""),
    ];
    let (requests, output) = exchange(&arguments(), script);
    assert_eq!(
        output,
        Ok(json!({"content": [{"type": "text", "text": "hi"}]}))
    );

    let said: Vec<Value> = requests[..3].iter().map(body).collect();
    assert_eq!(said[0]["method"], "initialize");
    assert_eq!(said[0]["params"]["protocolVersion"], "2025-06-18");
    assert_eq!(
        said[1],
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
    );
    assert_eq!(
        said[2],
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "hi"}}})
    );
    assert_eq!(requests[3].method, "DELETE");
    for request in &requests {
        assert_eq!(request.header("authorization"), Some("Bearer t"));
        assert_eq!(request.header("x-team"), Some("it"));
    }
    assert_eq!(requests[0].header("mcp-session-id"), None);
    assert_eq!(requests[0].header("mcp-protocol-version"), None);
    for request in &requests[1..] {
        assert_eq!(request.header("mcp-session-id"), Some("s-1"));
        assert_eq!(request.header("mcp-protocol-version"), Some("2025-03-26"));
    }
    // The key is that of the call, and of nothing else that the session takes.
    let keys = requests
        .iter()
        .map(|request| request.header("idempotency-key"));
    assert_eq!(keys.collect::<Vec<_>>(), [None, None, Some("key-7"), None]);
}

#[test]
fn what_the_server_asks_meanwhile_is_answered() {
    let script = vec![
        json_answer(&hello("2025-06-18")),
        answer(202, &[], ""),
        stream(&[
            json!({"jsonrpc": "2.0", "id": "p", "method": "ping"}),
            json!({"jsonrpc": "2.0", "id": "s", "method": "sampling/createMessage"}),
            json!({"jsonrpc": "2.0", "id": 99, "result": "somebody else's"}),
            result(&json!("done")),
        ]),
        answer(202, &[], ""),
        answer(202, &[], ""),
    ];
    let (requests, output) = exchange(&arguments(), script);
    assert_eq!(output, Ok(json!("done")));
    assert_eq!(
        body(&requests[3]),
        json!({"jsonrpc": "2.0", "id": "p", "result": {}})
    );
    assert_eq!(body(&requests[4])["error"]["code"], -32601);
}

#[test]
fn an_error_of_the_server_is_a_runtime_failure() {
    let error = json!({"jsonrpc": "2.0", "id": 2, "error": {"code": -32602, "message": "Unknown tool", "data": {"name": "echo"}}});
    let script = vec![
        json_answer(&hello("2025-06-18")),
        answer(202, &[], ""),
        json_answer(&error),
    ];
    let failure = exchange(&arguments(), script).1.expect_err("a failure");
    assert_eq!(failure.kind, Kind::Runtime);
    assert_eq!(
        failure.detail,
        "tools/call was answered with the error -32602: Unknown tool"
    );
    assert_eq!(
        failure.data,
        Some(
            json!({"code": -32602, "message": "Unknown tool", "data": {"name": "echo"}})
                .to_string()
        )
    );
}

#[test]
fn a_version_that_is_not_known_ends_the_session() {
    let failure = exchange(&arguments(), vec![json_answer(&hello("1999-01-01"))])
        .1
        .expect_err("a failure");
    assert_eq!(failure.kind, Kind::Configuration);
    assert!(failure.detail.contains("version 1999-01-01"), "{failure}");
    // One that the workflow asks for itself is the workflow's business.
    let asked = Arguments {
        protocol_version: Some("1999-01-01".to_owned()),
        client: Some(r#"{"name":"me","version":"7"}"#.to_owned()),
        ..arguments()
    };
    let script = vec![
        json_answer(&hello("1999-01-01")),
        answer(202, &[], ""),
        json_answer(&result(&json!(1))),
    ];
    let (requests, output) = exchange(&asked, script);
    assert_eq!(output, Ok(json!(1)));
    assert_eq!(
        body(&requests[0])["params"]["clientInfo"],
        json!({"name": "me", "version": "7"})
    );
}

#[test]
fn answers_that_are_none_say_so() {
    let one = |response| {
        exchange(&arguments(), vec![response])
            .1
            .expect_err("a failure")
    };
    let cases = [
        (
            answer(401, &[], "who are you"),
            Kind::Authentication,
            "answered 401: who are you",
        ),
        (answer(404, &[], ""), Kind::Communication, "answered 404"),
        (
            answer(200, &[("content-type", "text/html")], "<p>"),
            Kind::Communication,
            "neither JSON nor a stream",
        ),
        (
            answer(200, &[("content-type", "application/json")], "{"),
            Kind::Communication,
            "no JSON",
        ),
        (
            json_answer(&json!({"id": 1})),
            Kind::Communication,
            "no message of JSON-RPC 2.0",
        ),
        (
            json_answer(&json!({"jsonrpc": "2.0", "id": 1, "result": {}})),
            Kind::Communication,
            "names no version",
        ),
        (stream(&[]), Kind::Communication, "ended without an answer"),
        (
            Err(SendError::new(
                ErrorKind::Timeout,
                "no answer arrived in time",
            )),
            Kind::Timeout,
            "no answer arrived in time",
        ),
        (
            Err(SendError::new(ErrorKind::Refused, "not granted")),
            Kind::Authorization,
            "not granted",
        ),
    ];
    for (response, kind, detail) in cases {
        let failure = one(response);
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.detail.contains(detail), "{failure}");
    }
}

#[test]
fn a_server_that_only_talks_is_not_waited_for() {
    let chatter = json!({"jsonrpc": "2.0", "method": "notifications/message"});
    let script = vec![stream(&vec![chatter; 10_001])];
    let failure = exchange(&arguments(), script).1.expect_err("a failure");
    assert!(
        failure.detail.contains("among the first 10000 messages"),
        "{failure}"
    );
}

#[test]
fn arguments_that_make_no_call_are_refused() {
    for (arguments, kind, expected) in [
        (
            Arguments {
                transport: "{}".to_owned(),
                ..arguments()
            },
            Kind::Validation,
            "transport: expected an object with either `http` or `stdio`",
        ),
        (
            Arguments {
                transport: r#"{"http":{"endpoint":"http://a"},"stdio":{"command":"x"}}"#.to_owned(),
                ..arguments()
            },
            Kind::Validation,
            "transport: expected an object with either",
        ),
        (
            Arguments {
                transport: r#"{"http":{"endpoint":7}}"#.to_owned(),
                ..arguments()
            },
            Kind::Validation,
            "transport.http.endpoint: expected a URI",
        ),
        (
            Arguments {
                transport: r#"{"http":{"endpoint":"http://a","headers":{"x":[]}}}"#.to_owned(),
                ..arguments()
            },
            Kind::Validation,
            "transport.http.headers.x: expected text, and found an array",
        ),
        (
            Arguments {
                parameters: Some("3".to_owned()),
                ..arguments()
            },
            Kind::Validation,
            "parameters: expected an object, and found a number",
        ),
        (
            Arguments {
                client: Some(r#"{"name":"x"}"#.to_owned()),
                ..arguments()
            },
            Kind::Validation,
            "client: it has no `version`",
        ),
    ] {
        let failure = exchange(&arguments, Vec::new()).1.expect_err("a failure");
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.detail.contains(expected), "{failure}");
    }
}
