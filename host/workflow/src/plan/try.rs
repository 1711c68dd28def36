//! `try`: a body, and what to do when an error leaves it.

use super::lower::{Lowering, Targets, optional};
use super::{Edge, RetryPolicy, Sequence, Template, retry};
use crate::document::{self, Located};
use crate::error::{Error, same_type};

/// A body and its catch clause (dsl-reference, "Try").
#[derive(Debug)]
pub(crate) struct Try {
    pub(crate) body: Sequence,
    pub(crate) filter: ErrorFilter,
    /// The variable that holds the error, without `$`.
    pub(crate) variable: String,
    pub(crate) when: Option<Template>,
    pub(crate) except_when: Option<Template>,
    pub(crate) retry: Option<RetryPolicy>,
    /// `catch.do`.
    pub(crate) handler: Option<Sequence>,
    /// `catch.then`.
    pub(crate) then: Option<Edge>,
}

/// `catch.errors.with`: an error is caught when all that is set here is the same in it.
#[derive(Debug, Default)]
pub(crate) struct ErrorFilter {
    pub(crate) type_uri: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) instance: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) detail: Option<String>,
}

impl ErrorFilter {
    /// Whether `error` is one that is meant.
    pub(crate) fn matches(&self, error: &Error) -> bool {
        fn same(wanted: Option<&String>, found: Option<&String>) -> bool {
            wanted.is_none_or(|wanted| found == Some(wanted))
        }
        self.type_uri
            .as_ref()
            .is_none_or(|wanted| same_type(wanted, &error.type_uri))
            && self.status.is_none_or(|wanted| wanted == error.status)
            && same(self.instance.as_ref(), error.instance.as_ref())
            && same(self.title.as_ref(), error.title.as_ref())
            && same(self.detail.as_ref(), error.detail.as_ref())
    }
}

/// Lowers a `try`. Its variable exists in the conditions of the clause, in the retry policy and in
/// `catch.do`.
pub(super) fn lower<'d>(
    lowering: &mut Lowering<'d>,
    it: &'d document::Try,
    targets: &Targets<'_>,
) -> Try {
    let body = lowering.list(&it.tasks);
    let catch = &it.catch;
    let variable = catch.variable().to_owned();
    lowering.builder.enter(&[&variable]);
    let when = optional(lowering, catch.when.as_ref());
    let except_when = optional(lowering, catch.except_when.as_ref());
    let retry = catch
        .retry
        .as_ref()
        .map(|retry| retry::lower(lowering, retry));
    let handler = catch.tasks.as_ref().map(|tasks| lowering.list(tasks));
    lowering.builder.leave(1);
    Try {
        body,
        filter: catch.filter.as_ref().map(filter).unwrap_or_default(),
        variable,
        when,
        except_when,
        retry,
        handler,
        then: catch.then.as_ref().map(|then| targets.edge(&then.value)),
    }
}

fn filter(errors: &document::ErrorFilter) -> ErrorFilter {
    let text = |text: &Option<Located<String>>| text.as_ref().map(|text| text.value.clone());
    ErrorFilter {
        type_uri: text(&errors.r#type),
        status: errors.status.as_ref().map(|status| status.value),
        instance: text(&errors.instance),
        title: text(&errors.title),
        detail: text(&errors.detail),
    }
}
