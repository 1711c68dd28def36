//! Calls against a scripted agent: what is sent, and what comes of the answers.

use std::cell::RefCell;
use std::collections::VecDeque;

use a2a::{Arguments, call};
use calls::{Failure, Kind};
use outgoing::authentication::testing::Host;
use outgoing::{Answer, Request, Response, SendError};
use serde_json::{Value, json};

/// Makes a call; each request is answered with the next of the script.
fn exchange(
    arguments: &Arguments,
    script: Vec<Response>,
) -> (Vec<Request>, Result<Value, Failure>) {
    let script: RefCell<VecDeque<_>> = RefCell::new(script.into());
    let requests = RefCell::new(Vec::new());
    let network = |request: &Request| -> Result<Answer, SendError> {
        requests.borrow_mut().push(request.clone());
        let next = script.borrow_mut().pop_front();
        Ok(next
            .expect("another request was made than was scripted")
            .into())
    };
    let result = call(arguments, &network, &Host::default());
    assert!(script.borrow().is_empty(), "not all was asked for");
    (requests.into_inner(), result)
}

fn arguments(method: &str) -> Arguments {
    Arguments {
        method: method.to_owned(),
        server: Some(r#""http://a.test/rpc""#.to_owned()),
        idempotency_key: "key-7".to_owned(),
        ..Arguments::default()
    }
}

fn answer(status: u16, content_type: &str, body: &str) -> Response {
    Response {
        status,
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
        body: body.as_bytes().to_vec(),
    }
}

fn json_answer(body: &Value) -> Response {
    answer(200, "application/json", &body.to_string())
}

fn result(value: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "result": value})
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(request.body.as_deref().expect("a body")).expect("JSON")
}

#[test]
fn a_message_is_sent_with_its_defaults() {
    let arguments = Arguments {
        parameters: Some(r#"{"message":{"parts":[{"kind":"text","text":"hi"}]}}"#.to_owned()),
        ..arguments("message/send")
    };
    let (requests, output) = exchange(
        &arguments,
        vec![json_answer(&result(&json!({"id": "t-1"})))],
    );
    assert_eq!(output, Ok(json!({"id": "t-1"})));
    let sent = body(&requests[0]);
    assert_eq!(sent["method"], "message/send");
    let message = &sent["params"]["message"];
    assert_eq!(message["role"], "user");
    assert_eq!(message["parts"], json!([{"kind": "text", "text": "hi"}]));
    assert_eq!(message["messageId"], "6aa28fb4-f3ce-57d6-95fe-e4dcd2c652aa");
    assert_eq!(requests[0].header("idempotency-key"), Some("key-7"));
}

#[test]
fn the_card_says_where_the_agent_is() {
    let with = |card: &str| Arguments {
        agent_card: Some(card.to_owned()),
        server: Some(r#""http://ignored.test""#.to_owned()),
        ..arguments("tasks/list")
    };
    let secured = r#"{"endpoint":{"uri":"http://a.test/.well-known/agent-card.json","authentication":{"bearer":{"token":"t"}}}}"#;
    for (card, called, authorization) in [
        (
            json!({"url": "http://a.test/rpc"}),
            "http://a.test/rpc",
            Some("Bearer t"),
        ),
        (
            json!({"url": "http://b.test/rpc"}),
            "http://b.test/rpc",
            None,
        ),
        (
            json!({"url": "http://a.test/grpc", "preferredTransport": "GRPC", "additionalInterfaces": [{"transport": "JSONRPC", "url": "http://a.test:80/x"}]}),
            "http://a.test:80/x",
            // The default port is the same one.
            Some("Bearer t"),
        ),
        (
            json!({"supportedInterfaces": [{"protocolBinding": "JSONRPC", "url": "http://a.test/y"}]}),
            "http://a.test/y",
            Some("Bearer t"),
        ),
    ] {
        let script = vec![json_answer(&card), json_answer(&result(&json!([])))];
        let (requests, output) = exchange(&with(secured), script);
        assert_eq!(output, Ok(json!([])));
        assert_eq!(requests[0].header("authorization"), Some("Bearer t"));
        assert_eq!(requests[1].uri.as_str(), called);
        assert_eq!(
            requests[1].header("authorization"),
            authorization,
            "{called}"
        );
        assert_eq!(body(&requests[1]).get("params"), None);
    }
}

#[test]
fn a_card_without_an_agent_says_what_is_wrong() {
    let call = |response| {
        let arguments = Arguments {
            agent_card: Some(r#"{"endpoint":"http://a.test/card"}"#.to_owned()),
            ..arguments("tasks/list")
        };
        exchange(&arguments, vec![response])
            .1
            .expect_err("a failure")
    };
    for (response, kind, expected) in [
        (
            answer(404, "text/plain", "nothing here"),
            Kind::Communication,
            "answered 404: nothing here",
        ),
        (
            answer(200, "text/html", "<p>"),
            Kind::Communication,
            "it is no JSON",
        ),
        (
            json_answer(&json!({})),
            Kind::Communication,
            "says nowhere where the agent is",
        ),
        (
            json_answer(&json!({"url": "nowhere"})),
            Kind::Communication,
            "no absolute URI",
        ),
        (
            json_answer(&json!({"url": "http://a", "preferredTransport": "GRPC"})),
            Kind::Configuration,
            "offers GRPC, and not JSONRPC",
        ),
    ] {
        let failure = call(response);
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.detail.contains(expected), "{failure}");
    }
}

#[test]
fn a_stream_gives_all_results_in_order() {
    let events = |results: &[Value]| {
        let lines = results.iter().map(|it| format!("data: {}\n\n", result(it)));
        answer(200, "text/event-stream", &lines.collect::<String>())
    };
    let task = json!({"kind": "task", "id": "t"});
    let last = json!({"kind": "status-update", "final": true});
    for method in ["message/stream", "tasks/resubscribe"] {
        let script = vec![events(&[
            task.clone(),
            last.clone(),
            json!("after the end"),
        ])];
        let (requests, output) = exchange(&arguments(method), script);
        assert_eq!(output, Ok(json!([task, last])), "{method}");
        assert!(
            requests[0]
                .header("accept")
                .is_some_and(|it| it.starts_with("text/event-stream"))
        );
    }
    // One that closes without saying so has said all there is.
    let (_, output) = exchange(
        &arguments("message/stream"),
        vec![events(std::slice::from_ref(&task))],
    );
    assert_eq!(output, Ok(json!([task])));
    // And an agent that answers at once has one result.
    let (_, output) = exchange(
        &arguments("message/stream"),
        vec![json_answer(&result(&task))],
    );
    assert_eq!(output, Ok(json!([task])));
}

#[test]
fn an_error_of_the_agent_is_a_runtime_failure() {
    let error =
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32001, "message": "Task not found"}});
    let stream = answer(200, "text/event-stream", &format!("data: {error}\n\n"));
    for response in [json_answer(&error), stream] {
        let failure = exchange(&arguments("tasks/get"), vec![response])
            .1
            .expect_err("a failure");
        assert_eq!(failure.kind, Kind::Runtime);
        assert_eq!(
            failure.data,
            Some(json!({"code": -32001, "message": "Task not found"}).to_string())
        );
    }
}

#[test]
fn a_refusal_names_what_the_card_asks_for() {
    let arguments = Arguments {
        agent_card: Some(r#"{"endpoint":"http://a.test/card"}"#.to_owned()),
        ..arguments("tasks/list")
    };
    let card = json!({"url": "http://a.test/rpc", "securitySchemes": {"apiKey": {}, "oidc": {}}});
    let script = vec![json_answer(&card), answer(401, "text/plain", "")];
    let failure = exchange(&arguments, script).1.expect_err("a failure");
    assert_eq!(failure.kind, Kind::Authentication);
    assert!(
        failure
            .detail
            .ends_with("its card asks for authentication by apiKey, oidc"),
        "{failure}"
    );
}

#[test]
fn answers_and_arguments_that_are_none_say_so() {
    let failure =
        |arguments: &Arguments, script| exchange(arguments, script).1.expect_err("a failure");
    let other = json!({"jsonrpc": "2.0", "id": 2, "result": 1});
    let failed = failure(&arguments("tasks/get"), vec![json_answer(&other)]);
    assert!(
        failed.detail.contains("no answer to the request"),
        "{failed}"
    );
    let nowhere = Arguments {
        server: None,
        ..arguments("tasks/get")
    };
    assert!(
        failure(&nowhere, Vec::new())
            .detail
            .contains("neither `agentCard` nor `server`")
    );
    let wrong = Arguments {
        parameters: Some("[1]".to_owned()),
        ..arguments("tasks/get")
    };
    assert_eq!(failure(&wrong, Vec::new()).kind, Kind::Validation);
}
