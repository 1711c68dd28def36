//! `run`: a process (dsl-reference, "Run").

use serde_json::{Map, Value};

use super::read::{Field, Object, Read, Reader};
use super::{Duration, ExternalResource, Located};
use crate::diagnostic::code;

/// A `run` task.
#[derive(Debug, Clone)]
pub struct Run {
    /// What to run.
    pub process: Process,
    /// `run.await`: whether to wait for its end. Default: yes.
    pub r#await: bool,
    /// `run.return`: what the output is. Default: what it wrote to its standard output.
    pub r#return: ProcessReturn,
}

/// What to run.
#[derive(Debug, Clone)]
pub enum Process {
    /// `container`.
    Container(Box<Container>),
    /// `script`.
    Script(Box<Script>),
    /// `shell`.
    Shell(Shell),
    /// `workflow`.
    Workflow(Subflow),
}

/// What of a process is the output of the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProcessReturn {
    /// `stdout`: what it wrote to its standard output.
    #[default]
    Stdout,
    /// `stderr`: what it wrote to its standard error.
    Stderr,
    /// `code`: its exit code.
    Code,
    /// `all`: all of these.
    All,
    /// `none`: nothing.
    None,
}

/// A container to run (dsl-reference, "Container Process").
#[derive(Debug, Clone)]
pub struct Container {
    /// `image`.
    pub image: Located<String>,
    /// `name`.
    pub name: Option<Located<String>>,
    /// `command`.
    pub command: Option<Located<String>>,
    /// `ports`.
    pub ports: Option<Located<Map<String, Value>>>,
    /// `volumes`.
    pub volumes: Option<Located<Map<String, Value>>>,
    /// `environment`.
    pub environment: Option<Located<Map<String, Value>>>,
    /// `stdin`.
    pub stdin: Option<Located<String>>,
    /// `arguments`.
    pub arguments: Vec<Located<String>>,
    /// `lifetime`: when it is removed. Default: never.
    pub lifetime: Option<Lifetime>,
    /// `pullPolicy`: whether its image is fetched when it is there. Default: no.
    pub pull: PullPolicy,
}

/// When a container is removed (dsl-reference, "Container Lifetime").
#[derive(Debug, Clone)]
pub enum Lifetime {
    /// `always`: at its end.
    Always,
    /// `never`.
    Never,
    /// `eventually`: so long after its end.
    Eventually(Located<Duration>),
}

/// When a container's image is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PullPolicy {
    /// `ifNotPresent`.
    #[default]
    IfNotPresent,
    /// `always`.
    Always,
    /// `never`.
    Never,
}

/// A script to run (dsl-reference, "Script Process").
#[derive(Debug, Clone)]
pub struct Script {
    /// `language`.
    pub language: Located<String>,
    /// `code` or `source`.
    pub source: ScriptSource,
    /// `stdin`.
    pub stdin: Option<Located<String>>,
    /// `arguments`.
    pub arguments: Vec<Located<String>>,
    /// `environment`.
    pub environment: Option<Located<Map<String, Value>>>,
}

/// Where a script is.
#[derive(Debug, Clone)]
pub enum ScriptSource {
    /// `code`: here.
    Code(Located<String>),
    /// `source`: elsewhere.
    Resource(Box<ExternalResource>),
}

/// A shell command to run (dsl-reference, "Shell Process").
#[derive(Debug, Clone)]
pub struct Shell {
    /// `command`.
    pub command: Located<String>,
    /// `stdin`.
    pub stdin: Option<Located<String>>,
    /// `arguments`.
    pub arguments: Vec<Located<String>>,
    /// `environment`.
    pub environment: Option<Located<Map<String, Value>>>,
}

/// A workflow to run (dsl-reference, "Workflow Process").
#[derive(Debug, Clone)]
pub struct Subflow {
    /// `namespace`.
    pub namespace: Located<String>,
    /// `name`.
    pub name: Located<String>,
    /// `version`: one of its versions, or `latest`.
    pub version: Located<String>,
    /// `input`, with expressions anywhere inside.
    pub input: Option<Located<Map<String, Value>>>,
}

impl Run {
    pub(super) fn read(object: &mut Object<'_, '_, '_>) -> Option<Self> {
        let field = object.get("run")?;
        let mut run = object.reader().object(&field, "`run`")?;
        let r#await = run.optional::<Located<bool>>("await");
        let r#return = run.optional::<ProcessReturn>("return");
        let process = run
            .one_of(&["container", "script", "shell", "workflow"])
            .and_then(|key| {
                Some(match key {
                    "container" => Process::Container(run.required("container")?),
                    "script" => Process::Script(run.required("script")?),
                    "shell" => Process::Shell(run.required("shell")?),
                    _ => Process::Workflow(run.required("workflow")?),
                })
            });
        run.finish()?;
        Some(Self {
            process: process?,
            r#await: r#await?.is_none_or(|value| *value),
            r#return: r#return?.unwrap_or_default(),
        })
    }
}

impl Read for ProcessReturn {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let choices = [
            ("stdout", Self::Stdout),
            ("stderr", Self::Stderr),
            ("code", Self::Code),
            ("all", Self::All),
            ("none", Self::None),
        ];
        reader.choice(field, &choices)
    }
}

impl Read for Container {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`container`")?;
        let image = object.required("image");
        let name = object.optional("name");
        let command = object.optional("command");
        let ports = object.optional("ports");
        let volumes = object.optional("volumes");
        let environment = object.optional("environment");
        let stdin = object.optional("stdin");
        let arguments = object.optional::<Vec<_>>("arguments");
        let lifetime = object.optional("lifetime");
        let pull = object.optional::<PullPolicy>("pullPolicy");
        object.finish()?;
        Some(Self {
            image: image?,
            name: name?,
            command: command?,
            ports: ports?,
            volumes: volumes?,
            environment: environment?,
            stdin: stdin?,
            arguments: arguments?.unwrap_or_default(),
            lifetime: lifetime?,
            pull: pull?.unwrap_or_default(),
        })
    }
}

impl Read for PullPolicy {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        reader.choice(
            field,
            &[
                ("ifNotPresent", Self::IfNotPresent),
                ("always", Self::Always),
                ("never", Self::Never),
            ],
        )
    }
}

impl Read for Lifetime {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`lifetime`")?;
        let cleanup = object.required::<Cleanup>("cleanup");
        let after = object.optional("after");
        let lifetime = match (cleanup, after) {
            (Some(Cleanup::Eventually), Some(Some(after))) => Some(Self::Eventually(after)),
            (Some(Cleanup::Eventually), Some(None)) => {
                object.missing("after");
                None
            }
            (Some(Cleanup::Always | Cleanup::Never), Some(Some(_))) => {
                let location = object.key_location("after");
                object.reader().error(
                    code::CONFLICTING_KEYS,
                    &location,
                    "`after` goes with `cleanup: eventually`",
                    "remove it".to_owned(),
                );
                None
            }
            (Some(Cleanup::Always), Some(None)) => Some(Self::Always),
            (Some(Cleanup::Never), Some(None)) => Some(Self::Never),
            (None, _) | (_, None) => None,
        };
        object.finish()?;
        lifetime
    }
}

#[derive(Clone, Copy)]
enum Cleanup {
    Always,
    Never,
    Eventually,
}

impl Read for Cleanup {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        reader.choice(
            field,
            &[
                ("always", Self::Always),
                ("never", Self::Never),
                ("eventually", Self::Eventually),
            ],
        )
    }
}

impl Read for Script {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`script`")?;
        let language = object.required("language");
        let source = object
            .one_of(&["code", "source"])
            .and_then(|key| match key {
                "code" => object.required("code").map(ScriptSource::Code),
                _ => object.required("source").map(ScriptSource::Resource),
            });
        let stdin = object.optional("stdin");
        let arguments = object.optional::<Vec<_>>("arguments");
        let environment = object.optional("environment");
        object.finish()?;
        Some(Self {
            language: language?,
            source: source?,
            stdin: stdin?,
            arguments: arguments?.unwrap_or_default(),
            environment: environment?,
        })
    }
}

impl Read for Shell {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`shell`")?;
        let command = object.required("command");
        let stdin = object.optional("stdin");
        let arguments = object.optional::<Vec<_>>("arguments");
        let environment = object.optional("environment");
        object.finish()?;
        Some(Self {
            command: command?,
            stdin: stdin?,
            arguments: arguments?.unwrap_or_default(),
            environment: environment?,
        })
    }
}

impl Read for Subflow {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`workflow`")?;
        let namespace = object.required("namespace");
        let name = object.required("name");
        let version = object.required("version");
        let input = object.optional("input");
        object.finish()?;
        Some(Self {
            namespace: namespace?,
            name: name?,
            version: version?,
            input: input?,
        })
    }
}
