//! `schedule`: when a workflow starts by itself.

use serde_json::json;

use super::builder::Moment;
use super::consumption::{self, Strategy};
use super::lower::Lowering;
use crate::document::{self, EventRead};
use crate::schedule::{CronSchedule, Schedule};

/// The events that start runs.
#[derive(Debug)]
pub(crate) struct EventTrigger {
    pub(crate) strategy: Strategy,
    /// What of each event is the run's input.
    pub(crate) read: EventRead,
}

/// Lowers a schedule.
pub(super) fn lower(
    lowering: &mut Lowering<'_>,
    it: &document::Schedule,
) -> (Schedule, Option<EventTrigger>) {
    let trigger = it.on.as_ref().map(|on| EventTrigger {
        strategy: consumption::lower(lowering, on, Moment::Scheduling),
        read: it.read,
    });
    let written = |key: &str| {
        let pointer = it.location.pointer.key(key).to_string();
        lowering.document.value_at(&pointer).cloned()
    };
    let on = written("on").map(|on| match written("read") {
        Some(read) => json!({ "on": on, "read": read }),
        None => json!({ "on": on }),
    });
    let cron = it.cron.as_ref().and_then(|cron| {
        let text = lowering
            .document
            .value_at(&cron.location.pointer.to_string())?
            .as_str()?;
        // What is wrong with either, the document has said.
        CronSchedule::new(text, it.timezone.as_ref().map(|zone| zone.value.as_str())).ok()
    });
    let schedule = Schedule {
        on,
        every: it.every.as_ref().and_then(|every| every.fixed()),
        cron,
        after: it.after.as_ref().and_then(|after| after.fixed()),
    };
    (schedule, trigger)
}
