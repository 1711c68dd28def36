//! Calls against a scripted service: what is sent, and what comes of the answers.

use std::cell::RefCell;

use calls::{Failure, Kind};
use grpc::{Arguments, call};
use outgoing::authentication::testing::Host;
use outgoing::{Answer, Body, Request, SendError};
use serde_json::{Value, json};

const PROTO: &str = r#"
syntax = "proto3";
package greet.v1;
import "google/protobuf/timestamp.proto";
import "greet/v1/place.proto";
message Hello { string name = 1; int64 times = 2; repeated string tags = 3; bytes raw = 4; google.protobuf.Timestamp at = 5; }
message Greeting { string text = 1; Place place = 2; uint32 count = 3; }
service Greeter {
  rpc SayHello(Hello) returns (Greeting);
  rpc Chat(stream Hello) returns (stream Greeting);
  rpc Gather(stream Hello) returns (Greeting);
  rpc Watch(Hello) returns (stream Greeting);
}
"#;

const PLACE: &str = r#"syntax = "proto3"; package greet.v1; message Place { string city = 1; }"#;

/// A body that has trailers behind it.
struct Scripted {
    parts: std::vec::IntoIter<Vec<u8>>,
    trailers: Vec<(String, String)>,
}

impl Body for Scripted {
    fn next(&mut self) -> Result<Option<Vec<u8>>, SendError> {
        Ok(Iterator::next(&mut self.parts))
    }

    fn trailers(&mut self) -> Result<Vec<(String, String)>, SendError> {
        Ok(std::mem::take(&mut self.trailers))
    }
}

fn owned(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    fields.iter().map(owned).collect()
}

fn file(status: u16, text: &str) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: Box::new(vec![text.as_bytes().to_vec()].into_iter()),
    }
}

/// `Greeting { text }`, in a frame.
fn greeting(text: &str) -> Vec<u8> {
    let mut frame = vec![0, 0, 0, 0, u8::try_from(text.len() + 2).expect("short")];
    frame.extend([0x0a, u8::try_from(text.len()).expect("short")]);
    frame.extend(text.as_bytes());
    frame
}

fn answer(parts: Vec<Vec<u8>>, trailers: &[(&str, &str)]) -> Answer {
    Answer {
        status: 200,
        headers: owned(&[("content-type", "application/grpc+proto")]),
        body: Box::new(Scripted {
            parts: parts.into_iter(),
            trailers: owned(trailers),
        }),
    }
}

fn arguments(method: &str, given: &Value) -> Arguments {
    Arguments {
        proto: r#"{"endpoint":"https://files.test/api/greet/v1/greeter.proto"}"#.to_owned(),
        service: r#"{"name":"greet.v1.Greeter","host":"grpc.test","port":5011,"authentication":{"bearer":{"token":"t"}}}"#.to_owned(),
        method: method.to_owned(),
        arguments: Some(given.to_string()),
        idempotency_key: "key-7".to_owned(),
        deadline: 60_000,
    }
}

/// Makes a call, with the files served and the service answering so.
fn exchange(
    arguments: &Arguments,
    service: impl Fn() -> Answer,
) -> (Vec<Request>, Result<Value, Failure>) {
    let requests = RefCell::new(Vec::new());
    let network = |request: &Request| -> Result<Answer, SendError> {
        requests.borrow_mut().push(request.clone());
        Ok(match request.uri.as_str() {
            "https://files.test/api/greet/v1/greeter.proto" => file(200, PROTO),
            "https://files.test/api/greet/v1/place.proto" => file(200, PLACE),
            "https://files.test/broken.proto" => file(
                200,
                "syntax = \"proto3\";\nmessage Hello {\n  string name = ;\n}\n",
            ),
            "https://files.test/typo.proto" => file(
                200,
                "syntax = \"proto3\";\nservice S { rpc A(Nowhere) returns (Nowhere); }",
            ),
            "https://files.test/loop.proto" => {
                file(200, "syntax = \"proto3\";\nimport \"loop.proto\";")
            }
            other if other.starts_with("http://grpc.test:5011/") => service(),
            _ => file(404, "no such file"),
        })
    };
    let result = call(arguments, &network, &Host::default());
    (requests.into_inner(), result)
}

fn ok() -> Answer {
    answer(vec![greeting("Hi Ada")], &[("grpc-status", "0")])
}

#[test]
fn a_message_goes_out_and_one_comes_back() {
    let given = json!({"name": "Ada", "times": "3", "tags": ["a"], "raw": "AQI=", "at": "2026-01-02T03:04:05Z"});
    let (requests, output) = exchange(&arguments("SayHello", &given), ok);
    assert_eq!(output, Ok(json!({"text": "Hi Ada", "count": 0})));
    let request = requests.last().expect("a request");
    assert_eq!(
        request.uri.as_str(),
        "http://grpc.test:5011/greet.v1.Greeter/SayHello"
    );
    for (name, value) in [
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("grpc-timeout", "60000m"),
        ("authorization", "Bearer t"),
        ("idempotency-key", "key-7"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    let body = request.body.as_deref().expect("a body");
    assert_eq!(&body[..10], b"\0\0\0\0\x16\x0a\x03Ada");
    // Beside the file as its import says, and without what is known.
    let files: Vec<&str> = requests
        .iter()
        .rev()
        .skip(1)
        .map(|it| it.uri.as_str())
        .collect();
    assert_eq!(
        files,
        [
            "https://files.test/api/greet/v1/place.proto",
            "https://files.test/api/greet/v1/greeter.proto"
        ]
    );
}

#[test]
fn streams_are_arrays() {
    let two = || {
        let mut bytes = greeting("one");
        bytes.extend(greeting("two"));
        // Cut in the middle of a head.
        let rest = bytes.split_off(12);
        answer(vec![bytes, rest], &[("grpc-status", "0")])
    };
    let (_, output) = exchange(&arguments("Watch", &json!({})), two);
    assert_eq!(output.expect("an output")[1]["text"], "two");

    let given = json!([{"name": "Ada"}, {"name": "Bo"}]);
    let (requests, output) = exchange(&arguments("Chat", &given), two);
    assert_eq!(output.expect("an output").as_array().map(Vec::len), Some(2));
    let body = requests
        .last()
        .and_then(|it| it.body.clone())
        .expect("a body");
    assert_eq!(body, b"\0\0\0\0\x05\x0a\x03Ada\0\0\0\0\x04\x0a\x02Bo");

    let (_, output) = exchange(&arguments("Gather", &json!([])), ok);
    assert_eq!(output.expect("an output")["text"], "Hi Ada");
    let (_, failed) = exchange(&arguments("SayHello", &json!({})), two);
    assert!(
        failed
            .expect_err("a failure")
            .detail
            .contains("several messages")
    );
}

#[test]
fn a_status_is_a_failure_of_its_kind() {
    for (code, kind, name, http) in [
        (16, Kind::Authentication, "UNAUTHENTICATED", 401),
        (7, Kind::Authorization, "PERMISSION_DENIED", 403),
        (4, Kind::Timeout, "DEADLINE_EXCEEDED", 504),
        (3, Kind::Validation, "INVALID_ARGUMENT", 400),
        (14, Kind::Communication, "UNAVAILABLE", 503),
        (5, Kind::Communication, "NOT_FOUND", 404),
        (99, Kind::Communication, "UNKNOWN", 500),
    ] {
        let text = code.to_string();
        let fields = [
            ("grpc-status", text.as_str()),
            ("grpc-message", "not%20now"),
        ];
        let in_trailers = || answer(Vec::new(), &fields);
        let in_head = || Answer {
            headers: owned(&fields),
            ..answer(Vec::new(), &[])
        };
        for failure in [
            exchange(&arguments("SayHello", &json!({})), in_trailers).1,
            exchange(&arguments("SayHello", &json!({})), in_head).1,
        ] {
            let failure = failure.expect_err("a failure");
            assert_eq!((failure.kind, failure.status), (kind, Some(http)), "{name}");
            assert!(
                failure
                    .detail
                    .ends_with(&format!("answered {name}: not now")),
                "{failure}"
            );
            let data = failure.data.expect("data");
            assert_eq!(
                data,
                json!({"code": code, "status": name, "message": "not now"}).to_string()
            );
        }
    }
}

#[test]
fn answers_that_are_none_say_so() {
    let failure = |service: fn() -> Answer| {
        exchange(&arguments("SayHello", &json!({})), service)
            .1
            .expect_err("a failure")
    };
    for (service, kind, expected) in [
        (
            (|| file(503, "")) as fn() -> Answer,
            Kind::Communication,
            "answered UNAVAILABLE: the answer was the HTTP status 503",
        ),
        (|| file(401, ""), Kind::Authentication, "UNAUTHENTICATED"),
        (|| file(200, "<p>"), Kind::Communication, "which is no gRPC"),
        (
            || answer(vec![greeting("x")], &[]),
            Kind::Communication,
            "has no grpc-status",
        ),
        (
            || answer(vec![vec![1, 0, 0, 0, 0]], &[]),
            Kind::Communication,
            "is compressed",
        ),
        (
            || answer(vec![vec![0, 0xff, 0xff, 0xff, 0xff, 1]], &[]),
            Kind::Communication,
            "has no grpc-status",
        ),
        (
            || answer(vec![vec![0, 0, 0, 0, 2, 0x0a, 9]], &[("grpc-status", "0")]),
            Kind::Communication,
            "is no `greet.v1.Greeting`",
        ),
        (
            || answer(Vec::new(), &[("grpc-status", "0")]),
            Kind::Communication,
            "no message instead of one",
        ),
    ] {
        let failure = failure(service);
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.detail.contains(expected), "{failure}");
    }
}

#[test]
fn what_is_wrong_with_a_proto_is_said_with_its_place() {
    for (name, expected) in [
        ("broken.proto", "broken.proto:3:17: expected an integer"),
        ("typo.proto", "typo.proto:2:19: "),
        ("loop.proto", "import cycle detected"),
        ("nowhere.proto", "answered 404: no such file"),
    ] {
        let arguments = Arguments {
            proto: json!({"endpoint": format!("https://files.test/{name}")}).to_string(),
            ..arguments("SayHello", &json!({}))
        };
        let failure = exchange(&arguments, ok).1.expect_err("a failure");
        assert!(failure.detail.contains(expected), "{failure}");
    }
}

#[test]
fn names_that_are_not_there_come_with_those_that_are() {
    let failure = |arguments: &Arguments| exchange(arguments, ok).1.expect_err("a failure");
    let method = failure(&arguments("sayhello", &json!({})));
    assert_eq!(
        method.detail,
        "there is no method of `greet.v1.Greeter` `sayhello`: there is `SayHello`, `Gather`, `Chat`, `Watch`"
    );
    let named = |name: &str| Arguments {
        service: json!({"name": name, "host": "grpc.test", "port": 5011}).to_string(),
        ..arguments("SayHello", &json!({}))
    };
    assert_eq!(
        failure(&named("Greetr")).detail,
        "there is no service `Greetr`: there is `greet.v1.Greeter`"
    );
    exchange(&named("Greeter"), ok)
        .1
        .expect("without its package");
}

#[test]
fn arguments_that_are_no_message_say_why() {
    for (method, given, expected) in [
        (
            "SayHello",
            json!({"nam": "x"}),
            "unrecognized field name 'nam'",
        ),
        (
            "SayHello",
            json!({"name": 7}),
            "arguments: this is no `greet.v1.Hello`",
        ),
        (
            "SayHello",
            json!([{}]),
            "expected an object, since `greet.v1.Greeter.SayHello` takes one message, and found an array",
        ),
        ("Chat", json!([{}, 7]), "arguments/1: this is no"),
        ("Chat", json!("x"), "expected an array of messages"),
    ] {
        let failure = exchange(&arguments(method, &given), ok)
            .1
            .expect_err("a failure");
        assert_eq!(failure.kind, Kind::Validation);
        assert!(failure.detail.contains(expected), "{failure}");
    }
}
