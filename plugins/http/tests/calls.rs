//! Calls against a scripted network: what is sent, and what comes of the answers.

use std::cell::RefCell;
use std::collections::VecDeque;

use http::{Arguments, Failure, Kind, OutputFormat, call};
use outgoing::authentication::testing::Host;
use outgoing::{ErrorKind, Request, Response, SendError};

/// Makes a call; each request is answered with the next of `responses`.
fn exchange(
    arguments: &Arguments,
    responses: impl IntoIterator<Item = Result<Response, SendError>>,
) -> (Vec<Request>, Result<String, Failure>) {
    let responses: RefCell<VecDeque<_>> = RefCell::new(responses.into_iter().collect());
    let requests = RefCell::new(Vec::new());
    let network = |request: &Request| {
        requests.borrow_mut().push(request.clone());
        responses
            .borrow_mut()
            .pop_front()
            .expect("another request was made than was scripted")
    };
    let result = call(arguments, &network, &Host::default());
    (requests.into_inner(), result)
}

/// The request that a call makes.
fn request(arguments: &Arguments) -> Request {
    let (mut requests, result) = exchange(arguments, [Ok(answer(200, &[], ""))]);
    result.expect("the call should succeed");
    requests.remove(0)
}

/// The output of a GET that is answered so.
fn output(format: OutputFormat, content_type: &str, body: &str) -> Result<String, Failure> {
    let response = answer(200, &[("content-type", content_type)], body);
    exchange(
        &Arguments {
            output: format,
            ..get()
        },
        [Ok(response)],
    )
    .1
}

/// The failure of a call that should not get as far as a request.
fn refused(arguments: &Arguments) -> Failure {
    let (requests, result) = exchange(arguments, []);
    assert!(requests.is_empty());
    result.expect_err("the call should fail")
}

fn get() -> Arguments {
    Arguments {
        method: "get".to_owned(),
        endpoint: r#""https://api.test/v1/things?a=1""#.to_owned(),
        idempotency_key: "key-7".to_owned(),
        ..Arguments::default()
    }
}

fn post(body: &str) -> Arguments {
    Arguments {
        method: "post".to_owned(),
        body: Some(body.to_owned()),
        ..get()
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Response {
        status,
        headers: headers.iter().map(owned).collect(),
        body: body.as_bytes().to_vec(),
    }
}

#[test]
fn a_request_is_what_the_arguments_say() {
    let arguments = Arguments {
        headers: Some(r#"{"X-Count":3,"x-flag":true,"x-none":null,"x-text":" a "}"#.to_owned()),
        query: Some(r#"{"q":"a b&c/ü","n":[1,"two"],"none":null,"yes":true}"#.to_owned()),
        ..get()
    };
    let request = request(&arguments);
    assert_eq!(request.method, "GET");
    assert_eq!(
        request.uri.as_str(),
        "https://api.test/v1/things?a=1&q=a%20b%26c%2F%C3%BC&n=1&n=two&yes=true"
    );
    assert_eq!(request.body, None);
    for (name, value) in [
        ("x-count", "3"),
        ("x-flag", "true"),
        ("x-text", "a"),
        ("accept", "*/*"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert_eq!(request.header("x-none"), None);
    assert_eq!(
        request.header("idempotency-key"),
        None,
        "GET is safe by itself"
    );
}

#[test]
fn a_query_is_added_whatever_the_uri_has() {
    for (uri, expected) in [
        ("https://a.test", "https://a.test?q=1"),
        ("https://a.test/x?", "https://a.test/x?q=1"),
        ("https://a.test/x?y", "https://a.test/x?y&q=1"),
        ("https://a.test/x?y&", "https://a.test/x?y&q=1"),
        ("https://a.test/x#part?z", "https://a.test/x?q=1#part?z"),
    ] {
        let arguments = Arguments {
            endpoint: format!("{uri:?}"),
            query: Some(r#"{"q":1}"#.to_owned()),
            ..get()
        };
        assert_eq!(request(&arguments).uri.as_str(), expected);
    }
}

#[test]
fn bodies_are_sent_as_their_type_and_the_header_say() {
    let json = Some(r#"{"content-type":"application/vnd.api+json"}"#);
    let form = Some(r#"{"Content-Type":"application/x-www-form-urlencoded"}"#);
    let xml = Some(r#"{"content-type":"application/xml"}"#);
    for (body, headers, content_type, sent) in [
        (
            r#"{"z":1,"a":2.50}"#,
            None,
            "application/json",
            r#"{"z":1,"a":2.5}"#,
        ),
        ("[1]", None, "application/json", "[1]"),
        ("7", None, "application/json", "7"),
        (r#""plain""#, None, "text/plain; charset=utf-8", "plain"),
        (r#"{"a":1}"#, json, "application/vnd.api+json", r#"{"a":1}"#),
        (
            r#""{\"a\":1}""#,
            json,
            "application/vnd.api+json",
            r#"{"a":1}"#,
        ),
        (
            r#"{"a":"x y","b":[1,2]}"#,
            form,
            "application/x-www-form-urlencoded",
            "a=x+y&b=1&b=2",
        ),
        (
            "7",
            Some(r#"{"content-type":"text/plain"}"#),
            "text/plain",
            "7",
        ),
        (r#""<a/>""#, xml, "application/xml", "<a/>"),
    ] {
        let arguments = Arguments {
            headers: headers.map(str::to_owned),
            ..post(body)
        };
        let request = request(&arguments);
        assert_eq!(request.header("content-type"), Some(content_type), "{body}");
        assert_eq!(request.body.as_deref(), Some(sent.as_bytes()), "{body}");
    }
}

#[test]
fn a_post_without_body_has_an_empty_one() {
    let request = request(&Arguments {
        body: None,
        ..post("")
    });
    assert_eq!(
        (request.body.as_deref(), request.header("content-type")),
        (Some(&[][..]), None)
    );
}

#[test]
fn unsafe_methods_carry_the_key_unless_the_workflow_has_one() {
    for method in ["post", "Put", "PATCH", "delete"] {
        let arguments = Arguments {
            method: method.to_owned(),
            ..get()
        };
        assert_eq!(
            request(&arguments).header("Idempotency-Key"),
            Some("key-7"),
            "{method}"
        );
    }
    let own = Some(r#"{"idempotency-key":"mine"}"#.to_owned());
    let request = request(&Arguments {
        headers: own,
        ..post("1")
    });
    assert_eq!(request.header("idempotency-key"), Some("mine"));
    let keys = request
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"));
    assert_eq!(keys.count(), 1);
}

#[test]
fn authentication_becomes_a_header() {
    for (policy, expected) in [
        (
            r#"{"basic":{"username":"Aladdin","password":"open sesame"}}"#,
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ),
        (r#"{"bearer":{"token":"t0k"}}"#, "Bearer t0k"),
    ] {
        let arguments = Arguments {
            endpoint: format!(r#"{{"uri":"https://a.test/","authentication":{policy}}}"#),
            headers: Some(r#"{"Authorization":"old"}"#.to_owned()),
            ..get()
        };
        let request = request(&arguments);
        assert_eq!(request.header("authorization"), Some(expected));
        assert!(!request.headers.iter().any(|(_, value)| value == "old"));
    }
}

#[test]
fn arguments_that_make_no_request_are_refused() {
    let endpoint = |json: &str| Arguments {
        endpoint: json.to_owned(),
        ..get()
    };
    let policy = |json: &str| {
        endpoint(&format!(
            r#"{{"uri":"https://a.test/","authentication":{json}}}"#
        ))
    };
    let headers = |json: &str| Arguments {
        headers: Some(json.to_owned()),
        ..get()
    };
    let query = |json: &str| Arguments {
        query: Some(json.to_owned()),
        ..get()
    };
    let xml = Some(r#"{"content-type":"application/xml"}"#.to_owned());
    for (arguments, kind, detail) in [
        (
            Arguments {
                method: "ge t".to_owned(),
                ..get()
            },
            Kind::Validation,
            "method: \"ge t\"",
        ),
        (
            Arguments {
                method: String::new(),
                ..get()
            },
            Kind::Validation,
            "method: \"\"",
        ),
        (
            endpoint(r#""/relative""#),
            Kind::Validation,
            "no absolute URI",
        ),
        (
            endpoint(r#""https://a.test/a b""#),
            Kind::Validation,
            "encode what a URI may not hold",
        ),
        (
            endpoint(r#""ftp://a.test/""#),
            Kind::Validation,
            "neither http nor https",
        ),
        (
            endpoint(r#""https:///x""#),
            Kind::Validation,
            "names no host",
        ),
        (
            endpoint(r#""https://user:pass@a.test/""#),
            Kind::Validation,
            "holds credentials",
        ),
        (endpoint("7"), Kind::Validation, "found a number"),
        (endpoint("{}"), Kind::Validation, "it has no `uri`"),
        (
            endpoint(r#"{"uri":"https://a.test","auth":1}"#),
            Kind::Validation,
            "unknown key `auth`",
        ),
        (
            policy(r#"{"oauth2":{}}"#),
            Kind::Validation,
            "oauth2.authority: expected a string",
        ),
        (
            policy(r#"{"oauth2":{"authority":"https://id.test","grant":"authorization_code"}}"#),
            Kind::Configuration,
            "needs a person",
        ),
        (
            policy(r#"{"use":"nobody"}"#),
            Kind::Configuration,
            "was not found",
        ),
        (
            policy(r#"{"basic":{"username":"a"}}"#),
            Kind::Validation,
            "basic.password: expected a string",
        ),
        (
            policy(r#"{"basic":{"username":"a:b","password":"s3cret"}}"#),
            Kind::Validation,
            "colon",
        ),
        (
            policy(r#"{"bearer":{"token":"s3cret\n"}}"#),
            Kind::Validation,
            "control character",
        ),
        (
            policy(r#"{"basic":{},"bearer":{}}"#),
            Kind::Validation,
            "one key",
        ),
        (
            headers("[1]"),
            Kind::Validation,
            "headers: expected an object",
        ),
        (
            headers(r#"{"a b":"1"}"#),
            Kind::Validation,
            "no name of a header",
        ),
        (
            headers(r#"{"a":"s3cret\r\nx: y"}"#),
            Kind::Validation,
            "the value of a holds a control",
        ),
        (
            headers(r#"{"a":{}}"#),
            Kind::Validation,
            "expected text for a, and found an object",
        ),
        (
            query(r#"{"a":{"b":1}}"#),
            Kind::Validation,
            "for `a`, and found an object",
        ),
        (
            query("\"a=1\""),
            Kind::Validation,
            "query: expected an object",
        ),
        (
            Arguments {
                headers: xml,
                ..post(r#"{"a":1}"#)
            },
            Kind::Validation,
            "cannot be sent as application/xml",
        ),
    ] {
        let failure = refused(&arguments);
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert!(failure.detail.contains(detail), "{failure:?}");
        assert!(
            !failure.detail.contains("s3cret") && !failure.detail.contains("pass@"),
            "{failure:?}"
        );
    }
}

#[test]
fn content_is_read_by_its_type() {
    let content = |content_type, body| output(OutputFormat::Content, content_type, body).unwrap();
    for (content_type, body, expected) in [
        (
            "application/json",
            r#" {"n": 12345678901234567890.10} "#,
            r#"{"n": 12345678901234567890.10}"#,
        ),
        ("application/problem+json; charset=utf-8", "[1]", "[1]"),
        ("text/plain", "hé", r#""hé""#),
        ("application/xml", "<a/>", r#""<a/>""#),
        ("application/octet-stream", "hi", r#""aGk=""#),
        ("", "hi", r#""aGk=""#),
        ("application/json", "", "null"),
    ] {
        assert_eq!(content(content_type, body), expected, "{content_type}");
    }
    let failure = output(OutputFormat::Content, "application/json", "<html>").unwrap_err();
    assert_eq!(
        (failure.kind, failure.status),
        (Kind::Communication, Some(200))
    );
    assert!(
        failure.detail.contains("no JSON") && failure.detail.contains("<html>"),
        "{failure:?}"
    );
}

#[test]
fn the_output_is_what_was_asked_for() {
    assert_eq!(
        output(OutputFormat::Raw, "application/json", "[1]").unwrap(),
        r#""WzFd""#
    );
    let whole = output(OutputFormat::Response, "application/json", "[1]").unwrap();
    let whole: serde_json::Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["request"]["method"], "GET");
    assert_eq!(whole["request"]["uri"], "https://api.test/v1/things?a=1");
    assert_eq!(whole["request"]["headers"]["accept"], "*/*");
    assert_eq!(whole["statusCode"], 200);
    assert_eq!(whole["headers"]["content-type"], "application/json");
    assert_eq!(whole["content"], serde_json::json!([1]));
}

#[test]
fn a_whole_response_shows_no_credentials() {
    let arguments = Arguments {
        endpoint: r#"{"uri":"https://a.test/","authentication":{"bearer":{"token":"s3cret"}}}"#
            .to_owned(),
        headers: Some(r#"{"Cookie":"s3cret"}"#.to_owned()),
        output: OutputFormat::Response,
        ..get()
    };
    let response = answer(200, &[("set-cookie", "s3cret"), ("a", "1"), ("a", "2")], "");
    let whole = exchange(&arguments, [Ok(response)]).1.unwrap();
    assert!(!whole.contains("s3cret"), "{whole}");
    assert!(whole.contains(r#""a":"1, 2""#), "{whole}");
}

#[test]
fn other_statuses_are_failures() {
    let headers = [("content-type", "application/json"), ("retry-after", "3")];
    let response = answer(503, &headers, r#"{"why": "busy"}"#);
    let failure = exchange(&get(), [Ok(response)]).1.unwrap_err();
    assert_eq!(failure.kind, Kind::Communication);
    assert_eq!(failure.title, "Service Unavailable");
    assert_eq!(failure.status, Some(503));
    assert_eq!(failure.retry_after, Some(3000));
    assert_eq!(failure.data.as_deref(), Some(r#"{"why": "busy"}"#));
    assert_eq!(
        failure.detail,
        r#"GET https://api.test/v1/things?a=1 answered 503 Service Unavailable: {"why": "busy"}"#
    );
    for status in [300, 304, 401, 403, 404, 418, 599] {
        let failure = exchange(&get(), [Ok(answer(status, &[], ""))])
            .1
            .unwrap_err();
        assert_eq!(
            (failure.kind, failure.status),
            (Kind::Communication, Some(status))
        );
    }
    for status in [200, 201, 204, 299] {
        assert_eq!(
            exchange(&get(), [Ok(answer(status, &[], ""))]).1.as_deref(),
            Ok("null")
        );
    }
}

#[test]
fn a_long_content_is_cut_in_detail_and_left_out_of_data() {
    let long = format!("{:?}", "ü ".repeat(100_000));
    let response = answer(500, &[("content-type", "application/json")], &long);
    let failure = exchange(&get(), [Ok(response)]).1.unwrap_err();
    assert!(
        failure.detail.len() < 1000 && failure.detail.ends_with('…'),
        "{}",
        failure.detail
    );
    assert_eq!(failure.data, None);
}

#[test]
fn retry_after_may_be_a_date() {
    let date = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
    for (headers, expected) in [
        (
            vec![date, ("retry-after", "Wed, 21 Oct 2026 07:28:05 GMT")],
            Some(5000),
        ),
        (
            vec![date, ("retry-after", "Wed, 21 Oct 2026 07:27:00 GMT")],
            Some(0),
        ),
        (vec![("retry-after", "Wed, 21 Oct 2026 07:28:05 GMT")], None),
        (vec![date, ("retry-after", "soon")], None),
        (vec![("retry-after", "99999999999999999999")], None),
        (vec![], None),
    ] {
        let failure = exchange(&get(), [Ok(answer(429, &headers, ""))])
            .1
            .unwrap_err();
        assert_eq!(failure.retry_after, expected, "{headers:?}");
    }
}

#[test]
fn no_response_is_a_failure_of_its_kind() {
    for (error, kind) in [
        (ErrorKind::Refused, Kind::Authorization),
        (ErrorKind::Invalid, Kind::Validation),
        (ErrorKind::Timeout, Kind::Timeout),
        (ErrorKind::Communication, Kind::Communication),
    ] {
        let failure = exchange(&get(), [Err(SendError::new(error, "so it is"))])
            .1
            .unwrap_err();
        assert_eq!((failure.kind, failure.status), (kind, None));
        assert_eq!(
            failure.detail,
            "GET https://api.test/v1/things?a=1: so it is"
        );
    }
}

mod redirects {
    use super::*;

    fn redirect(status: u16, location: &str) -> Result<Response, SendError> {
        Ok(answer(status, &[("location", location)], ""))
    }

    fn following(arguments: Arguments) -> Arguments {
        Arguments {
            redirect: true,
            ..arguments
        }
    }

    #[test]
    fn are_failures_unless_asked_for() {
        let (requests, result) = exchange(&get(), [redirect(302, "/there")]);
        assert_eq!((requests.len(), result.unwrap_err().status), (1, Some(302)));
    }

    #[test]
    fn are_followed_to_where_they_lead() {
        for (location, expected) in [
            ("https://other.test/x", "https://other.test/x"),
            ("/there?b=2", "https://api.test/there?b=2"),
            ("there", "https://api.test/v1/there"),
            ("../up", "https://api.test/up"),
            ("//other.test", "https://other.test"),
            ("?only=query", "https://api.test/v1/things?only=query"),
        ] {
            let script = [redirect(302, location), Ok(answer(200, &[], ""))];
            let (requests, result) = exchange(&following(get()), script);
            assert_eq!(result.as_deref(), Ok("null"));
            assert_eq!(requests[1].uri.as_str(), expected, "{location}");
        }
    }

    #[test]
    fn change_the_method_as_rfc_9110_says() {
        for (status, method, expected, keeps_body) in [
            (301, "POST", "GET", false),
            (302, "POST", "GET", false),
            (302, "PUT", "PUT", true),
            (303, "PUT", "GET", false),
            (303, "HEAD", "HEAD", false),
            (307, "POST", "POST", true),
            (308, "PATCH", "PATCH", true),
        ] {
            let body = (method != "HEAD").then(|| r#"{"a":1}"#.to_owned());
            let arguments = Arguments {
                method: method.to_owned(),
                body,
                ..get()
            };
            let script = [redirect(status, "/x"), Ok(answer(200, &[], ""))];
            let (requests, _) = exchange(&following(arguments), script);
            assert_eq!(requests[1].method, expected, "{status} {method}");
            assert_eq!(requests[1].body.is_some(), keeps_body, "{status} {method}");
            assert_eq!(requests[1].header("content-type").is_some(), keeps_body);
            assert_eq!(requests[1].header("idempotency-key").is_some(), keeps_body);
        }
    }

    #[test]
    fn to_another_origin_carry_no_credentials() {
        let policy = r#"{"bearer":{"token":"t"}}"#;
        for (location, carries) in [
            ("https://api.test:443/x", true),
            ("/x", true),
            ("http://api.test/x", false),
            ("https://api.test:8443/x", false),
            ("https://other.test/x", false),
        ] {
            let arguments = Arguments {
                endpoint: format!(r#"{{"uri":"https://api.test/","authentication":{policy}}}"#),
                headers: Some(r#"{"cookie":"c","x-kept":"k"}"#.to_owned()),
                ..following(get())
            };
            let script = [redirect(307, location), Ok(answer(200, &[], ""))];
            let (requests, _) = exchange(&arguments, script);
            assert_eq!(
                requests[1].header("authorization").is_some(),
                carries,
                "{location}"
            );
            assert_eq!(
                requests[1].header("cookie").is_some(),
                carries,
                "{location}"
            );
            assert_eq!(requests[1].header("x-kept"), Some("k"));
        }
    }

    #[test]
    fn end_somewhere() {
        let script: Vec<_> = (0..12).map(|n| redirect(302, &format!("/{n}"))).collect();
        let (requests, result) = exchange(&following(get()), script);
        assert_eq!(requests.len(), 11);
        let failure = result.unwrap_err();
        assert_eq!(
            (failure.kind, failure.title.as_str()),
            (Kind::Communication, "Too many redirects")
        );
    }

    #[test]
    fn to_nowhere_are_the_answer_or_a_failure() {
        let (_, result) = exchange(&following(get()), [Ok(answer(304, &[], ""))]);
        assert_eq!(result.as_deref(), Ok("null"));
        for location in [
            "ftp://a.test/",
            "https://u:p@a.test/",
            "http://[",
            "https:///",
        ] {
            let (_, result) = exchange(&following(get()), [redirect(302, location)]);
            assert_eq!(result.unwrap_err().title, "Invalid redirect", "{location}");
        }
    }

    #[test]
    fn show_the_last_request_in_the_response() {
        let arguments = Arguments {
            output: OutputFormat::Response,
            ..following(get())
        };
        let script = [redirect(302, "/x"), Ok(answer(200, &[], ""))];
        let whole = exchange(&arguments, script).1.unwrap();
        assert!(whole.contains(r#""uri":"https://api.test/x""#), "{whole}");
    }
}
