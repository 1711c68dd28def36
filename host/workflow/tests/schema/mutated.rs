//! Whatever the reader accepts fits the schema: on documents that are right, with a part of them changed.

use std::sync::LazyLock;

use baton_workflow::Document;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::{corpus, violations};

static DOCUMENTS: LazyLock<Vec<(String, Value)>> = LazyLock::new(corpus::valid);

/// What a part of a document is replaced with, or a member of it called.
fn values() -> [Value; 12] {
    [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(""),
        json!("a"),
        json!("PT1S"),
        json!("${ .a }"),
        json!([]),
        json!({}),
        json!({ "a": "b" }),
    ]
}

/// The pointers of all parts, in order.
fn parts(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                parts(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                parts(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// A change of a document.
#[derive(Clone, Debug)]
enum Change {
    /// Puts another value there.
    Replace(Index),
    /// Takes it away.
    Remove,
    /// Adds a member that stands elsewhere in some document.
    Add(Index, Index),
    /// Puts a part of some document there.
    Graft(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<Index>().prop_map(Change::Replace),
        Just(Change::Remove),
        (any::<Index>(), any::<Index>()).prop_map(|(document, part)| Change::Add(document, part)),
        (any::<Index>(), any::<Index>()).prop_map(|(document, part)| Change::Graft(document, part)),
    ]
}

fn part_of(document: &Index, part: &Index) -> (String, Value) {
    let (_, document) = document.get(&DOCUMENTS);
    let mut pointers = Vec::new();
    parts(document, "", &mut pointers);
    let pointer = part.get(&pointers);
    let value = document.pointer(pointer).expect("it was found there");
    let key = pointer.rsplit('/').next().unwrap_or_default();
    (key.to_owned(), value.clone())
}

fn apply(document: &mut Value, at: &Index, change: &Change) {
    let mut pointers = Vec::new();
    parts(document, "", &mut pointers);
    let pointer = at.get(&pointers).clone();
    let part = document.pointer_mut(&pointer).expect("it was found there");
    match change {
        Change::Replace(value) => *part = value.get(&values()).clone(),
        Change::Graft(of, which) => *part = part_of(of, which).1,
        Change::Add(of, which) => {
            if let Value::Object(members) = part {
                let (key, value) = part_of(of, which);
                members.insert(key, value);
            }
        }
        Change::Remove => {
            let Some((parent, last)) = pointer.rsplit_once('/') else {
                return;
            };
            match document.pointer_mut(parent) {
                Some(Value::Object(members)) => drop(members.shift_remove(last)),
                Some(Value::Array(items)) => drop(items.remove(last.parse().expect("an index"))),
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_reader_accepts_fits_the_schema(of in any::<Index>(), changes in prop::collection::vec((any::<Index>(), change()), 1..3)) {
        let (name, document) = of.get(&DOCUMENTS);
        let mut document = document.clone();
        for (at, change) in &changes {
            apply(&mut document, at, change);
        }
        if Document::parse(document.to_string(), None).is_ok() {
            let violations = violations(&document);
            prop_assert!(violations.is_empty(), "{name}\n{document:#}\n{violations}");
        }
    }
}
