//! A connector that greets: all that it takes to be one.

wit_bindgen::generate!({
    path: ["../../../wit", "wit"],
    world: "acme:greeter/connector",
    generate_all,
});

use baton::connector::types::{Failure, FailureKind};
use exports::acme::greeter::greetings::{Guest, Language, Person};

struct Greeter;

impl Guest for Greeter {
    fn greet(name: String) -> String {
        format!("Hello, {name}!")
    }

    fn welcome(person: Person) -> Result<String, Failure> {
        if person.name.trim().is_empty() {
            return Err(Failure {
                kind: FailureKind::Validation,
                title: "No name".to_owned(),
                detail: Some("a greeting needs somebody to greet".to_owned()),
                status: None,
                retry_after: None,
                data: None,
            });
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
}

export!(Greeter);
