//! Secrets: filled in on the way out, taken out on the way back, and never handed to a guest that may not have them.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use baton_sandbox::limits::REVEALS_MAX;
use baton_sandbox::{
    CallContext, Capability, FailureKind, Outcome, Placeholder, Reveal, Reveals, Secret,
    SecretValue, Secrets,
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::guest::{component, context, grant, load, sandbox};

const VALUE: &str = "pässword/\"1\"";

/// A server that answers with what it was sent, and keeps it.
struct Echo {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let seen = Arc::clone(&seen);
                let service = service_fn(move |request: Request<Incoming>| {
                    let seen = Arc::clone(&seen);
                    async move { Ok::<_, Infallible>(echo(request, &seen).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn echo(request: Request<Incoming>, seen: &Mutex<Vec<String>>) -> Response<Full<Bytes>> {
    let header = request.headers().get("x-token").cloned();
    let text =
        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let (uri, token) = (
        request.uri().to_string(),
        header.as_ref().map(text).unwrap_or_default(),
    );
    let authorization = request.headers().get("authorization").map(text);
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    let said = json!({"uri": uri, "token": token, "body": body, "authorization": authorization});
    seen.lock().unwrap().push(said.to_string());
    let mut answer = Response::builder().header("content-type", "application/json");
    if let Some(header) = header {
        answer = answer.header("x-echo", header);
    }
    answer
        .body(Full::new(Bytes::from(said.to_string())))
        .unwrap()
}

fn placeholder() -> Placeholder {
    Placeholder::from_bytes([0x5e; 16])
}

fn with_secret(value: &str, host: &str) -> CallContext {
    let secret = Secret {
        name: "key".to_owned(),
        member: None,
        placeholder: placeholder(),
        value: SecretValue::new(value.to_owned()),
        hosts: Arc::from([host.parse().unwrap()]),
    };
    CallContext {
        secrets: Secrets::new(vec![secret]),
        ..context()
    }
}

async fn request(arguments: Value, port: u16, context: CallContext) -> Outcome {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/dist/http.wasm");
    let bytes = std::fs::read(path).expect("plugins/dist/http.wasm is part of the repository");
    let connector = sandbox().load(&bytes).unwrap();
    let function = connector.function(None, "request").unwrap();
    let grant = grant(&json!({"egress": [format!("http://127.0.0.1:{port}")]}));
    connector.call(function, &arguments, &grant, context).await
}

#[tokio::test]
async fn values_are_filled_in_on_the_way_out_and_taken_out_on_the_way_back() {
    let echo = Echo::start().await;
    let place = placeholder();
    let arguments = json!({
        "method": "post",
        "endpoint": format!("http://127.0.0.1:{}/a/{place}", echo.port),
        "query": {"q": place},
        "headers": {"x-token": format!("Token {place}")},
        "body": {"k": place},
        "output": "response",
    });
    let bound = format!("127.0.0.1:{}", echo.port);
    let outcome = request(arguments, echo.port, with_secret(VALUE, &bound)).await;
    let asked: Value = serde_json::from_str(&echo.asked()[0]).unwrap();
    let encoded = "p%C3%A4ssword%2F%221%22";
    assert_eq!(asked["uri"], format!("/a/{encoded}?q={encoded}"));
    assert_eq!(asked["token"], format!("Token {VALUE}"));
    assert_eq!(asked["body"], json!({"k": VALUE}).to_string());

    let output = outcome.result.unwrap();
    let place = place.to_string();
    assert_eq!(output["headers"]["x-echo"], format!("Token {place}"));
    assert_eq!(output["content"]["uri"], format!("/a/{place}?q={place}"));
    assert_eq!(output["content"]["token"], format!("Token {place}"));
    let shown = output.to_string();
    for form in ["pässword", encoded, "word/"] {
        assert!(!shown.contains(form), "{form} in {shown}");
    }
    assert!(!outcome.pure);
}

#[tokio::test]
async fn a_secret_is_not_sent_to_a_host_that_it_is_not_bound_to() {
    let echo = Echo::start().await;
    let url = format!("http://127.0.0.1:{}/", echo.port);
    for arguments in [
        json!({"method": "get", "endpoint": url, "query": {"q": placeholder()}}),
        json!({"method": "get", "endpoint": url, "headers": {"x-token": placeholder()}}),
        json!({"method": "post", "endpoint": url, "body": {"k": placeholder()}}),
    ] {
        let outcome = request(arguments, echo.port, with_secret(VALUE, "a.example")).await;
        let failure = outcome.result.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Authorization, "{failure}");
        let detail = failure.detail.unwrap();
        let expected = format!("the secret `key` is not bound to 127.0.0.1:{}", echo.port);
        assert!(detail.contains(&expected), "{detail}");
    }
    assert_eq!(echo.asked(), [""; 0]);
}

#[tokio::test]
async fn a_placeholder_that_the_call_may_not_use_is_not_sent() {
    let echo = Echo::start().await;
    let arguments = json!({
        "method": "get",
        "endpoint": format!("http://127.0.0.1:{}/{}", echo.port, placeholder()),
    });
    let outcome = request(arguments, echo.port, context()).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Authorization, "{failure}");
    assert!(
        failure.to_string().contains("that this call may not use"),
        "{failure}"
    );
    assert_eq!(echo.asked(), [""; 0]);
}

/// A guest that asks for a secret, through `get` or `reveal`, and gives back what it gets.
fn asking(function: &str) -> Vec<u8> {
    component(
        "package test:guest;
         interface api { run: func(name: string) -> result<string, string>; }
         world guest { import baton:connector/secrets@1.0.0; export api; }",
        &r#"(import "baton:connector/secrets@1.0.0" "$FUNCTION"
              (func $ask (param i32 i32 i32 i32 i32 i32)))
            (;end of imports;)
            (func (export "test:guest/api#run") (param $at i32) (param $length i32) (result i32)
              (call $ask (local.get $at) (local.get $length) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
              ;; An error is a case and a text, where the result has the text alone.
              (if (i32.load8_u (i32.const 64)) (then
                (i32.store (i32.const 68) (i32.load (i32.const 72)))
                (i32.store (i32.const 72) (i32.load (i32.const 76)))))
              (i32.const 64))"#
            .replace("$FUNCTION", function),
    )
}

async fn ask(function: &str, name: &str, spec: &Value) -> Outcome {
    let connector = load(&asking(function));
    let function = connector.function(None, "run").unwrap();
    let context = with_secret(VALUE, "a.example");
    connector
        .call(function, &json!({"name": name}), &grant(spec), context)
        .await
}

#[tokio::test]
async fn a_guest_gets_the_placeholders_of_its_grant_alone() {
    let outcome = ask("get", "key", &json!({"secrets": ["key"]})).await;
    assert_eq!(outcome.result.unwrap(), placeholder().to_string());
    assert!(!outcome.pure);

    for spec in [
        json!({}),
        json!({"secrets": ["other"]}),
        json!({"reveal": ["key"]}),
    ] {
        let outcome = ask("get", "key", &spec).await;
        let failure = outcome.result.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Authorization);
        assert_eq!(outcome.refusals[0].capability, Capability::Secrets);
        assert_eq!(
            outcome.refusals[0].reason,
            "the grant does not have `key` among its `secrets`"
        );
    }

    let outcome = ask("get", "gone", &json!({"secrets": ["gone"]})).await;
    let failure = outcome.result.unwrap_err().to_string();
    assert!(failure.contains("there is no secret `gone`"), "{failure}");
}

#[tokio::test]
async fn a_value_is_revealed_by_name_alone_and_noted() {
    let outcome = ask("reveal", "key", &json!({"reveal": ["key"]})).await;
    assert_eq!(outcome.result.unwrap(), VALUE);
    assert_eq!(
        outcome.log[0].message,
        "the value of the secret `key` was given to the connector"
    );
    let outcome = ask("reveal", "key", &json!({"secrets": ["key"]})).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Authorization);
    assert!(!failure.to_string().contains(VALUE) && outcome.log.is_empty());
}

#[tokio::test]
async fn a_value_is_given_once_it_is_recorded_and_never_where_it_is_not() {
    let recorded = Arc::new(Mutex::new(Vec::new()));
    for is_recorded in [true, false] {
        let told = Arc::clone(&recorded);
        let reveals = Reveals::new(move |reveal, reply| {
            told.lock().unwrap().push(reveal);
            if is_recorded {
                reply.send(()).unwrap();
            }
        });
        let context = CallContext {
            reveals: Some(reveals),
            ..with_secret(VALUE, "a.example")
        };
        let connector = load(&asking("reveal"));
        let function = connector.function(None, "run").unwrap();
        let grant = grant(&json!({"reveal": ["key"]}));
        let arguments = json!({"name": "key"});
        let outcome = connector.call(function, &arguments, &grant, context).await;
        let reveal = Reveal {
            secret: "key".to_owned(),
            member: None,
        };
        assert_eq!(std::mem::take(&mut *recorded.lock().unwrap()), [reveal]);
        if is_recorded {
            assert_eq!(outcome.result.unwrap(), VALUE);
        } else {
            let failure = outcome.result.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Authorization);
            assert!(!failure.to_string().contains(VALUE) && outcome.log.is_empty());
            assert!(outcome.refusals[0].reason.contains("could not be recorded"));
        }
    }
}

/// A guest that asks for the value of the secret that it is told of and then for those after it in the alphabet, twice
/// each, until it has asked for so many or is refused; what it was answered last.
fn greedy(count: u32) -> Vec<u8> {
    component(
        "package test:guest;
         interface api { run: func(name: string) -> result<string, string>; }
         world guest { import baton:connector/secrets@1.0.0; export api; }",
        &r#"(import "baton:connector/secrets@1.0.0" "reveal"
              (func $ask (param i32 i32 i32 i32 i32 i32)))
            (;end of imports;)
            (func (export "test:guest/api#run") (param $at i32) (param $length i32) (result i32)
              (local $left i32)
              (local.set $left (i32.const $TWICE))
              (loop $next
                (call $ask (local.get $at) (local.get $length) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
                (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                (if (i32.load8_u (i32.const 64)) (then
                  (i32.store (i32.const 68) (i32.load (i32.const 72)))
                  (i32.store (i32.const 72) (i32.load (i32.const 76)))
                  (return (i32.const 64))))
                (i32.store8 (local.get $at)
                  (i32.add (i32.load8_u (local.get $at))
                    (i32.eqz (i32.and (local.get $left) (i32.const 1)))))
                (br_if $next (local.get $left)))
              (i32.const 64))"#
            .replace("$TWICE", &(2 * count).to_string()),
    )
}

#[tokio::test]
async fn a_call_is_given_so_many_values_each_counted_once() {
    let letters = 'A'..='z';
    let names: Vec<String> = letters.map(String::from).collect();
    let call = async |count: usize| {
        let recorded = Arc::new(Mutex::new(0));
        let told = Arc::clone(&recorded);
        let reveals = Reveals::new(move |_, reply| {
            *told.lock().unwrap() += 1;
            reply.send(()).unwrap();
        });
        let secret = |name: &String| Secret {
            name: name.clone(),
            member: None,
            placeholder: placeholder(),
            value: SecretValue::new(VALUE.to_owned()),
            hosts: Arc::from([]),
        };
        let context = CallContext {
            secrets: Secrets::new(names.iter().map(secret).collect()),
            reveals: Some(reveals),
            ..context()
        };
        let connector = load(&greedy(u32::try_from(count).unwrap()));
        let function = connector.function(None, "run").unwrap();
        let (grant, arguments) = (grant(&json!({"reveal": names})), json!({"name": "A"}));
        let outcome = connector.call(function, &arguments, &grant, context).await;
        let recorded = *recorded.lock().unwrap();
        (outcome, recorded)
    };
    let (outcome, recorded) = call(REVEALS_MAX).await;
    assert_eq!(
        (outcome.result.unwrap(), recorded),
        (json!(VALUE), REVEALS_MAX)
    );
    let (outcome, recorded) = call(REVEALS_MAX + 1).await;
    let failure = outcome.result.unwrap_err().to_string();
    assert!(failure.contains("as many as may be"), "{failure}");
    assert_eq!((recorded, outcome.refusals.len()), (REVEALS_MAX, 1));
}

#[test]
fn no_value_is_shown_for_debugging() {
    let shown = format!("{:?}", with_secret(VALUE, "a.example"));
    assert!(
        shown.contains("key") && !shown.contains("ssword"),
        "{shown}"
    );
}
