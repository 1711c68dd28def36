//! The support matrix, `docs/support.md`, says what is true: it names every property of the language, and
//! every test that it names is there.

use std::collections::{BTreeMap, BTreeSet};

use baton_tests::paths;
use serde_json::Value;

/// A section of the matrix: what it is about, as JSON pointers into the schema, and its rows.
#[derive(Default)]
struct Section {
    title: String,
    about: Vec<String>,
    rows: Vec<[String; 3]>,
}

/// The sections that have rows, in order.
fn sections() -> Vec<Section> {
    let text =
        std::fs::read_to_string(paths::file("docs/support.md")).expect("the matrix is there");
    let mut sections = vec![Section::default()];
    for line in text.lines() {
        let section = sections.last_mut().expect("there is one");
        if let Some(title) = line.strip_prefix("## ") {
            sections.push(Section {
                title: title.to_owned(),
                ..Section::default()
            });
        } else if let Some(about) = line
            .strip_prefix("<!-- ")
            .and_then(|rest| rest.strip_suffix(" -->"))
        {
            section
                .about
                .extend(about.split_whitespace().map(str::to_owned));
        } else if let Some(cells) = line
            .strip_prefix("| ")
            .and_then(|rest| rest.strip_suffix(" |"))
        {
            let cells: Vec<&str> = cells.split(" | ").collect();
            let [what, state, tests] = cells[..] else {
                panic!("{}: a row has three cells: {line}", section.title);
            };
            if what != "property" {
                section.rows.push([what, state, tests].map(str::to_owned));
            }
        }
    }
    sections.retain(|section| !section.rows.is_empty());
    sections
}

/// The parts of a text between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_row_says_whether_it_works_and_what_proves_it() {
    for section in sections() {
        for [what, state, tests] in &section.rows {
            let place = format!("{}: {what}", section.title);
            let stated = state == "yes" || state.starts_with("yes: ") || state.starts_with("no: ");
            assert!(
                stated,
                "{place}: {state:?} is not `yes`, `yes: but` or `no: why`"
            );
            if state.starts_with("yes") {
                assert!(quoted(tests).next().is_some(), "{place}: no test is named");
            }
        }
    }
}

#[test]
fn every_test_that_is_named_is_there() {
    let mut texts = BTreeMap::new();
    let mut missing = Vec::new();
    for section in sections() {
        for [_, _, tests] in &section.rows {
            for test in quoted(tests) {
                let (path, name) = test.split_once("::").unwrap_or_else(|| {
                    panic!("{}: `{test}` is not of the form path::name", section.title)
                });
                let text: &String = texts.entry(path.to_owned()).or_insert_with(|| {
                    std::fs::read_to_string(paths::file(path)).unwrap_or_default()
                });
                let found = match path.ends_with(".feature") {
                    true => text
                        .lines()
                        .any(|line| line.trim() == format!("Scenario: {name}")),
                    false => text.contains(&format!("fn {name}(")),
                };
                if !found {
                    missing.push(format!("{}: {test}", section.title));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_property_of_the_language_has_its_place() {
    let text = std::fs::read_to_string(paths::file("host/workflow/schema/workflow.json"))
        .expect("the schema is there");
    let schema: Value = serde_json::from_str(&text).expect("the schema is JSON");
    let sections = sections();
    let mut named = BTreeMap::<&str, BTreeSet<&str>>::new();
    for section in &sections {
        for about in &section.about {
            assert!(
                schema.pointer(&about[1..]).is_some(),
                "{}: no {about}",
                section.title
            );
            let words = section.rows.iter().flat_map(|[what, _, _]| quoted(what));
            named.entry(about).or_default().extend(words);
        }
    }
    let mut properties = Vec::new();
    collect(&schema, "#", &mut properties);
    let mut missing = Vec::new();
    for (at, property) in properties {
        // The nearest section around it.
        let section = named
            .keys()
            .filter(|about| is_within(&at, about))
            .max_by_key(|about| about.len());
        match section {
            Some(section) if named[section].contains(&*property) => {}
            section => missing.push(format!("{property} of {at}, in the section of {section:?}")),
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

fn is_within(at: &str, around: &str) -> bool {
    at == around
        || at
            .strip_prefix(around)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// The properties that a schema names, each with the place of the object that has it.
fn collect(schema: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                found.extend(properties.keys().map(|name| (at.to_owned(), name.clone())));
            }
            for (key, value) in members {
                collect(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}
