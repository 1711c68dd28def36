//! The schema without our additions is the specification's.

use serde_json::{Value, json};

use super::{DOCUMENT, specification, yaml};

/// What we have put in, by JSON pointer.
const ADDED: [&str; 12] = [
    "/title",
    "/$comment",
    "/properties/schedule/properties/timezone",
    "/properties/schedule/dependentRequired/timezone",
    "/$defs/taskBase/properties/compensate",
    "/$defs/taskBase/properties/needs",
    "/$defs/branchList",
    "/$defs/taskList/items/additionalProperties/properties",
    "/$defs/forTask/allOf/1/properties/for/properties/concurrency",
    // `call: approval` is no call of a function, which stands behind it.
    "/$defs/callTask/oneOf/7/allOf/1/properties/call/not/enum/6",
    "/$defs/callTask/oneOf/6",
    "/description",
];

/// What we have changed: beside the schema's own name and the list of branches, only so that it accepts what
/// the host accepts.
const CHANGED: [&str; 12] = [
    "/$id",
    "/$defs/forkTask/allOf/1/properties/fork/properties/branches/$ref",
    // Numbers and booleans as headers, and anything as a query parameter: a list is sent as several.
    "/$defs/callTask/oneOf/2/allOf/1/properties/with/properties/headers/oneOf/0/additionalProperties",
    "/$defs/callTask/oneOf/2/allOf/1/properties/with/properties/query/oneOf/0/additionalProperties",
    "/$defs/callTask/oneOf/5/allOf/1/properties/with/properties/transport/properties/stdio/properties/environment/additionalProperties",
    // An inline collection of anything, not of objects alone.
    "/$defs/forTask/allOf/1/properties/for/properties/in/oneOf/1/items",
    // The host of a gRPC service as an expression.
    "/$defs/callTask/oneOf/1/allOf/1/properties/with/properties/service/properties/host",
    // Several messages for a gRPC method that takes a stream of them.
    "/$defs/callTask/oneOf/1/allOf/1/properties/with/properties/arguments",
    // Expressions without `${ }`, as in every other place where nothing but an expression can stand.
    "/$defs/asyncApiSubscription/properties/filter",
    "/$defs/asyncApiMessageConsumptionPolicy/oneOf/1/properties/while",
    "/$defs/asyncApiMessageConsumptionPolicy/oneOf/2/properties/until",
    // The authority of OAuth2 as an expression.
    "/$defs/oauth2AuthenticationProperties/properties/authority",
];

#[test]
fn it_is_the_specifications_schema_with_our_additions() {
    let Some(folder) = specification() else {
        println!("not run: the specification is not there; set BATON_SPEC to its folder");
        return;
    };
    let text = std::fs::read_to_string(folder.join("schema/workflow.yaml")).expect("it is there");
    let mut theirs = yaml(&text);
    let mut ours = DOCUMENT.clone();
    for pointer in ADDED {
        remove(&mut ours, pointer);
    }
    remove(&mut theirs, "/description");
    for pointer in CHANGED {
        *ours.pointer_mut(pointer).expect(pointer) = json!("changed");
        *theirs.pointer_mut(pointer).expect(pointer) = json!("changed");
    }
    let mut different = Vec::new();
    compare(&ours, &theirs, "", &mut different);
    assert!(different.is_empty(), "{different:#?}");
}

#[test]
fn every_part_of_it_has_a_title_or_a_description() {
    let named = |part: &Value| part.get("title").or(part.get("description")).is_some();
    for pointer in ADDED {
        let part = DOCUMENT.pointer(pointer).expect(pointer);
        if part.is_object() && !pointer.ends_with("/properties") {
            assert!(named(part), "{pointer}");
        }
    }
}

/// Removes the member or item that a pointer points to.
fn remove(value: &mut Value, pointer: &str) {
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
    let removed = match value.pointer_mut(parent).expect(pointer) {
        Value::Object(members) => members.shift_remove(last),
        Value::Array(items) => {
            let at: usize = last.parse().expect(pointer);
            (at < items.len()).then(|| items.remove(at))
        }
        _ => None,
    };
    assert!(removed.is_some(), "there is no {pointer}");
}

/// Notes the places where two values differ, the order of members aside.
fn compare(ours: &Value, theirs: &Value, at: &str, different: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for key in ours.keys().chain(theirs.keys()) {
                let (ours, theirs) = (ours.get(key), theirs.get(key));
                match (ours, theirs) {
                    (Some(ours), Some(theirs)) => {
                        compare(ours, theirs, &format!("{at}/{key}"), different);
                    }
                    _ => different.push(format!("{at}/{key}: {ours:?} {theirs:?}")),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                compare(ours, theirs, &format!("{at}/{index}"), different);
            }
        }
        _ if ours == theirs => {}
        _ => different.push(format!("{at}: {ours} {theirs}")),
    }
}
