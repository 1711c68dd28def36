//! Lowering: from the document to the arena.
//!
//! A list numbers all of its tasks before any of them is lowered, so that edges can lead to what comes
//! later; and a task is numbered before what is inside it, which is therefore a range.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::builder::{Builder, Moment};
use super::catalog::Catalog;
use super::function::{Expansion, Refused};
use super::pattern::Patterns;
use super::schema::{BadSchema, SchemaPatterns};
use super::site::Site;
use super::{
    Edge, Kind, Lowered, Node, NodeId, Plan, Schema, Sequence, Template, Transform, approval, call,
    emit, extension, r#for, fork, function, listen, raise, run, schedule, set, subscription,
    switch, r#try, wait,
};
use crate::diagnostic::{Diagnostic, code};
use crate::document::{
    self, Document, Flow, Located, Reusable, SchemaSource, Task, TaskKind, TaskList, Timeout,
};
use crate::resource::{Resources, Wanted};

/// Lowers a document, going on past what is wrong: see [`Lowered`].
pub(super) fn lower(document: &Document, catalog: &dyn Catalog, resources: &Resources) -> Lowered {
    let mut lowering = Lowering {
        main: document,
        document,
        catalog,
        resources,
        wanted: Vec::new(),
        builder: Builder::new(document),
        patterns: Patterns::default(),
        schema_patterns: SchemaPatterns::default(),
        nodes: Vec::new(),
        connectors: BTreeSet::new(),
        site: Site::default(),
        expansion: Expansion::default(),
        called: BTreeSet::new(),
        extends: Some(BTreeSet::new()),
    };
    for diagnostic in document.unsupported() {
        lowering.builder.report(diagnostic);
    }
    let workflow = document.workflow();
    let input = workflow.input.as_ref();
    let input = input
        .map(|it| lowering.transform(it.schema.as_ref(), it.from.as_ref(), Moment::WorkflowInput));
    let timeout = workflow.timeout.as_ref();
    let timeout = timeout.map(|it| lowering.timeout(it, Moment::WorkflowInput));
    let schedule = workflow
        .schedule
        .as_ref()
        .map(|it| schedule::lower(&mut lowering, it));
    let (schedule, trigger) = schedule.unzip();
    let trigger = trigger.flatten();
    let body = lowering.list(&workflow.tasks);
    function::check_uncalled(&mut lowering);
    extension::check_unapplied(&mut lowering);
    let output = workflow.output.as_ref();
    let output = output
        .map(|it| lowering.transform(it.schema.as_ref(), it.r#as.as_ref(), Moment::WorkflowOutput));
    let Lowering {
        builder,
        nodes,
        connectors,
        wanted,
        ..
    } = lowering;
    let (expressions, diagnostics) = builder.finish();
    let is_wrong = diagnostics.iter().any(Diagnostic::is_error);
    let plan = (!is_wrong && wanted.is_empty()).then(|| Plan {
        definition: document.value().clone(),
        nodes: nodes
            .into_iter()
            .map(|node| node.expect("each numbered task has been lowered"))
            .collect(),
        body,
        input: input.unwrap_or_default(),
        output: output.unwrap_or_default(),
        schedule,
        trigger,
        timeout,
        expressions: expressions.clone(),
        connectors,
        secrets: names_of_secrets(document),
    });
    Lowered {
        plan,
        expressions,
        diagnostics,
        wanted,
    }
}

/// The secrets that the document names, each once.
fn names_of_secrets(document: &Document) -> Arc<[String]> {
    let names = document.workflow().reusable.secrets.iter();
    let names: BTreeSet<String> = names.map(|name| name.value.clone()).collect();
    names.into_iter().collect()
}

/// A document on its way into a plan.
pub(super) struct Lowering<'d> {
    /// The workflow's own document.
    pub(super) main: &'d Document,
    /// The document in which what is being lowered is written.
    pub(super) document: &'d Document,
    pub(super) catalog: &'d dyn Catalog,
    /// What has been fetched of what is kept elsewhere, and what must be.
    pub(super) resources: &'d Resources,
    pub(super) wanted: Vec<Wanted>,
    pub(super) builder: Builder<'d>,
    /// The regular expressions of the filters of events.
    pub(super) patterns: Patterns,
    /// The room for the regular expressions of schemas.
    pub(super) schema_patterns: SchemaPatterns,
    nodes: Vec<Option<Node>>,
    pub(super) connectors: BTreeSet<String>,
    /// Where the tasks that are being lowered are performed.
    pub(super) site: Site,
    /// What has been put in elsewhere than where it is written.
    pub(super) expansion: Expansion,
    /// The functions that something calls.
    pub(super) called: BTreeSet<String>,
    /// The extensions that extend something, by their place in the list; none within an extension, whose own
    /// tasks are not extended.
    pub(super) extends: Option<BTreeSet<usize>>,
}

/// Where the directives of a list lead.
pub(super) struct Targets<'d> {
    names: HashMap<&'d str, NodeId>,
    /// The task behind the one that is lowered.
    next: Edge,
    /// What `exit` means.
    exit: Edge,
}

impl Targets<'_> {
    /// Of a task that stands alone, such as a branch.
    pub(super) fn none() -> Self {
        Self {
            names: HashMap::new(),
            next: Edge::Exit,
            exit: Edge::Exit,
        }
    }

    /// The edge that a directive means.
    pub(super) fn edge(&self, flow: &Flow) -> Edge {
        match flow {
            Flow::Continue => self.next,
            Flow::Exit => self.exit,
            Flow::End => Edge::End,
            // A task that is not there has been reported, or could not be read.
            Flow::To(name) => self
                .names
                .get(name.as_str())
                .map_or(Edge::Exit, |id| Edge::To(*id)),
        }
    }
}

impl<'d> Lowering<'d> {
    /// Lowers the tasks of a scope.
    pub(super) fn list(&mut self, list: &'d TaskList) -> Sequence {
        self.list_left_by(list, Edge::Exit)
    }

    /// Lowers the tasks of a scope in which `exit` means that edge.
    pub(super) fn list_left_by(&mut self, list: &'d TaskList, exit: Edge) -> Sequence {
        let numbers: Vec<NodeId> = list.tasks.iter().map(|_| self.reserve()).collect();
        let names = list
            .tasks
            .iter()
            .map(|task| task.name.as_str())
            .zip(numbers.iter().copied())
            .collect();
        let mut targets = Targets {
            names,
            next: Edge::Exit,
            exit,
        };
        for (index, (task, &id)) in list.tasks.iter().zip(&numbers).enumerate() {
            targets.next = numbers
                .get(index + 1)
                .map_or(Edge::Exit, |next| Edge::To(*next));
            self.fill(id, task, &targets);
        }
        Sequence {
            first: numbers.first().copied(),
        }
    }

    /// Lowers a task and what is inside it.
    pub(super) fn task(&mut self, task: &'d Task, targets: &Targets<'_>) -> NodeId {
        let id = self.reserve();
        self.fill(id, task, targets);
        id
    }

    fn fill(&mut self, id: NodeId, task: &'d Task, targets: &Targets<'_>) {
        let start = self.next_number();
        let pointer = task.location.pointer.to_string();
        let performed_at = self.site.place_of(&pointer);
        let condition = task
            .condition
            .as_ref()
            .map(|it| self.builder.bare(it, Moment::Before));
        let input = task.input.as_ref();
        let input =
            input.map(|it| self.transform(it.schema.as_ref(), it.from.as_ref(), Moment::Before));
        let timeout = task
            .timeout
            .as_ref()
            .map(|it| self.timeout(it, Moment::During));
        let kind = self.kind(task, &pointer, targets);
        let output = task.output.as_ref();
        let output =
            output.map(|it| self.transform(it.schema.as_ref(), it.r#as.as_ref(), Moment::After));
        let compensate = task.compensate.as_ref().map(|list| self.list(list));
        let export = task.export.as_ref();
        let export = export
            .map(|it| self.transform(it.schema.as_ref(), it.r#as.as_ref(), Moment::Exporting));
        let extensions = extension::lower(self, task, &performed_at);
        let definition = self
            .document
            .value_at(&pointer)
            .cloned()
            .unwrap_or_default();
        let node = Node {
            name: task.name.value.clone(),
            pointer: performed_at.into(),
            definition: Arc::new(definition),
            condition,
            input: input.unwrap_or_default(),
            output: output.unwrap_or_default(),
            export: export.unwrap_or_default(),
            timeout,
            next: targets.next,
            then: task
                .then
                .as_ref()
                .map_or(targets.next, |then| targets.edge(&then.value)),
            compensate,
            inside: start..self.next_number(),
            kind,
            extensions,
        };
        self.nodes[id.0 as usize] = Some(node);
    }

    /// Lowers what is put in at `site`, where it sees none of the variables around.
    pub(super) fn at_site<T>(&mut self, site: Site, lower: impl FnOnce(&mut Self) -> T) -> T {
        let site = std::mem::replace(&mut self.site, site);
        let around = self.builder.hide();
        let lowered = lower(self);
        self.builder.show(around);
        self.site = site;
        lowered
    }

    /// Lowers a part of the workflow's own document at `site`.
    pub(super) fn in_main<T>(&mut self, site: Site, lower: impl FnOnce(&mut Self) -> T) -> T {
        self.in_document(self.main, None, site, lower)
    }

    /// Reports why something can't be put in at `pointer`.
    pub(super) fn refuse(&mut self, refused: Refused, pointer: &str) {
        let Some((code, message, help)) = refused else {
            return;
        };
        let diagnostic = self.document.error_at(pointer, code, message);
        self.builder.report(diagnostic.with_help(help.to_owned()));
    }

    /// Lowers what no run comes to, for what is wrong with it.
    pub(super) fn only_checking<T>(&mut self, lower: impl FnOnce(&mut Self) -> T) {
        let (nodes, connectors) = (self.nodes.len(), self.connectors.clone());
        lower(self);
        self.nodes.truncate(nodes);
        self.connectors = connectors;
    }

    fn kind(&mut self, task: &'d Task, pointer: &str, targets: &Targets<'_>) -> Kind {
        match &task.kind {
            TaskKind::Call(document::Call::Function(it)) if function::is_one(it) => {
                function::lower(self, it, pointer)
            }
            TaskKind::Call(document::Call::Approval(it)) => {
                Kind::Approval(Box::new(approval::lower(self, it)))
            }
            TaskKind::Call(it) => {
                let call = call::lower(self, it, pointer);
                match it.subscription() {
                    Some(it) => Kind::Subscription(Box::new(subscription::lower(self, it, call))),
                    None => Kind::Call(call),
                }
            }
            TaskKind::Do(it) => Kind::Do(self.list(&it.tasks)),
            TaskKind::Emit(it) => Kind::Emit(emit::lower(self, it)),
            TaskKind::For(it) => Kind::For(r#for::lower(self, it)),
            TaskKind::Fork(it) => Kind::Fork(fork::lower(self, it)),
            TaskKind::Listen(it) => Kind::Listen(Box::new(listen::lower(self, it))),
            TaskKind::Raise(it) => Kind::Raise(raise::lower(self, it)),
            TaskKind::Run(it) => run::lower(self, it, pointer),
            TaskKind::Set(it) => Kind::Set(set::lower(self, it)),
            TaskKind::Switch(it) => Kind::Switch(switch::lower(self, it, targets)),
            TaskKind::Try(it) => Kind::Try(Box::new(r#try::lower(self, it, targets))),
            TaskKind::Wait(it) => Kind::Wait(wait::lower(self, it)),
        }
    }

    /// A step of the data flow. `value` is `from` or `as`: a bare expression, or an object with
    /// expressions in it.
    pub(super) fn transform(
        &mut self,
        schema: Option<&'d document::Schema>,
        value: Option<&Located<Value>>,
        moment: Moment,
    ) -> Transform {
        let template = value.map(|value| {
            let pointer = value.location.pointer.to_string();
            self.builder.value(&value.value, &pointer, moment)
        });
        Transform {
            template,
            schema: schema.and_then(|schema| self.schema(schema)),
        }
    }

    fn schema(&mut self, schema: &'d document::Schema) -> Option<Schema> {
        let (pointer, compiled) = match &schema.source {
            SchemaSource::Document(document) => (
                document.location.pointer.to_string(),
                Schema::new(&document.value, &mut self.schema_patterns),
            ),
            SchemaSource::Resource(resource) => {
                let pointer = resource.endpoint.uri.location.pointer.to_string();
                let (uri, text) = self.text_at(&resource.endpoint)?;
                (
                    pointer,
                    Schema::read(&uri, &text, &mut self.schema_patterns),
                )
            }
        };
        match compiled {
            Ok(schema) => Some(schema),
            Err(BadSchema { place, message }) => {
                let message = format!("this is no JSON Schema: {message}");
                let error =
                    self.document
                        .error_at(&format!("{pointer}{place}"), code::BAD_SCHEMA, message);
                self.builder.report(error);
                None
            }
        }
    }

    fn timeout(
        &mut self,
        timeout: &'d Reusable<Timeout>,
        moment: Moment,
    ) -> super::DurationTemplate {
        let after = &self.document.workflow().timeout(timeout).after;
        self.builder.duration(after, moment)
    }

    /// A number for a task that is about to be lowered. What is inside it gets greater ones.
    fn reserve(&mut self) -> NodeId {
        let id = self.next_number();
        self.nodes.push(None);
        id
    }

    fn next_number(&self) -> NodeId {
        NodeId(u32::try_from(self.nodes.len()).expect("the size of a document is bounded"))
    }
}

/// A template that is an expression wherever the specification takes a bare one.
pub(super) fn optional(
    lowering: &mut Lowering<'_>,
    text: Option<&Located<String>>,
) -> Option<Template> {
    text.map(|text| lowering.builder.bare(text, Moment::During))
}
