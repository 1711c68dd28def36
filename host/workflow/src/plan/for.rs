//! `for`: a body for each item of a collection.

use super::builder::Moment;
use super::lower::{Lowering, optional};
use super::{Sequence, Template};
use crate::document::{self, ForIn};

/// A loop. Without `concurrency`, iterations follow one another and each is given the output of the one before;
/// with it, each is given the loop's input.
#[derive(Debug)]
pub(crate) struct For {
    /// The variable that holds the item, without `$`.
    pub(crate) each: String,
    /// The variable that holds its index, without `$`.
    pub(crate) at: String,
    /// What to iterate over: an array.
    pub(crate) collection: Template,
    /// `while`: what must hold before each iteration.
    pub(crate) condition: Option<Template>,
    /// How many iterations are under way at the same time, at most; none where one follows another.
    pub(crate) concurrency: Option<usize>,
    pub(crate) body: Sequence,
}

/// Lowers a `for`.
pub(super) fn lower<'d>(lowering: &mut Lowering<'d>, it: &'d document::For) -> For {
    let collection = match &it.r#in {
        ForIn::Expression(text) => lowering.builder.bare(text, Moment::During),
        ForIn::Items(items) => lowering.builder.template(
            &items.value,
            &items.location.pointer.to_string(),
            Moment::During,
        ),
    };
    let (each, at) = (
        it.item_variable().to_owned(),
        it.index_variable().to_owned(),
    );
    lowering.builder.enter(&[&each, &at]);
    let condition = optional(lowering, it.r#while.as_ref());
    let body = lowering.list(&it.tasks);
    lowering.builder.leave(2);
    For {
        each,
        at,
        collection,
        condition,
        concurrency: it
            .concurrency
            .as_ref()
            .map(|count| usize::try_from(count.value).unwrap_or(usize::MAX)),
        body,
    }
}
