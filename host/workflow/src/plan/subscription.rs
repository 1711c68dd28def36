//! Subscriptions: calls that bring one message after another.

use super::builder::Moment;
use super::lower::{Lowering, optional};
use super::{Call, DurationTemplate, Foreach, Template, foreach};
use crate::document;

/// A call that brings messages, and what is done with each.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) call: Call,
    /// Which messages count. Nothing lets all through.
    pub(crate) filter: Option<Template>,
    pub(crate) enough: Enough,
    /// How long to consume.
    pub(crate) time: Option<DurationTemplate>,
    pub(crate) foreach: Option<Foreach>,
}

/// When there have been enough messages.
#[derive(Debug)]
pub(crate) enum Enough {
    /// With so many.
    Amount(u64),
    /// When the condition, on what the messages have left so far, no longer holds.
    While(Template),
    /// When the condition, on what the messages have left so far, holds.
    Until(Template),
}

/// Lowers a subscription that is made by `call`.
pub(super) fn lower<'d>(
    lowering: &mut Lowering<'d>,
    it: &'d document::Subscription,
    call: Call,
) -> Subscription {
    let filter = optional(lowering, it.filter.as_ref());
    let enough = match &it.enough {
        document::Enough::Amount(amount) => Enough::Amount(amount.value),
        document::Enough::While(text) => Enough::While(lowering.builder.bare(text, Moment::During)),
        document::Enough::Until(text) => Enough::Until(lowering.builder.bare(text, Moment::During)),
    };
    let time = it.time.as_ref();
    let time = time.map(|it| lowering.builder.duration(it, Moment::During));
    let foreach = it.foreach.as_ref();
    let foreach = foreach.map(|it| foreach::lower(lowering, it));
    Subscription {
        call,
        filter,
        enough,
        time,
        foreach,
    }
}
