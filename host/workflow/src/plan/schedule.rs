//! `schedule`: when a workflow starts by itself.

use super::lower::Lowering;
use crate::document;
use crate::schedule::{CronSchedule, Schedule};

/// Lowers a schedule.
pub(super) fn lower(lowering: &Lowering<'_>, it: &document::Schedule) -> Schedule {
    let cron = it.cron.as_ref().and_then(|cron| {
        let text = lowering
            .document
            .value_at(&cron.location.pointer.to_string())?
            .as_str()?;
        // What is wrong with either, the document has said.
        CronSchedule::new(text, it.timezone.as_ref().map(|zone| zone.value.as_str())).ok()
    });
    Schedule {
        every: it.every.as_ref().and_then(|every| every.fixed()),
        cron,
        after: it.after.as_ref().and_then(|after| after.fixed()),
    }
}
