//! A connector that greets: all that it takes to be one.

mod fetch;

wit_bindgen::generate!({
    path: ["../../../wit", "wit"],
    world: "acme:greeter/connector",
    generate_all,
});

use baton::connector::types::{Failure, FailureKind};
use exports::acme::greeter::greetings::{Guest, Language, Person};
use wasi::config::store;

struct Greeter;

impl Guest for Greeter {
    fn greet(name: String) -> String {
        format!("Hello, {name}!")
    }

    fn welcome(person: Person) -> Result<String, Failure> {
        if person.name.trim().is_empty() {
            let detail = "a greeting needs somebody to greet";
            return Err(failure(FailureKind::Validation, "No name", detail));
        }
        let word = match person.language.unwrap_or(Language::English) {
            Language::English => "Welcome",
            Language::French => "Bienvenue",
            Language::German => "Willkommen",
        };
        let title = person
            .title
            .map(|title| format!("{title} "))
            .unwrap_or_default();
        Ok(format!("{word}, {title}{}!", person.name))
    }

    fn describe(value: String) -> String {
        format!(r#"{{"given":{value},"bytes":{}}}"#, value.len())
    }

    fn sign(text: String) -> Result<String, Failure> {
        match store::get("signature") {
            Ok(Some(signature)) => Ok(format!("{text}\n\n{signature}")),
            _ => Err(failure(
                FailureKind::Configuration,
                "No signature",
                "the setting `signature` is missing: give it with the grant",
            )),
        }
    }

    fn motto(url: String) -> Result<String, Failure> {
        fetch::text(&url).map(|motto| format!("Hello! {}", motto.trim()))
    }
}

fn failure(kind: FailureKind, title: &str, detail: &str) -> Failure {
    Failure {
        kind,
        title: title.to_owned(),
        detail: Some(detail.to_owned()),
        status: None,
        retry_after: None,
        data: None,
    }
}

export!(Greeter);
