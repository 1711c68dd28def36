//! `baton schedules list`: what starts by itself, and when.

use baton_api::schedule::{Schedule, Trigger};

use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::remote::{Remote, limited};
use crate::render::table::Table;

/// The arguments of `baton schedules list`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let client = self.remote.client()?;
        let schedules = limited(self.limit, async |page| client.schedules(&page).await).await?;
        if self.output == Output::Json {
            return print_json(&schedules);
        }
        let mut table = Table::new(["workflow", "schedule", "next", "last", "missed", "failure"]);
        for schedule in schedules {
            let workflow = format!(
                "{}/{}@{}",
                schedule.namespace, schedule.name, schedule.version
            );
            let triggers: Vec<String> = schedule.triggers.iter().map(trigger).collect();
            let next = next(&schedule);
            let missed = schedule.missed.to_string();
            let last = schedule.last.map(|last| last.at).unwrap_or_default();
            let failure = schedule.failure.map(|failure| failure.reason);
            let failure = failure.unwrap_or_default();
            table.row([workflow, triggers.join(", "), next, last, missed, failure]);
        }
        print(table)
    }
}

fn trigger(trigger: &Trigger) -> String {
    let zone = trigger.timezone.as_deref();
    let zone = zone.map(|zone| format!(" {zone}")).unwrap_or_default();
    format!("{} {}{zone}", trigger.kind, trigger.spec)
}

fn next(schedule: &Schedule) -> String {
    let events = schedule.triggers.iter().any(|it| it.kind == "on");
    let waits = schedule.triggers.iter().any(|it| it.waits_for.is_some());
    match (&schedule.paused, &schedule.next_due) {
        (Some(_), _) => "paused".to_owned(),
        (None, Some(due)) => due.clone(),
        (None, None) if events => "on events".to_owned(),
        (None, None) if waits => "after the run".to_owned(),
        (None, None) => "never".to_owned(),
    }
}
