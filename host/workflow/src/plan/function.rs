//! A `call` of a function that is a task: of one that the document defines, of a catalog's, or of one that is
//! defined at a URI (dsl-reference, "Use" and "Call"; dsl.md, "Catalogs").
//!
//! The function's task is put in wherever it is called, so that each call has a visit and attempts of its
//! own, and a `try` around it tries again what belongs to it. What that makes of a document is bounded
//! (see [`Expansion`]).

use serde_json::Value;

use super::builder::Moment;
use super::lower::{Lowering, Targets};
use super::resource::Elsewhere;
use super::site::Site;
use super::{Kind, NodeId, Sequence, Template};
use crate::diagnostic::code;
use crate::document::{Document, FunctionCall, FunctionTarget, Task};
use crate::extent;
use crate::resource::catalog_function;
use crate::yaml::TEXT_BYTES_MAX;

/// A call of a function that is a task.
#[derive(Debug)]
pub(crate) struct Function {
    /// What is called, as it is written.
    pub(crate) name: String,
    /// `with`, which becomes the raw input of the function's task. Where it is not written, that is the
    /// input of the call.
    pub(crate) arguments: Option<Template>,
    /// The function's task.
    pub(crate) body: NodeId,
}

/// How many functions may be under way within one another. Each is on the stack while a document is
/// lowered; people nest three or four.
const DEPTH_MAX: usize = 16;

/// How many bytes of a document, as JSON, may be put in elsewhere altogether: as many as a document may
/// have. Functions that call functions twice would grow without bounds otherwise.
const BYTES_MAX: usize = TEXT_BYTES_MAX;

/// What has been put in elsewhere than where it is written.
#[derive(Debug, Default)]
pub(super) struct Expansion {
    /// The functions that are being put in, the innermost last.
    under_way: Vec<String>,
    /// How many bytes have been put in.
    bytes: usize,
    /// Whether it has been said that that is too much.
    is_full: bool,
}

/// Whether a call is one of a function that is a task, and not of a connector's.
pub(super) fn is_one(call: &FunctionCall) -> bool {
    !matches!(call.target, FunctionTarget::Connector { .. })
}

/// A function's task, and where it is written.
struct Definition<'d> {
    /// What no function may call again while it is under way: a name, or a URI.
    identity: String,
    task: &'d Task,
    document: &'d Document,
    elsewhere: Option<Elsewhere>,
}

/// Lowers a call of a function, which is written at `pointer`.
pub(super) fn lower<'d>(
    lowering: &mut Lowering<'d>,
    call: &'d FunctionCall,
    pointer: &str,
) -> Kind {
    let with = format!("{pointer}/with");
    let arguments = lowering
        .document
        .value_at(&with)
        .map(|value| lowering.builder.template(value, &with, Moment::During));
    let at = format!("{pointer}/call");
    // A definition that is not there has been reported, or is wanted; the plan is not run.
    let nothing = Kind::Do(Sequence { first: None });
    let Some(definition) = define(lowering, call, &at) else {
        return nothing;
    };
    let Definition {
        identity,
        task,
        document,
        elsewhere,
    } = definition;
    let written = task.location.pointer.to_string();
    let value = document.value_at(&written);
    if let Err(refused) = lowering.expansion.enter(&identity, value) {
        lowering.refuse(refused, &at);
        return nothing;
    }
    let site = Site::new(lowering.site.place_of(&at), written);
    let body = lowering.in_document(document, elsewhere, site, |lowering| {
        lowering.task(task, &Targets::none())
    });
    lowering.expansion.under_way.pop();
    lowering.called.insert(identity);
    Kind::Function(Function {
        name: call.function.value.clone(),
        arguments,
        body,
    })
}

/// The definition of what is called at the pointer `at`.
fn define<'d>(
    lowering: &mut Lowering<'d>,
    call: &'d FunctionCall,
    at: &str,
) -> Option<Definition<'d>> {
    let main = lowering.main;
    let reusable = &main.workflow().reusable;
    let (uri, authentication) = match &call.target {
        FunctionTarget::Defined(name) => {
            return Some(Definition {
                identity: name.clone(),
                // One that could not be read has been reported.
                task: reusable.functions.get(name)?,
                document: main,
                elsewhere: None,
            });
        }
        FunctionTarget::Catalog {
            function,
            version,
            catalog,
        } => {
            let endpoint = reusable.catalogs.get(catalog)?;
            let Some(version) = version else {
                let message = format!("which version of `{function}` is not said");
                let help =
                    format!("catalogs keep functions by version: {function}:1.0.0@{catalog}");
                let error = lowering
                    .document
                    .error_at(at, code::UNKNOWN_FUNCTION, message);
                lowering.builder.report(error.with_help(help));
                return None;
            };
            let uri = catalog_function(&endpoint.uri.value, function, version);
            (uri, endpoint.authentication.as_ref())
        }
        FunctionTarget::External(uri) => (uri.clone(), None),
        FunctionTarget::Connector { .. } => unreachable!("a connector's function is no task"),
    };
    let (uri, document) = lowering.function_at(&uri, authentication, at)?;
    let brought_in_at = lowering.builder.elsewhere().map(|it| it.pointer);
    Some(Definition {
        task: document.workflow().tasks.tasks.first()?,
        document,
        elsewhere: Some(Elsewhere {
            uri: uri.as_str().into(),
            pointer: brought_in_at.unwrap_or_else(|| at.to_owned()),
        }),
        identity: uri,
    })
}

/// Lowers the functions that nothing calls: what is wrong with them is said all the same.
pub(super) fn check_uncalled(lowering: &mut Lowering<'_>) {
    let document = lowering.document;
    for (name, task) in document.workflow().reusable.functions.iter() {
        if !lowering.called.contains(&name.value) {
            lowering.expansion.under_way.push(name.value.clone());
            lowering.only_checking(|lowering| lowering.task(task, &Targets::none()));
            lowering.expansion.under_way.pop();
        }
    }
}

/// Why something can't be put in: the code of a diagnostic, its message and its help. None where it has been
/// said before.
pub(super) type Refused = Option<(&'static str, String, &'static str)>;

impl Expansion {
    /// Puts in the function `name`, which is the task `value`.
    fn enter(&mut self, name: &str, value: Option<&Value>) -> Result<(), Refused> {
        if let Some(first) = self.under_way.iter().position(|it| it == name) {
            let around: Vec<&str> = self.under_way[first..]
                .iter()
                .map(String::as_str)
                .chain([name])
                .collect();
            let message = format!(
                "functions call one another without end: {}",
                around.join(" → ")
            );
            let help = "a function can't call itself; use a `for`, or a `then` that leads back";
            return Err(Some((code::CYCLE, message, help)));
        }
        if self.under_way.len() >= DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} functions call one another");
            let help = "put some of them into one";
            return Err(Some((code::TOO_DEEP, message, help)));
        }
        self.put_in(value)?;
        self.under_way.push(name.to_owned());
        Ok(())
    }

    /// Takes it that no function is under way; [`Expansion::show_under_way`] gives back what this gives.
    pub(super) fn hide_under_way(&mut self) -> Vec<String> {
        std::mem::take(&mut self.under_way)
    }

    /// Takes it that these functions are under way again.
    pub(super) fn show_under_way(&mut self, hidden: Vec<String>) {
        self.under_way = hidden;
    }

    /// Takes room for what is put in.
    pub(super) fn put_in(&mut self, value: Option<&Value>) -> Result<(), Refused> {
        self.bytes = self
            .bytes
            .saturating_add(value.and_then(extent::measure).unwrap_or_default());
        if self.bytes > BYTES_MAX {
            if std::mem::replace(&mut self.is_full, true) {
                return Err(None);
            }
            let message = format!(
                "with its functions and extensions written out where they are used, the workflow would be larger \
                 than {BYTES_MAX} bytes"
            );
            let help = "make a connector of what is large, or extend fewer tasks";
            return Err(Some((code::TOO_LARGE, message, help)));
        }
        Ok(())
    }
}
