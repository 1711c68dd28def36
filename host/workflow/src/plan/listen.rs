//! `listen`: events.

use super::Foreach;
use super::builder::Moment;
use super::consumption::{self, Strategy};
use super::foreach;
use super::lower::Lowering;
use crate::document::{self, EventRead};

/// The events to wait for, and what is done with each.
#[derive(Debug)]
pub(crate) struct Listen {
    pub(crate) strategy: Strategy,
    pub(crate) read: EventRead,
    pub(crate) foreach: Option<Foreach>,
}

/// Lowers a `listen`.
pub(super) fn lower<'d>(lowering: &mut Lowering<'d>, it: &'d document::Listen) -> Listen {
    Listen {
        strategy: consumption::lower(lowering, &it.to, Moment::During),
        read: it.read,
        foreach: it
            .foreach
            .as_ref()
            .map(|foreach| foreach::lower(lowering, foreach)),
    }
}
