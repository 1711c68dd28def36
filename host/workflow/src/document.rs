//! The workflow document: what its author wrote, lossless, and where.
//!
//! [`Document::parse`] takes the text to the model below [`Workflow`], or to everything that is wrong with
//! it. What needs no outside knowledge is checked here: shape, names, references, flow. Whether an expression
//! parses, or a connector has such a function, later stages say, with [`Document::error_at`].
//!
//! A task kind has a file of its name here; so has each part of a document that a user can name. A struct
//! follows its definition in the specification's schema, key by key. Strings and values that may hold
//! expressions stay as they are written.

mod authentication;
mod call;
mod catch;
mod cron;
mod r#do;
mod duration;
mod emit;
mod endpoint;
mod error;
mod evaluate;
mod event;
mod extension;
mod flow;
mod r#for;
mod fork;
mod header;
mod input;
mod listen;
mod located;
mod pointer;
mod raise;
mod reachable;
mod read;
mod retry;
mod run;
mod schedule;
mod schema;
mod set;
mod switch;
mod task;
mod timeout;
mod r#try;
mod unsupported;
mod r#use;
mod wait;
mod workflow;

pub use authentication::{
    Authentication, AuthenticationScheme, Credentials, OAuth2, Token, UserPassword,
};
pub use call::{
    Approval, Call, Enough, FunctionCall, FunctionTarget, HttpCall, HttpOutput, ProtocolCall,
    Subscription,
};
pub use catch::{Catch, ErrorFilter};
pub use cron::{Cron, CronError};
pub use r#do::Do;
pub use duration::{Duration, DurationError};
pub use emit::Emit;
pub use endpoint::{Endpoint, ExternalResource};
pub use error::ErrorDefinition;
pub use evaluate::{Evaluate, EvaluateMode};
pub use event::{Correlation, EventFilter, EventRead, EventStrategy, Until};
pub use extension::{Extension, ExtensionTarget};
pub use flow::Flow;
pub use r#for::{CONCURRENCY_MAX, For, ForIn};
pub use fork::{Branch, Fork};
pub use header::Header;
pub use input::{Export, Input, Output};
pub use listen::{Foreach, Listen};
pub use located::{Located, Location};
pub use pointer::Pointer;
pub use raise::Raise;
pub use retry::{Backoff, Retry, RetryLimit};
pub use run::{
    Container, Lifetime, Process, ProcessReturn, PullPolicy, Run, Script, ScriptSource, Shell,
    Subflow,
};
pub use schedule::Schedule;
pub use schema::{Schema, SchemaSource};
pub use set::Set;
pub use switch::{Case, Switch};
pub use task::{Task, TaskKind, TaskList};
pub use timeout::Timeout;
pub use r#try::Try;
pub use r#use::{Reusable, Table, Use};
pub use wait::Wait;
pub use workflow::Workflow;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use read::nearest;

use crate::diagnostic::{Diagnostic, Source, Span};
use crate::yaml::{self, Data, Entry, Node};

/// The language as a JSON Schema (2020-12), for editors: the specification's schema with the additions of
/// this host, as the text of a JSON document. What it accepts may still be wrong: references, flow, names and
/// expressions are beyond a schema, and [`Document::parse`] looks at them too.
pub const SCHEMA: &str = include_str!("../schema/workflow.json");

/// A workflow document that is right as far as the document itself can tell.
#[derive(Debug, Clone)]
pub struct Document {
    source: Source,
    root: Arc<Node>,
    value: Arc<Value>,
    workflow: Arc<Workflow>,
    warnings: Vec<Diagnostic>,
}

/// What reading a text came to.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What could be read; none where that is too little to go on with.
    pub document: Option<Document>,
    /// All that is wrong, sorted by place, warnings included.
    pub diagnostics: Vec<Diagnostic>,
}

/// What a text is to be read as.
#[derive(Clone, Copy)]
enum Shape {
    Workflow,
    Function,
}

impl Document {
    /// Reads a document in YAML 1.2 or JSON. `name` is what its author calls the text, usually a file's name.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, at least one of them an error, sorted by place. Of errors, and of warnings, at most about a
    /// hundred.
    pub fn parse(text: impl Into<Arc<str>>, name: Option<&str>) -> Result<Self, Vec<Diagnostic>> {
        let Reading {
            document,
            diagnostics,
        } = Self::read(text, name);
        match document {
            Some(document) if !diagnostics.iter().any(Diagnostic::is_error) => Ok(document),
            _ => Err(diagnostics),
        }
    }

    /// Reads as much of a document as can be read: for who wants to say all that is wrong with it, also
    /// what only later stages can tell. Tasks that could not be read are left out.
    pub fn read(text: impl Into<Arc<str>>, name: Option<&str>) -> Reading {
        Self::read_as(Shape::Workflow, text.into(), name)
    }

    /// Reads a function that stands alone: a task with nothing around it (dsl.md, "Creating a Custom
    /// Function"). It becomes the only task of a workflow that has nothing else.
    pub(crate) fn read_function(text: Arc<str>, uri: &str) -> Reading {
        Self::read_as(Shape::Function, text, Some(uri))
    }

    fn read_as(shape: Shape, text: Arc<str>, name: Option<&str>) -> Reading {
        let source = Source::new(text, name);
        let yaml::Parsed { root, warnings } = match yaml::parse(&source) {
            Ok(parsed) => parsed,
            Err(diagnostics) => {
                return Reading {
                    document: None,
                    diagnostics,
                };
            }
        };
        let mut reader = read::Reader::new(&source, &root, warnings);
        let workflow = match shape {
            Shape::Workflow => reader.workflow(&root),
            Shape::Function => reader.function(&root).map(Workflow::of_function),
        };
        let mut diagnostics = reader.finish();
        // What leads where is known only when all tasks are.
        if let Some(workflow) = &workflow
            && !diagnostics.has_errors()
        {
            diagnostics.extend(reachable::check(&source, workflow));
        }
        let diagnostics = diagnostics.finish();
        let warnings = diagnostics.iter().filter(|it| !it.is_error()).cloned();
        let document = workflow.map(|workflow| Self {
            value: Arc::new(root.to_value()),
            warnings: warnings.collect(),
            source,
            root: Arc::new(root),
            workflow: Arc::new(workflow),
        });
        Reading {
            document,
            diagnostics,
        }
    }

    /// The text as it was posted, byte for byte.
    pub fn text(&self) -> &str {
        self.source.text()
    }

    /// The text with its name and lines.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The whole document as JSON, in the order of declaration: `$workflow.definition`.
    pub fn value(&self) -> &Arc<Value> {
        &self.value
    }

    /// The part of the document that a JSON pointer (RFC 6901) points to, as JSON. For the pointer of a
    /// task this is `$task.definition`.
    pub fn value_at(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer)
    }

    /// What the document says.
    pub fn workflow(&self) -> &Workflow {
        &self.workflow
    }

    /// What is allowed and probably not meant, sorted by place.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The parts of the language in this document that this host does not run yet, sorted by place, each
    /// an error. A document for which this is empty can be run.
    pub fn unsupported(&self) -> Vec<Diagnostic> {
        unsupported::unsupported(self)
    }

    /// The additions of this host to the language in this document, sorted by place, each a warning. Other
    /// runtimes refuse a document that has any.
    pub fn not_portable(&self) -> Vec<Diagnostic> {
        unsupported::not_portable(self)
    }

    /// The bytes of the value that a JSON pointer (RFC 6901) points to; of its key where nothing is
    /// written for the value. `None` where the document has no such part.
    pub fn span_of(&self, pointer: &str) -> Option<Span> {
        let (entry, node) = self.locate(pointer)?;
        Some(if node.span.is_empty() {
            entry.map_or(node.span, |entry| entry.key_span)
        } else {
            node.span
        })
    }

    /// The bytes of the key whose value a JSON pointer points to. `None` for the whole document, for
    /// items of lists, and where the document has no such part.
    pub fn key_span_of(&self, pointer: &str) -> Option<Span> {
        self.locate(pointer)?.0.map(|entry| entry.key_span)
    }

    /// An error about the part of this document that a JSON pointer points to. A part that is not there
    /// is taken for the nearest around it.
    pub fn error_at(
        &self,
        pointer: &str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::error(&self.source, code, self.nearest_span(pointer), message)
            .pointing_to(pointer)
    }

    /// A warning about the part of this document that a JSON pointer points to.
    pub fn warning_at(
        &self,
        pointer: &str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::warning(&self.source, code, self.nearest_span(pointer), message)
            .pointing_to(pointer)
    }

    fn nearest_span(&self, pointer: &str) -> Span {
        let mut pointer = pointer;
        loop {
            // A whole mapping or list is too much to underline where it has a key that names it.
            let span = match self.locate(pointer) {
                Some((Some(entry), node))
                    if matches!(node.data, Data::Mapping(_) | Data::Sequence(_)) =>
                {
                    Some(entry.key_span)
                }
                _ => self.span_of(pointer),
            };
            match (span, pointer.rfind('/')) {
                (Some(span), _) => return span,
                (None, Some(parent)) => pointer = &pointer[..parent],
                (None, None) => return Span::default(),
            }
        }
    }

    fn locate(&self, pointer: &str) -> Option<(Option<&Entry>, &Node)> {
        let mut place = (None, &*self.root);
        if pointer.is_empty() {
            return Some(place);
        }
        for token in pointer.strip_prefix('/')?.split('/') {
            place = match &place.1.data {
                Data::Mapping(_) => {
                    let entry = place.1.get(&token.replace("~1", "/").replace("~0", "~"))?;
                    (Some(entry), &entry.value)
                }
                Data::Sequence(items) => (None, items.get(token.parse::<usize>().ok()?)?),
                _ => return None,
            };
        }
        Some(place)
    }
}
