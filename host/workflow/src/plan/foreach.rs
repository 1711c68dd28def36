//! `foreach`: what is done for each item of a subscription (dsl-reference, "Subscription Iterator").

use super::builder::Moment;
use super::lower::Lowering;
use super::{Sequence, Transform};
use crate::document;

/// What is done for each item, one after the other.
#[derive(Debug)]
pub(crate) struct Foreach {
    /// The variable that holds the item, without `$`.
    pub(crate) item: String,
    /// The variable that holds its index, without `$`.
    pub(crate) at: String,
    /// The tasks for each item. They start on the item; what the last leaves is the item's output. An empty
    /// list leaves the item as it is.
    pub(crate) body: Sequence,
    pub(crate) output: Transform,
    pub(crate) export: Transform,
}

/// Lowers a `foreach`.
pub(super) fn lower<'d>(lowering: &mut Lowering<'d>, it: &'d document::Foreach) -> Foreach {
    let name = |name: Option<&document::Located<String>>, default: &str| {
        name.map_or_else(|| default.to_owned(), |name| name.value.clone())
    };
    let (item, at) = (
        name(it.item.as_ref(), "item"),
        name(it.at.as_ref(), "index"),
    );
    lowering.builder.enter(&[&item, &at]);
    let body = it
        .tasks
        .as_ref()
        .map_or(Sequence { first: None }, |tasks| lowering.list(tasks));
    let output = it.output.as_ref();
    let output =
        output.map(|it| lowering.transform(it.schema.as_ref(), it.r#as.as_ref(), Moment::After));
    let export = it.export.as_ref();
    let export = export
        .map(|it| lowering.transform(it.schema.as_ref(), it.r#as.as_ref(), Moment::Exporting));
    lowering.builder.leave(2);
    Foreach {
        item,
        at,
        body,
        output: output.unwrap_or_default(),
        export: export.unwrap_or_default(),
    }
}
