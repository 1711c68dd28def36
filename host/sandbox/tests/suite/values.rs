//! JSON through a component and back, for types and values that chance makes up.
//!
//! A function with more than sixteen flattened parameters takes and gives a pointer, and a parameter has the
//! layout of a result: the identity function of core WebAssembly is an echo of any type.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Number, Value, json};

use crate::guest::{component, run};
use baton_sandbox::Grant;

#[derive(Debug, Clone)]
enum Ty {
    Bool,
    Int(&'static str, i128, i128),
    F32,
    F64,
    Char,
    Text,
    Json,
    Bytes,
    List(Box<Ty>),
    Option(Box<Ty>),
    Tuple(Vec<Ty>),
    Record(Vec<Ty>),
    Variant(Vec<Option<Ty>>),
    Enum(usize),
    Flags(usize),
    Result(Option<Box<Ty>>, Option<Box<Ty>>),
}

const INTS: [(&str, i128, i128); 8] = [
    ("s8", i8::MIN as i128, i8::MAX as i128),
    ("s16", i16::MIN as i128, i16::MAX as i128),
    ("s32", i32::MIN as i128, i32::MAX as i128),
    ("s64", i64::MIN as i128, i64::MAX as i128),
    ("u8", 0, u8::MAX as i128),
    ("u16", 0, u16::MAX as i128),
    ("u32", 0, u32::MAX as i128),
    ("u64", 0, u64::MAX as i128),
];

fn types() -> impl Strategy<Value = Ty> {
    let leaf = prop_oneof![
        Just(Ty::Bool),
        prop::sample::select(&INTS[..]).prop_map(|(name, low, high)| Ty::Int(name, low, high)),
        Just(Ty::F32),
        Just(Ty::F64),
        Just(Ty::Char),
        Just(Ty::Text),
        Just(Ty::Json),
        Just(Ty::Bytes),
        (1..5_usize).prop_map(Ty::Enum),
        (1..33_usize).prop_map(Ty::Flags),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed().prop_map(|item| match *item {
                Ty::Int("u8", ..) => Ty::Bytes,
                _ => Ty::List(item),
            }),
            boxed().prop_map(Ty::Option),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Ty::Tuple),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Ty::Record),
            prop::collection::vec(prop::option::of(inner.clone()), 1..4).prop_map(Ty::Variant),
            (prop::option::of(boxed()), prop::option::of(boxed()))
                .prop_map(|(ok, err)| Ty::Result(ok, err)),
        ]
    })
}

/// The type's WIT; declarations that it needs are added to `declared`.
fn wit(ty: &Ty, declared: &mut String) -> String {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    let name = || format!("t{}", NAMES.fetch_add(1, Ordering::Relaxed));
    let mut declare = |keyword: &str, body: String| {
        let name = name();
        declared.push_str(&format!("{keyword} {name} {{ {body} }}\n"));
        name
    };
    let numbered = |count: usize| {
        (0..count)
            .map(|n| format!("n{n}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match ty {
        Ty::Bool => "bool".to_owned(),
        Ty::Int(name, ..) => (*name).to_owned(),
        Ty::F32 => "f32".to_owned(),
        Ty::F64 => "f64".to_owned(),
        Ty::Char => "char".to_owned(),
        Ty::Text => "string".to_owned(),
        Ty::Json => "json".to_owned(),
        Ty::Bytes => "list<u8>".to_owned(),
        Ty::Enum(count) => declare("enum", numbered(*count)),
        Ty::Flags(count) => declare("flags", numbered(*count)),
        Ty::List(item) => format!("list<{}>", wit(item, declared)),
        Ty::Option(inner) => format!("option<{}>", wit(inner, declared)),
        Ty::Tuple(types) => {
            let types: Vec<_> = types.iter().map(|ty| wit(ty, declared)).collect();
            format!("tuple<{}>", types.join(", "))
        }
        Ty::Record(types) => {
            let fields: Vec<_> = types
                .iter()
                .enumerate()
                .map(|(n, ty)| format!("n{n}: {}", wit(ty, declared)))
                .collect();
            let name = name();
            declared.push_str(&format!("record {name} {{ {} }}\n", fields.join(", ")));
            name
        }
        Ty::Variant(cases) => {
            let cases = cases.iter().enumerate().map(|(n, ty)| match ty {
                None => format!("n{n}"),
                Some(ty) => format!("n{n}({})", wit(ty, declared)),
            });
            let cases = cases.collect::<Vec<_>>().join(", ");
            let name = name();
            declared.push_str(&format!("variant {name} {{ {cases} }}\n"));
            name
        }
        Ty::Result(ok, err) => {
            let mut side =
                |ty: &Option<Box<Ty>>| ty.as_ref().map_or("_".to_owned(), |ty| wit(ty, declared));
            match (ok, err) {
                (None, None) => "result".to_owned(),
                (Some(ok), None) => format!("result<{}>", wit(ok, declared)),
                _ => format!("result<{}, {}>", side(ok), side(err)),
            }
        }
    }
}

/// A value of the type, in the one form in which it comes back.
fn values(ty: &Ty) -> BoxedStrategy<Value> {
    let case = |n: usize, ty: Option<&Ty>| match ty {
        None => Just(json!(format!("n{n}"))).boxed(),
        Some(ty) => values(ty)
            .prop_map(move |value| json!({format!("n{n}"): value}))
            .boxed(),
    };
    match ty {
        Ty::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Ty::Int(_, low, high) => prop_oneof![Just(*low), Just(*high), *low..=*high]
            .prop_map(integer)
            .boxed(),
        Ty::F32 => any::<f32>()
            .prop_map(|n| float(n.to_string().parse().unwrap()))
            .boxed(),
        Ty::F64 => prop_oneof![
            any::<f64>(),
            Just(f64::NAN),
            Just(f64::INFINITY),
            Just(f64::NEG_INFINITY)
        ]
        .prop_map(float)
        .boxed(),
        Ty::Char => any::<char>().prop_map(|c| json!(c.to_string())).boxed(),
        Ty::Text => any::<String>().prop_map(Value::String).boxed(),
        Ty::Json => documents().boxed(),
        Ty::Bytes => prop::collection::vec(any::<u8>(), 0..20)
            .prop_map(|b| json!(STANDARD.encode(b)))
            .boxed(),
        Ty::List(item) => prop::collection::vec(values(item), 0..4)
            .prop_map(Value::Array)
            .boxed(),
        Ty::Option(inner) => {
            let some = values(inner);
            let some = if matches!(**inner, Ty::Option(_)) {
                some.prop_map(|value| json!({"some": value})).boxed()
            } else {
                some
            };
            prop_oneof![Just(Value::Null), some].boxed()
        }
        Ty::Tuple(types) => types
            .iter()
            .map(values)
            .collect::<Vec<_>>()
            .prop_map(Value::Array)
            .boxed(),
        Ty::Record(types) => {
            let optional: Vec<bool> = types.iter().map(|ty| matches!(ty, Ty::Option(_))).collect();
            let fields = types.iter().map(values).collect::<Vec<_>>();
            let object = move |values: Vec<Value>| {
                let fields = values.into_iter().enumerate();
                let there = fields.filter(|(n, value)| !(optional[*n] && value.is_null()));
                Value::Object(
                    there
                        .map(|(n, value)| (format!("n{n}"), value))
                        .collect::<Map<_, _>>(),
                )
            };
            fields.prop_map(object).boxed()
        }
        Ty::Variant(cases) => {
            let cases = cases
                .iter()
                .enumerate()
                .map(|(n, ty)| case(n, ty.as_ref()))
                .collect::<Vec<_>>();
            prop::strategy::Union::new(cases).boxed()
        }
        Ty::Enum(count) => (0..*count).prop_map(|n| json!(format!("n{n}"))).boxed(),
        Ty::Flags(count) => prop::collection::vec(any::<bool>(), *count)
            .prop_map(|set| {
                let names = set
                    .iter()
                    .enumerate()
                    .filter(|(_, on)| **on)
                    .map(|(n, _)| format!("n{n}"));
                json!(names.collect::<Vec<_>>())
            })
            .boxed(),
        Ty::Result(ok, err) => {
            let side = |name: &'static str, ty: &Option<Box<Ty>>| match ty {
                None => Just(json!(name)).boxed(),
                Some(ty) => values(ty)
                    .prop_map(move |value| json!({name: value}))
                    .boxed(),
            };
            prop_oneof![side("ok", ok), side("err", err)].boxed()
        }
    }
}

fn integer(n: i128) -> Value {
    Value::Number(u64::try_from(n).map_or_else(|_| Number::from(n as i64), Number::from))
}

fn float(n: f64) -> Value {
    let name = || {
        if n.is_nan() {
            "NaN"
        } else if n > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
    };
    Number::from_f64(n).map_or_else(|| json!(name()), Value::Number)
}

/// JSON documents. Null stands inside only: an optional document that is null is absent.
fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>()
            .prop_filter("JSON has finite numbers", |n| n.is_finite())
            .prop_map(|n| json!(n)),
        any::<String>().prop_map(Value::String),
        Just(json!([null])),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn echo(ty: &Ty) -> Vec<u8> {
    let mut declared = String::new();
    let ty = wit(ty, &mut declared);
    // Seventeen numbers, so that there are more than sixteen parameters whatever the type is.
    let padding = "u64, ".repeat(17);
    let wit = format!(
        "package test:guest;
         interface api {{
             use baton:connector/types@1.0.0.{{json}};
             {declared}
             run: func(value: tuple<{padding}{ty}>) -> tuple<{padding}{ty}>;
         }}
         world guest {{ export api; }}"
    );
    component(
        &wit,
        r#"(func (export "test:guest/api#run") (param i32) (result i32) (local.get 0))"#,
    )
}

#[test]
fn any_value_of_any_type_comes_back_as_it_went() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 96,
        failure_persistence: None,
        ..Config::default()
    });
    let cases = types().prop_flat_map(|ty| {
        let values = prop::collection::vec(values(&ty), 8);
        (Just(ty), values)
    });
    let test = |(ty, values): (Ty, Vec<Value>)| {
        let guest = echo(&ty);
        let function = baton_sandbox::inspect(&guest).unwrap().functions.remove(0);
        let schema = jsonschema::validator_for(&function.output_schema().unwrap()).unwrap();
        for value in values {
            let mut padded = vec![json!(0); 17];
            padded.push(value);
            let padded = Value::Array(padded);
            prop_assert!(
                schema.is_valid(&padded),
                "{padded} by {:?}",
                function.output_schema()
            );
            let outcome =
                runtime.block_on(run(&guest, json!({"value": padded}), &Grant::nothing()));
            prop_assert_eq!(outcome.result.unwrap(), padded);
        }
        Ok(())
    };
    runner.run(&cases, test).unwrap();
}

#[tokio::test]
async fn values_of_the_wrong_type_are_refused_where_they_are() {
    let declared = "enum color { red, green }
        flags rights { read, write }
        variant shape { dot, circle(f32) }
        record user { user-name: string, emails: list<string>, age: option<u8>, note: option<option<bool>> }";
    let wit = format!(
        "package test:guest;
         interface api {{
             use baton:connector/types@1.0.0.{{json}};
             {declared}
             record all {{ user: option<user>, color: option<color>, rights: option<rights>,
                 shape: option<shape>, bytes: option<list<u8>>, letter: option<char>, small: option<s8>,
                 large: option<u64>, single: option<f32>, either: option<result<u8>>, any: option<json> }}
             run: func(value: all);
         }}
         world guest {{ export api; }}"
    );
    let guest = component(&wit, r#"(func (export "test:guest/api#run") (param i32))"#);
    for (value, expected) in [
        (
            json!({"user": {"user-name": 1, "emails": []}}),
            "/value/user/user-name: expected a string, found a number",
        ),
        (
            json!({"user": {"user-name": "", "emails": [3]}}),
            "/value/user/emails/0: expected a string, found a number",
        ),
        (
            json!({"user": {"emails": []}}),
            "/value/user: missing field `user-name`: a string",
        ),
        (
            json!({"user": {"user_name": ""}}),
            "/value/user: unknown field `user_name`: did you mean `user-name`?",
        ),
        (
            json!({"user": {"user-name": "", "emails": [], "note": true}}),
            "/value/user/note: expected null, or {\"some\": …} around the inner option, found a boolean",
        ),
        (
            json!({"color": "gren"}),
            "/value/color: unknown case `gren`: did you mean `green`?",
        ),
        (
            json!({"color": "blue"}),
            "/value/color: unknown case `blue`: known are `red`, `green`",
        ),
        (
            json!({"rights": ["read", "read"]}),
            "/value/rights/1: flag `read` is there twice",
        ),
        (
            json!({"shape": "circle"}),
            "/value/shape: case `circle` has a payload: write {\"circle\": …} with a number",
        ),
        (
            json!({"shape": {"dot": null}}),
            "/value/shape: case `dot` has no payload: write just \"dot\"",
        ),
        (
            json!({"bytes": "a"}),
            "/value/bytes: expected base64 (RFC 4648, with padding)",
        ),
        (
            json!({"letter": "ab"}),
            "/value/letter: expected a string of one character, found a string",
        ),
        (
            json!({"small": -129}),
            "/value/small: expected an integer from -128 to 127, found -129",
        ),
        (
            json!({"small": 1.5}),
            "/value/small: expected an integer from -128 to 127, found 1.5",
        ),
        (
            json!({"large": "1"}),
            "/value/large: expected an integer, found a string",
        ),
        (json!({"single": 1e300}), "/value/single: 1"),
        (
            json!({"either": {"good": 1}}),
            "/value/either: unknown case `good`",
        ),
        (json!({"a/b": 1}), "/value: unknown field `a/b`"),
    ] {
        let failure = run(&guest, json!({"value": value}), &Grant::nothing())
            .await
            .result
            .unwrap_err();
        let detail = failure.detail.unwrap();
        assert!(detail.starts_with(expected), "{value}: {detail}");
    }
    let fine = json!({"value": {"small": 3.0, "large": 18_446_744_073_709_551_615_u64, "any": [1], "either": "err"}});
    assert!(run(&guest, fine, &Grant::nothing()).await.result.is_ok());
}
