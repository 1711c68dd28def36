//! What lowering makes templates with: it knows which variables exist where, and collects expressions
//! and diagnostics.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::resource::Elsewhere;
use super::{DurationTemplate, Template, uri_template::UriTemplate};
use crate::diagnostic::{Diagnostic, Diagnostics, code};
use crate::document::{Document, Duration, EvaluateMode, Located};
use crate::expression::{Expression, embedded, enclosed};

/// The places where expressions stand, by the variables that exist there (dsl.md, the table under
/// "Runtime expression arguments").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// The `schedule`, before there is a run.
    Scheduling,
    /// The workflow's `input.from`.
    WorkflowInput,
    /// A task's `if` and `input.from`.
    Before,
    /// A task's own definition.
    During,
    /// `output.as`.
    After,
    /// `export.as`.
    Exporting,
    /// The workflow's `output.as`.
    WorkflowOutput,
}

impl Moment {
    fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Scheduling => &[],
            Self::WorkflowInput => &["secrets", "workflow", "runtime"],
            Self::Before => &["context", "secrets", "task", "workflow", "runtime"],
            Self::During | Self::After => &[
                "context",
                "input",
                "secrets",
                "task",
                "workflow",
                "runtime",
                "authorization",
            ],
            Self::Exporting => &[
                "context",
                "input",
                "output",
                "secrets",
                "task",
                "workflow",
                "runtime",
                "authorization",
            ],
            Self::WorkflowOutput => &["context", "secrets", "workflow", "runtime"],
        }
    }
}

/// What tells an expression from others: the document that it stands in, the place there, and the variables that
/// exist there.
type Known = (Option<Arc<str>>, String, Vec<String>);

/// Makes templates.
pub(super) struct Builder<'d> {
    /// The workflow's own document.
    home: &'d Document,
    /// The document that is being lowered, and where it is from if it is another.
    document: &'d Document,
    elsewhere: Option<Elsewhere>,
    mode: EvaluateMode,
    /// The variables that the tasks around set, the innermost last.
    locals: Vec<String>,
    expressions: Vec<Arc<Expression>>,
    known: HashMap<Known, Arc<Expression>>,
    diagnostics: Diagnostics,
}

impl<'d> Builder<'d> {
    pub(super) fn new(document: &'d Document) -> Self {
        Self {
            home: document,
            document,
            elsewhere: None,
            mode: document.workflow().evaluate.mode(),
            locals: Vec::new(),
            expressions: Vec::new(),
            known: HashMap::new(),
            diagnostics: Diagnostics::default(),
        }
    }

    /// What has been collected: diagnostics each once, though what is put in at several places has been looked at
    /// at each.
    pub(super) fn finish(self) -> (Vec<Arc<Expression>>, Vec<Diagnostic>) {
        (self.expressions, self.diagnostics.finish())
    }

    /// Notes what is wrong with the document that is being lowered. What is merely odd about somebody else's
    /// document is not the author's business.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if self.elsewhere.is_none() || diagnostic.is_error() {
            let diagnostic = self.as_seen_from_home(diagnostic);
            self.diagnostics.report(diagnostic);
        }
    }

    /// Whether no further error will be listed, so that looking for more is wasted time.
    pub(super) fn is_full(&self) -> bool {
        self.diagnostics.is_full()
    }

    /// A diagnostic about the document that is being lowered, as one about the workflow's own document: at what
    /// brought the other in.
    pub(super) fn as_seen_from_home(&self, diagnostic: Diagnostic) -> Diagnostic {
        let Some(Elsewhere { uri, pointer }) = &self.elsewhere else {
            return diagnostic;
        };
        let message = format!("{uri}:{}: {}", diagnostic.position, diagnostic.message);
        let seen = self.home.error_at(pointer, diagnostic.code, message);
        Diagnostic {
            severity: diagnostic.severity,
            help: diagnostic.help,
            ..seen
        }
    }

    /// Where the document is from that is being lowered; none for the workflow's own.
    pub(super) fn elsewhere(&self) -> Option<Elsewhere> {
        self.elsewhere.clone()
    }

    /// Goes over to another document; gives where the one before was from.
    pub(super) fn read_from(
        &mut self,
        document: &'d Document,
        elsewhere: Option<Elsewhere>,
    ) -> Option<Elsewhere> {
        self.document = document;
        std::mem::replace(&mut self.elsewhere, elsewhere)
    }

    /// Makes `names` exist; [`Builder::leave`] takes as many away again.
    pub(super) fn enter(&mut self, names: &[&str]) {
        self.locals
            .extend(names.iter().map(|name| (*name).to_owned()));
    }

    /// Takes the last `count` variables away.
    pub(super) fn leave(&mut self, count: usize) {
        self.locals.truncate(self.locals.len() - count);
    }

    /// Takes all variables away; [`Builder::show`] gives back what this gives.
    pub(super) fn hide(&mut self) -> Vec<String> {
        std::mem::take(&mut self.locals)
    }

    /// Makes variables exist again, instead of those that do.
    pub(super) fn show(&mut self, hidden: Vec<String>) {
        self.locals = hidden;
    }

    /// Whether every text is an expression that can be one (dsl-reference, "Evaluate").
    pub(super) fn is_loose(&self) -> bool {
        self.mode == EvaluateMode::Loose
    }

    /// A value that is given as one bare expression, or as JSON with expressions in it.
    pub(super) fn value(&mut self, value: &Value, pointer: &str, moment: Moment) -> Template {
        match value {
            Value::String(text) if !self.is_loose() => self.expression(text, pointer, moment),
            other => self.template(other, pointer, moment),
        }
    }

    /// JSON in which the strings of the form `${ }` are expressions.
    pub(super) fn template(&mut self, value: &Value, pointer: &str, moment: Moment) -> Template {
        match value {
            Value::String(text) => self.text(text, pointer, moment),
            Value::Array(items) => {
                let items: Vec<Template> = (0..)
                    .zip(items)
                    .map(|(index, item): (usize, _)| {
                        self.template(item, &format!("{pointer}/{index}"), moment)
                    })
                    .collect();
                unless_constant(value, items.iter().all(is_constant), || {
                    Template::Array(items)
                })
            }
            Value::Object(members) => {
                let members: Vec<(String, Template)> = members
                    .iter()
                    .map(|(key, member)| {
                        (
                            key.clone(),
                            self.template(member, &child(pointer, key), moment),
                        )
                    })
                    .collect();
                let constant = members.iter().all(|(_, member)| is_constant(member));
                unless_constant(value, constant, || Template::Object(members))
            }
            _ => Template::Constant(Arc::new(value.clone())),
        }
    }

    /// A string: an expression where it has the form of one.
    pub(super) fn text(&mut self, text: &str, pointer: &str, moment: Moment) -> Template {
        if self.is_loose() && !text.trim().is_empty() {
            let source = enclosed(text).unwrap_or(text);
            return Template::Loose {
                expression: self.compiled(source, pointer, moment, true),
                text: text.into(),
            };
        }
        if let Some(source) = enclosed(text) {
            return self.source(source, pointer, moment);
        }
        if embedded(text) {
            let message = "`${ }` inside a longer text is not evaluated";
            let help = r#"make the whole text an expression: ${ "Hello \(.name)" }"#;
            let warning = self.document.warning_at(pointer, code::NO_EFFECT, message);
            self.report(warning.with_help(help.to_owned()));
        }
        Template::Constant(Arc::new(Value::String(text.to_owned())))
    }

    /// A string that is an expression, with or without `${ }` around it.
    pub(super) fn expression(&mut self, text: &str, pointer: &str, moment: Moment) -> Template {
        self.source(enclosed(text).unwrap_or(text), pointer, moment)
    }

    /// The same, of a part of the document that knows its place.
    pub(super) fn bare(&mut self, text: &Located<String>, moment: Moment) -> Template {
        self.expression(&text.value, &text.location.pointer.to_string(), moment)
    }

    /// A URI: an expression, a URI template, or neither.
    pub(super) fn uri(&mut self, text: &str, pointer: &str) -> Template {
        match UriTemplate::parse(text) {
            Some(template) if enclosed(text).is_none() => Template::Uri(template),
            _ => self.text(text, pointer, Moment::During),
        }
    }

    pub(super) fn duration(
        &mut self,
        duration: &Located<Duration>,
        moment: Moment,
    ) -> DurationTemplate {
        match &duration.value {
            Duration::Fixed(duration) => DurationTemplate::Constant(*duration),
            Duration::Expression(text) => {
                let pointer = duration.location.pointer.to_string();
                DurationTemplate::Template(self.expression(text, &pointer, moment))
            }
        }
    }

    fn source(&mut self, source: &str, pointer: &str, moment: Moment) -> Template {
        Template::Expression(self.compiled(source, pointer, moment, false))
    }

    fn compiled(
        &mut self,
        source: &str,
        pointer: &str,
        moment: Moment,
        is_loose: bool,
    ) -> Arc<Expression> {
        let mut available: Vec<String> = moment
            .variables()
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        available.extend(
            self.locals
                .iter()
                .filter(|name| !available.contains(name))
                .cloned()
                .collect::<Vec<_>>(),
        );
        let uri = self.elsewhere.as_ref().map(|it| it.uri.clone());
        let known = (uri, pointer.to_owned(), available);
        // What is put in at several places is compiled once.
        if let Some(expression) = self.known.get(&known) {
            return expression.clone();
        }
        let id = u32::try_from(self.expressions.len()).expect("the size of a document is bounded");
        let at_home = self.elsewhere.as_ref().map(|it| it.pointer.as_str());
        let mut expression = Expression::new(id, source, at_home.unwrap_or(pointer), &known.2);
        expression.is_loose = is_loose;
        expression.elsewhere = known.0.clone();
        let expression = Arc::new(expression);
        self.expressions.push(expression.clone());
        self.known.insert(known, expression.clone());
        expression
    }
}

/// The pointer to a member.
pub(super) fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn is_constant(template: &Template) -> bool {
    matches!(template, Template::Constant(_))
}

fn unless_constant(value: &Value, constant: bool, template: impl FnOnce() -> Template) -> Template {
    if constant {
        Template::Constant(Arc::new(value.clone()))
    } else {
        template()
    }
}
