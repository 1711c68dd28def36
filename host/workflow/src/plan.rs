//! The plan: a document lowered into what the machine runs.
//!
//! Lowering happens once, at publication. What it leaves is an arena of typed [`Node`]s: references into
//! `use` are replaced by what they name, flow directives by the edges they mean, expressions are
//! compiled as far as this crate can, and every function has been looked up. The machine knows only plans.

mod approval;
mod arguments;
mod builder;
mod call;
pub mod catalog;
mod consumption;
mod duration;
mod emit;
mod extension;
mod r#for;
mod foreach;
mod fork;
mod function;
mod graph;
mod listen;
mod lower;
mod pattern;
mod process;
mod raise;
mod resource;
mod retry;
mod run;
mod schedule;
mod schema;
mod set;
mod site;
mod subscription;
mod switch;
mod template;
mod topics;
mod r#try;
mod uri_template;
mod wait;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

pub use catalog::{Catalog, FunctionReference, NoSuchFunction, Signature};
pub use topics::{Mark, Topic, Topics};

pub(crate) use approval::Approval;
pub(crate) use call::Call;
pub(crate) use consumption::{Filter, Matcher, Strategy, Until};
pub(crate) use duration::DurationTemplate;
pub(crate) use emit::Emit;
pub(crate) use extension::Extension;
pub(crate) use r#for::For;
pub(crate) use foreach::Foreach;
pub(crate) use fork::{BRANCHES, Fork};
pub(crate) use function::Function;
pub(crate) use listen::Listen;
pub(crate) use pattern::Pattern;
pub(crate) use process::{FUNCTION as PROCESS_FUNCTION, Process};
pub(crate) use raise::Raise;
pub(crate) use retry::{DELAY_MAX, RetryPolicy};
pub(crate) use run::Subflow;
pub(crate) use schedule::EventTrigger;
pub(crate) use schema::{BadSchema, Schema, SchemaPatterns};
pub(crate) use subscription::{Enough, Subscription};
pub(crate) use switch::Case;
pub(crate) use template::{Filling, Template, truthy};
pub(crate) use r#try::Try;

use crate::data::Data;
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Document;
use crate::expression::Expression;
use crate::pack::packed;
use crate::resource::{Resources, Wanted};
use crate::schedule::Schedule;

/// A workflow, ready to run.
///
/// A task's JSON pointer is its identity within a run, so that no two tasks of a plan share one. A task of
/// a function is performed wherever the function is called. It stands, as it were, in place of the
/// function's name: where `/do/0/greet` calls it, its pointer is `/do/0/greet/call`, and that of a task inside
/// it `/do/0/greet/call/do/1/say`. Likewise, the pointer of an extension's task is where it is written, behind
/// the pointer of the task that it extends: `/do/0/greet/use/extensions/0/logging/before/0/log`.
#[derive(Debug)]
pub struct Plan {
    /// The document as JSON: `$workflow.definition`.
    pub(crate) definition: Data,
    /// The tasks, each before those inside it. All that is inside a task is a range.
    pub(crate) nodes: Vec<Node>,
    /// The workflow's own `do`.
    pub(crate) body: Sequence,
    /// What is done with the workflow's raw input.
    pub(crate) input: Transform,
    /// What is done with the last task's output.
    pub(crate) output: Transform,
    /// When it starts by itself.
    pub(crate) schedule: Option<Schedule>,
    /// The events that start it, where those do.
    pub(crate) trigger: Option<EventTrigger>,
    /// How long a run may take.
    pub(crate) timeout: Option<DurationTemplate>,
    pub(crate) expressions: Vec<Arc<Expression>>,
    pub(crate) connectors: BTreeSet<String>,
    pub(crate) secrets: Arc<[String]>,
}

impl Plan {
    /// Lowers a document.
    ///
    /// # Errors
    ///
    /// All that a document alone can't tell: functions that `catalog` does not have, arguments that do
    /// not fit them, schemas that are none, task kinds that this host does not run yet; and everything that
    /// the document keeps elsewhere.
    pub fn new(document: &Document, catalog: &dyn Catalog) -> Result<Self, Vec<Diagnostic>> {
        Self::with_resources(document, catalog, &Resources::new())
    }

    /// Lowers a document that keeps things elsewhere, with all of what it keeps there.
    ///
    /// # Errors
    ///
    /// As [`Plan::new`]; what `resources` lacks is an error too.
    pub fn with_resources(
        document: &Document,
        catalog: &dyn Catalog,
        resources: &Resources,
    ) -> Result<Self, Vec<Diagnostic>> {
        let Lowered {
            plan,
            mut diagnostics,
            wanted,
            ..
        } = Self::lower_with(document, catalog, resources);
        diagnostics.extend(wanted.into_iter().map(|it| Diagnostic {
            severity: Severity::Error,
            ..it.unfetched
        }));
        plan.ok_or(diagnostics)
    }

    /// Lowers a document as far as it goes, for who wants to say all that is wrong with it.
    pub fn lower(document: &Document, catalog: &dyn Catalog) -> Lowered {
        Self::lower_with(document, catalog, &Resources::new())
    }

    /// Lowers a document as far as it goes with what has been fetched of what it keeps elsewhere.
    pub fn lower_with(
        document: &Document,
        catalog: &dyn Catalog,
        resources: &Resources,
    ) -> Lowered {
        lower::lower(document, catalog, resources)
    }

    /// The connectors that the workflow calls, by name, each once.
    pub fn connectors(&self) -> impl Iterator<Item = &str> {
        self.connectors.iter().map(String::as_str)
    }

    /// When the workflow starts by itself.
    pub fn schedule(&self) -> Option<&Schedule> {
        self.schedule.as_ref()
    }

    /// The workflows that the workflow runs, in the order of the document.
    pub fn subflows(&self) -> impl Iterator<Item = SubflowReference<'_>> {
        self.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Run(flow) => Some(SubflowReference {
                namespace: &flow.namespace,
                name: &flow.name,
                version: flow.version.as_deref(),
                pointer: &flow.pointer,
            }),
            _ => None,
        })
    }

    /// The secrets that the workflow uses (`use.secrets`), by name, each once.
    pub fn secrets(&self) -> &Arc<[String]> {
        &self.secrets
    }

    /// The expressions that need an expression language. An expression's id is its index.
    pub fn expressions(&self) -> &[Arc<Expression>] {
        &self.expressions
    }

    /// The document as JSON.
    pub fn definition(&self) -> &Value {
        &self.definition
    }

    /// The workflow as the source of events, a URI reference: `/{namespace}/{name}/{version}` (dsl-reference,
    /// "Event Properties").
    pub(crate) fn source(&self) -> String {
        let part = |key: &str| {
            self.definition["document"][key]
                .as_str()
                .unwrap_or_default()
        };
        format!(
            "/{}/{}/{}",
            part("namespace"),
            part("name"),
            part("version")
        )
    }

    /// The plan as a graph: `{start, nodes: [{id, name, kind, parent, start}], edges: [{from, to, label}]}`, ids being
    /// JSON pointers, or `end`. A node that has tasks inside says which of them is the first.
    pub fn graph(&self) -> Value {
        graph::graph(self)
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}

/// A workflow that a workflow runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubflowReference<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its version; none for the highest one there is when it is run.
    pub version: Option<&'a str>,
    /// Where the document names it.
    pub pointer: &'a str,
}

/// What lowering a document came to.
#[derive(Debug)]
pub struct Lowered {
    /// The plan; none where something is an error, or wanted.
    pub plan: Option<Plan>,
    /// The expressions of all that could be lowered, for an expression language to look at.
    pub expressions: Vec<Arc<Expression>>,
    /// What is wrong, sorted by place, warnings included.
    pub diagnostics: Vec<Diagnostic>,
    /// What must be fetched before there can be a plan. With that, there may be more.
    pub wanted: Vec<Wanted>,
}

/// A task's place in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(pub(crate) u32);

packed!(struct NodeId(number));

/// A task.
#[derive(Debug)]
pub(crate) struct Node {
    /// The task's name.
    pub(crate) name: String,
    /// Where it stands, its identity: a JSON pointer. That of a task which is written elsewhere than where
    /// it is performed begins with where it is performed (see [`Plan`]).
    pub(crate) pointer: Arc<str>,
    /// The task as JSON: `$task.definition`.
    pub(crate) definition: Data,
    /// `if`.
    pub(crate) condition: Option<Template>,
    pub(crate) input: Transform,
    pub(crate) output: Transform,
    /// `export`: no template leaves the context alone.
    pub(crate) export: Transform,
    pub(crate) timeout: Option<DurationTemplate>,
    /// Where to go when the task has been skipped: `continue`.
    pub(crate) next: Edge,
    /// Where to go when it has completed.
    pub(crate) then: Edge,
    /// `compensate`: what undoes the task.
    pub(crate) compensate: Option<Sequence>,
    /// The nodes that are inside it.
    pub(crate) inside: Range<NodeId>,
    pub(crate) kind: Kind,
    /// The extensions around it, in the order in which they are looked at.
    pub(crate) extensions: Vec<Extension>,
}

/// A step of the data flow: `from` or `as`, and the schema beside it.
#[derive(Debug, Default)]
pub(crate) struct Transform {
    pub(crate) template: Option<Template>,
    pub(crate) schema: Option<Schema>,
}

/// Where to go next, within one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// To a task of the same scope.
    To(NodeId),
    /// Out of the scope, which is then complete. `continue` behind the last task means the same.
    Exit,
    /// Out of an extension, and out of the task that it extends.
    Leave,
    /// To the end of the workflow.
    End,
}

packed!(
    enum Edge {
        To(node),
        Exit,
        Leave,
        End,
    }
);

/// Tasks of one scope. The first is where it starts; from there on, edges lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// None where the list is empty: it completes at once, with its input.
    pub(crate) first: Option<NodeId>,
}

/// What a task does.
#[derive(Debug)]
pub(crate) enum Kind {
    Approval(Box<Approval>),
    Call(Call),
    Do(Sequence),
    Emit(Emit),
    For(For),
    Fork(Fork),
    Function(Function),
    Listen(Box<Listen>),
    Process(Process),
    Raise(Raise),
    Run(Subflow),
    Set(Template),
    Subscription(Box<Subscription>),
    Switch(Vec<Case>),
    Try(Box<Try>),
    Wait(DurationTemplate),
}

impl Kind {
    /// The key that makes a task one of this kind.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Approval(_) | Self::Call(_) | Self::Function(_) | Self::Subscription(_) => "call",
            Self::Do(_) => "do",
            Self::Emit(_) => "emit",
            Self::For(_) => "for",
            Self::Fork(_) => "fork",
            Self::Listen(_) => "listen",
            Self::Process(_) => "run",
            Self::Raise(_) => "raise",
            Self::Run(_) => "run",
            Self::Set(_) => "set",
            Self::Switch(_) => "switch",
            Self::Try(_) => "try",
            Self::Wait(_) => "wait",
        }
    }
}
