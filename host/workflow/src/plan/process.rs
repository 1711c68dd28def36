//! `run` of a script, a shell command or a container: a function of a connector that ships with the host.

use serde_json::{Map, Value, json};

use super::builder::{Moment, child};
use super::catalog::FunctionReference;
use super::lower::Lowering;
use super::{DurationTemplate, Template};
use crate::diagnostic::code;
use crate::document::{
    self, Container, Lifetime, Located, ProcessReturn, PullPolicy, Script, ScriptSource, Shell,
};
use crate::expression::enclosed;

/// The function that every connector of processes has.
pub(crate) const FUNCTION: &str = "run";

/// The languages of scripts, by the names that documents may give them, and the connector of each
/// (dsl-reference, "Script Process").
const LANGUAGES: [(&str, &str); 4] = [
    ("js", "javascript"),
    ("javascript", "javascript"),
    ("python", "python"),
    ("py", "python"),
];

/// A process (dsl-reference, "Run").
#[derive(Debug)]
pub(crate) struct Process {
    /// The connector that runs it.
    pub(crate) connector: &'static str,
    /// An object: what the connector is given, its texts not yet made texts.
    pub(crate) arguments: Template,
    /// How long after its end a container is removed, where that is neither at once nor never.
    pub(crate) removal: Option<DurationTemplate>,
    /// Whether the task waits for its end.
    pub(crate) awaited: bool,
    /// What of it is the task's output.
    pub(crate) output: ProcessReturn,
}

impl Process {
    /// The function that is called, as the history and the graph show it.
    pub(crate) fn function(&self) -> String {
        format!("{FUNCTION}@{}", self.connector)
    }
}

/// What a task runs, and how.
pub(super) struct Settings {
    /// Where the process stands: `/do/0/x/run/script`.
    pointer: String,
    awaited: bool,
    output: ProcessReturn,
}

impl Settings {
    /// Of the process under `key` of the `run` at the pointer `run`.
    pub(super) fn new(run: &str, key: &str, it: &document::Run) -> Self {
        Self {
            pointer: child(run, key),
            awaited: it.r#await,
            output: it.r#return,
        }
    }
}

type Members = Vec<(String, Template)>;

/// Lowers a script.
pub(super) fn script<'d>(
    lowering: &mut Lowering<'d>,
    it: &'d Script,
    settings: &Settings,
) -> Process {
    let connector = LANGUAGES
        .iter()
        .find(|(name, _)| it.language.eq_ignore_ascii_case(name))
        .map(|(_, connector)| *connector);
    if connector.is_none() {
        let message = format!("there is no script language `{}`", *it.language);
        let pointer = it.language.location.pointer.to_string();
        let error = lowering
            .document
            .error_at(&pointer, code::UNSUPPORTED, message);
        lowering
            .builder
            .report(error.with_help("write `js` or `python`".to_owned()));
    }
    let mut members = Members::new();
    match &it.source {
        ScriptSource::Code(source) => {
            let template = match enclosed(&source.value) {
                Some(_) => lowering.builder.bare(source, Moment::During),
                None => constant(Value::String(source.value.clone())),
            };
            members.push(("code".to_owned(), template));
        }
        ScriptSource::Resource(resource) => {
            // It is a text of its own, in which nothing is an expression.
            if let Some((_, text)) = lowering.text_at(&resource.endpoint) {
                members.push(("code".to_owned(), constant(Value::String(text.to_string()))));
            }
        }
    }
    common(
        lowering,
        &mut members,
        &it.arguments,
        it.environment.as_ref(),
        it.stdin.as_ref(),
    );
    let at = format!("{}/language", settings.pointer);
    finish(
        lowering,
        connector.unwrap_or("javascript"),
        members,
        None,
        &at,
        settings,
    )
}

/// Lowers a shell command.
pub(super) fn shell(lowering: &mut Lowering<'_>, it: &Shell, settings: &Settings) -> Process {
    let command = command(lowering, &it.command);
    let mut members = vec![("command".to_owned(), command)];
    common(
        lowering,
        &mut members,
        &it.arguments,
        it.environment.as_ref(),
        it.stdin.as_ref(),
    );
    finish(
        lowering,
        "shell",
        members,
        None,
        &settings.pointer,
        settings,
    )
}

/// Lowers a container.
pub(super) fn container(
    lowering: &mut Lowering<'_>,
    it: &Container,
    settings: &Settings,
) -> Process {
    let mut members = vec![("image".to_owned(), text(lowering, &it.image))];
    if let Some(name) = &it.name {
        members.push(("name".to_owned(), text(lowering, name)));
    }
    if let Some(it) = &it.command {
        members.push(("command".to_owned(), command(lowering, it)));
    }
    common(
        lowering,
        &mut members,
        &it.arguments,
        it.environment.as_ref(),
        it.stdin.as_ref(),
    );
    for (name, map) in [("ports", &it.ports), ("volumes", &it.volumes)] {
        members.push((name.to_owned(), pairs(lowering, map.as_ref())));
    }
    let (cleanup, removal) = match &it.lifetime {
        None | Some(Lifetime::Never) => ("never", None),
        Some(Lifetime::Always) => ("always", None),
        Some(Lifetime::Eventually(after)) => {
            let after = lowering.builder.duration(after, Moment::During);
            ("eventually", Some(after))
        }
    };
    let pull = match it.pull {
        PullPolicy::IfNotPresent => "if-not-present",
        PullPolicy::Always => "always",
        PullPolicy::Never => "never",
    };
    for (name, value) in [
        ("cleanup", json!(cleanup)),
        ("pull-policy", json!(pull)),
        ("detached", json!(!settings.awaited)),
    ] {
        members.push((name.to_owned(), constant(value)));
    }
    finish(
        lowering,
        "container",
        members,
        removal,
        &settings.pointer,
        settings,
    )
}

/// What all processes take.
fn common(
    lowering: &mut Lowering<'_>,
    members: &mut Members,
    arguments: &[Located<String>],
    environment: Option<&Located<Map<String, Value>>>,
    stdin: Option<&Located<String>>,
) {
    let arguments = arguments.iter().map(|it| text(lowering, it)).collect();
    members.push(("arguments".to_owned(), Template::Array(arguments)));
    members.push(("environment".to_owned(), pairs(lowering, environment)));
    if let Some(stdin) = stdin {
        members.push(("stdin".to_owned(), text(lowering, stdin)));
    }
}

/// Looks the connector up.
fn finish(
    lowering: &mut Lowering<'_>,
    connector: &'static str,
    members: Members,
    removal: Option<DurationTemplate>,
    at: &str,
    settings: &Settings,
) -> Process {
    let reference = FunctionReference {
        interface: None,
        function: FUNCTION.to_owned(),
        version: None,
        connector: connector.to_owned(),
    };
    if let Err(missing) = lowering.catalog.function(&reference) {
        let error = lowering
            .document
            .error_at(at, code::UNKNOWN_FUNCTION, missing.message);
        lowering.builder.report(error.with_help(missing.help));
    }
    lowering.connectors.insert(connector.to_owned());
    Process {
        connector,
        arguments: Template::Object(members),
        removal,
        awaited: settings.awaited,
        output: settings.output,
    }
}

fn constant(value: Value) -> Template {
    Template::Constant(value.into())
}

fn text(lowering: &mut Lowering<'_>, text: &Located<String>) -> Template {
    let pointer = text.location.pointer.to_string();
    lowering.builder.text(&text.value, &pointer, Moment::During)
}

/// A command of a shell, where `${NAME}` is the shell's own. What looks like an expression within it is
/// pointed out: it would be a wrong substitution of the shell's.
fn command(lowering: &mut Lowering<'_>, command: &Located<String>) -> Template {
    if enclosed(&command.value).is_some() {
        return lowering.builder.bare(command, Moment::During);
    }
    let looks_like = ["${ ", "${.", "${$"];
    if looks_like.iter().any(|it| command.value.contains(it)) {
        let pointer = command.location.pointer.to_string();
        let message = "`${ }` inside a longer text is not evaluated";
        let help = "give the value as an argument, `arguments: [ '${ .name }' ]`, and write \"$1\" in the command";
        let warning = lowering
            .document
            .warning_at(&pointer, code::NO_EFFECT, message);
        lowering.builder.report(warning.with_help(help.to_owned()));
    }
    constant(Value::String(command.value.clone()))
}

/// An object of names and values.
fn pairs(lowering: &mut Lowering<'_>, map: Option<&Located<Map<String, Value>>>) -> Template {
    let Some(map) = map else {
        return constant(Value::Object(Map::new()));
    };
    let pointer = map.location.pointer.to_string();
    let members = map.value.iter().map(|(name, value)| {
        let at = child(&pointer, name);
        (
            name.clone(),
            lowering.builder.template(value, &at, Moment::During),
        )
    });
    Template::Object(members.collect())
}
