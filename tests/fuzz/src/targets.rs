//! What is fuzzed: each target takes any bytes and panics where a promise is broken. The fuzzer of
//! `tests/fuzz` and the short test with a fixed seed (`host/workflow/tests/fuzz.rs`) run the same functions.

use std::borrow::Cow;

use baton_workflow::cloud_event::http::{STRUCTURED, decode};
use baton_workflow::diagnostic::Diagnostic;
use baton_workflow::document::{Cron, Duration};
use baton_workflow::expression::Expression;
use baton_workflow::plan::{Catalog, FunctionReference, NoSuchFunction, Signature};
use baton_workflow::{Document, Plan};
use serde_json::{Value, json};

/// Expressions longer than this are left out: jq's parser recurses, which ends an instance of the component
/// and would end the fuzzer.
const EXPRESSION_BYTES_MAX: usize = 300;

/// The parser of documents, and the plan of what it accepts.
pub fn document(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        read(text);
    }
}

/// Texts in the places of a document that have a form of their own: durations, cron expressions, endpoints,
/// names, references.
pub fn fields(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // Whatever the text, these give an answer.
    let _ = Duration::parse_iso8601(text);
    let _ = Cron::parse(text);
    let places = [
        "/document/version",
        "/document/name",
        "/schedule/cron",
        "/schedule/timezone",
        "/schedule/every",
        "/do/0/get/with/endpoint",
        "/do/0/get/with/method",
        "/do/0/get/then",
        "/do/1/raise/raise/error/type",
        "/do/1/raise/raise/error/instance",
        "/do/2/pause/wait",
        "/do/2/pause/if",
        "/do/3/loop/for/in",
        "/do/3/loop/for/each",
        "/do/4/call/call",
    ];
    for place in places {
        let mut document = every_form();
        *document.pointer_mut(place).expect("there is such a place") = json!(text);
        read(&document.to_string());
    }
}

/// The way of an expression: finding its variables, the small evaluator and the syntax of the component.
/// Where the small evaluator answers, jq gives the same answer.
pub fn expression(data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else {
        return;
    };
    if source.len() > EXPRESSION_BYTES_MAX {
        return;
    }
    let available = ["context".to_owned(), "input".to_owned()];
    let expression = Expression::new(0, source, "/do/0/a/set", &available);
    let input = json!({ "a": { "b": [1, "two", null] }, "c": 0.5, "ü": { "": true } });
    let context = json!({ "b": { "a": -7 } });
    let variables = [("input", &input), ("context", &context)];
    let native = expression
        .evaluate_native(&input, &variables)
        .map(Cow::into_owned);
    let compiled = jq::Filter::compile(source, &expression.variables);
    if let Err(error) = &compiled {
        assert!(
            source.get(error.start..error.end).is_some(),
            "{error:?} is outside of {source:?}"
        );
    }
    // Only what the small evaluator takes is sure to end.
    let Some(native) = native else { return };
    let filter =
        compiled.unwrap_or_else(|error| panic!("jq refuses {source:?}: {}", error.message));
    let values: Vec<String> = expression
        .variables
        .iter()
        .map(|name| {
            if name == "input" {
                input.to_string()
            } else {
                context.to_string()
            }
        })
        .collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let answer = filter.evaluate(&input.to_string(), &values);
    let answer: Value = serde_json::from_str(
        &answer.unwrap_or_else(|error| panic!("jq fails on {source:?}: {error}")),
    )
    .expect("jq gives JSON");
    assert_eq!(native, answer, "{source:?}");
}

/// The decoder of events, on an HTTP message: headers line by line, an empty line, the body. What it takes
/// is an event of the same attributes in structured form.
pub fn cloud_event(data: &[u8]) {
    let end = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (data, &[][..]),
    };
    let headers = head.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = std::str::from_utf8(&line[..colon]).ok()?;
        Some((name, line[colon + 1..].trim_ascii()))
    });
    match decode(headers, body) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(events) => {
            for event in events {
                let text = event.envelope().to_string();
                let again = decode([("content-type", STRUCTURED.as_bytes())], text.as_bytes())
                    .unwrap_or_else(|error| panic!("{error}: {text}"));
                assert_eq!(again.len(), 1, "{text}");
                assert_eq!(again[0].envelope(), event.envelope());
                assert_eq!(again[0].data(), event.data());
                assert_eq!((again[0].id(), again[0].kind()), (event.id(), event.kind()));
            }
        }
    }
}

/// Reads a document, and checks what it promises of every text.
fn read(text: &str) {
    let reading = Document::read(text, None);
    for one in &reading.diagnostics {
        check(one, text);
    }
    let Some(document) = reading.document else {
        assert!(!reading.diagnostics.is_empty(), "no document and no reason");
        return;
    };
    for one in [document.unsupported(), document.not_portable()].concat() {
        check(&one, text);
    }
    assert_eq!(document.text(), text, "the text is kept byte for byte");
    if reading.diagnostics.iter().any(Diagnostic::is_error) {
        return;
    }
    if let Err(diagnostics) = Plan::new(&document, &AnyFunction) {
        assert!(!diagnostics.is_empty(), "no plan and no reason");
        for one in &diagnostics {
            check(one, text);
        }
    }
    // What was read is JSON, and is read as the same document.
    let json = document.value().to_string();
    let again = Document::parse(&*json, None)
        .unwrap_or_else(|diagnostics| panic!("{diagnostics:?}\n{json}"));
    assert_eq!(again.value().to_string(), json);
}

/// A diagnostic points into the text and can be shown.
fn check(one: &Diagnostic, text: &str) {
    assert!(text.get(one.span.start..one.span.end).is_some(), "{one:?}");
    assert!(!one.display("x").to_string().is_empty());
}

/// A document in which every kind of text with a form has a place.
fn every_form() -> Value {
    json!({
        "document": { "dsl": "1.0.3", "namespace": "test", "name": "forms", "version": "1.0.0" },
        "schedule": { "cron": "0 8 * * *", "timezone": "Europe/Berlin", "every": "PT1H" },
        "do": [
            { "get": { "call": "http", "with": { "method": "get", "endpoint": "http://a/{b}" }, "then": "continue" } },
            { "raise": { "if": ".a", "raise": { "error": { "type": "urn:x", "status": 400, "instance": "/do/0" } } } },
            { "pause": { "wait": "PT1S", "if": "${ .a }" } },
            { "loop": { "for": { "in": ".a", "each": "x" }, "do": [] } },
            { "call": { "call": "f@any" } },
        ],
    })
}

/// Every connector is there and has every function.
struct AnyFunction;

impl Catalog for AnyFunction {
    fn function(&self, _: &FunctionReference) -> Result<Signature, NoSuchFunction> {
        Ok(Signature {
            arguments: json!({ "type": "object" }),
            result: json!({}),
        })
    }
}
