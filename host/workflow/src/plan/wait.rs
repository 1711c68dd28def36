//! `wait`: a pause.

use super::DurationTemplate;
use super::builder::Moment;
use super::lower::Lowering;
use crate::document::Wait;

pub(super) fn lower(lowering: &mut Lowering<'_>, it: &Wait) -> DurationTemplate {
    lowering.builder.duration(&it.duration, Moment::During)
}
