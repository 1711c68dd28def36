//! How far a schedule is. Pure: the time comes in.

use std::time::Duration;

use baton_store::RunId;
use baton_workflow::Timestamp;
use baton_workflow::schedule::{CronSchedule, Due, Schedule, due_cron, due_every};
use serde_json::Value;

/// How far a schedule is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScheduleState {
    /// The version of the workflow whose schedule it is.
    pub(crate) version: String,
    pub(crate) triggers: Vec<Trigger>,
    /// Who has paused it, and when.
    pub(crate) paused: Option<(String, Timestamp)>,
    /// How many runs it has started.
    pub(crate) started: u64,
    /// How many starts were missed and not made up for.
    pub(crate) missed: u64,
    pub(crate) last: Option<LastStart>,
    /// When the last start that was due could not be made, and why.
    pub(crate) failure: Option<(Timestamp, String)>,
}

/// Something that starts runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trigger {
    pub(crate) kind: TriggerKind,
    /// When the next start is due.
    pub(crate) next: Option<Timestamp>,
    /// The run for whose end it waits.
    pub(crate) awaits: Option<RunId>,
}

/// What starts runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TriggerKind {
    Every(Duration),
    Cron(CronSchedule),
    After(Duration),
    On {
        /// `on` and `read`, as the document has them.
        on: Value,
        /// The position in the tenant's log of the first event that may start the next run.
        from: u64,
        /// The positions behind it of those that have started runs already.
        taken: Vec<u64>,
    },
}

/// The last run that a schedule has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastStart {
    pub(crate) run: RunId,
    pub(crate) at: Timestamp,
    pub(crate) due: Timestamp,
}

/// What of a schedule started a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scheduled {
    /// The key of the schedule: `every`, `cron`, `after`.
    pub(crate) kind: String,
    pub(crate) due: Timestamp,
    /// How many starts before it were due and missed.
    pub(crate) missed: u32,
}

impl TriggerKind {
    /// The key of the schedule.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Every(_) => "every",
            Self::Cron(_) => "cron",
            Self::After(_) => "after",
            Self::On { .. } => "on",
        }
    }

    /// When the first start after `now` is due, if nothing has been started yet.
    fn first(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(interval) | Self::After(interval) => Some(now.after(*interval)),
            Self::Cron(cron) => cron.next_after(now),
            Self::On { .. } => None,
        }
    }

    /// Whether another version of the workflow says the same.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::On { on, .. }, Self::On { on: other, .. }) => on == other,
            _ => self == other,
        }
    }
}

impl ScheduleState {
    /// The schedule of a workflow that is published `now`: the first interval, or the first delay, begins, and
    /// events count from the position `events_from` on.
    pub(crate) fn new(
        version: &str,
        schedule: &Schedule,
        now: Timestamp,
        events_from: u64,
    ) -> Self {
        let triggers = kinds(schedule, events_from).map(|kind| Trigger {
            next: kind.first(now),
            awaits: None,
            kind,
        });
        Self {
            version: version.to_owned(),
            triggers: triggers.collect(),
            paused: None,
            started: 0,
            missed: 0,
            last: None,
            failure: None,
        }
    }

    /// The schedule of a higher version of the workflow. What is the same in both goes on as it was.
    pub(crate) fn renewed(
        &self,
        version: &str,
        schedule: &Schedule,
        now: Timestamp,
        events_from: u64,
    ) -> Self {
        let fresh = Self::new(version, schedule, now, events_from);
        let kept = |trigger: Trigger| {
            let before = self
                .triggers
                .iter()
                .find(|it| it.kind.is_same(&trigger.kind));
            before.cloned().unwrap_or(trigger)
        };
        Self {
            version: fresh.version,
            triggers: fresh.triggers.into_iter().map(kept).collect(),
            failure: None,
            ..self.clone()
        }
    }

    /// When something is due next.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        if self.paused.is_some() {
            return None;
        }
        self.triggers.iter().filter_map(|it| it.next).min()
    }

    /// The first trigger that is due at `now`, and what is due of it.
    pub(crate) fn due(&self, now: Timestamp) -> Option<(usize, Due)> {
        if self.paused.is_some() {
            return None;
        }
        let (index, next) = (0..)
            .zip(&self.triggers)
            .filter_map(|(index, trigger)| Some((index, trigger.next?)))
            .filter(|(_, next)| *next <= now)
            .min_by_key(|(_, next)| *next)?;
        let due = match &self.triggers[index].kind {
            TriggerKind::Every(interval) => due_every(*interval, next, now),
            TriggerKind::Cron(cron) => due_cron(cron, next, now),
            TriggerKind::After(_) | TriggerKind::On { .. } => Due {
                at: next,
                missed: 0,
                next: None,
            },
        };
        Some((index, due))
    }

    /// A run has been started for what was due.
    pub(crate) fn started(&mut self, index: usize, due: &Due, run: RunId, now: Timestamp) {
        self.pass(index, due);
        let trigger = &mut self.triggers[index];
        if let TriggerKind::After(_) = trigger.kind {
            trigger.awaits = Some(run);
        }
        self.started += 1;
        self.failure = None;
        self.last = Some(LastStart {
            run,
            at: now,
            due: due.at,
        });
    }

    /// From which event on it gathers events to start a run; none where it does not.
    pub(crate) fn gathers_from(&self) -> Option<(u64, &[u64])> {
        if self.paused.is_some() {
            return None;
        }
        self.triggers
            .iter()
            .find_map(|trigger| match &trigger.kind {
                TriggerKind::On { from, taken, .. } => Some((*from, taken.as_slice())),
                _ => None,
            })
    }

    /// Events have come together, and a run has been started for them, or could not be. From `next` on, without
    /// those that have started runs already, they count for others.
    pub(crate) fn gathered(
        &mut self,
        next: u64,
        positions: &[u64],
        now: Timestamp,
        started: Result<RunId, String>,
    ) {
        for trigger in &mut self.triggers {
            if let TriggerKind::On { taken, .. } = &mut trigger.kind {
                taken.extend(positions);
            }
        }
        self.gathers_on(next);
        match started {
            Ok(run) => {
                self.started += 1;
                self.failure = None;
                self.last = Some(LastStart {
                    run,
                    at: now,
                    due: now,
                });
            }
            Err(reason) => {
                self.missed += 1;
                self.failure = Some((now, reason));
            }
        }
    }

    /// Events before the position `next` start no more runs.
    pub(crate) fn gathers_on(&mut self, next: u64) {
        for trigger in &mut self.triggers {
            if let TriggerKind::On { from, taken, .. } = &mut trigger.kind {
                *from = next;
                taken.retain(|position| *position >= next);
            }
        }
    }

    /// Whether a start fails for another reason than the one before, or is the first to fail.
    pub(crate) fn is_news(&self, reason: &str) -> bool {
        self.failure.as_ref().is_none_or(|(_, it)| it != reason)
    }

    /// No run could be started for what was due.
    pub(crate) fn failed(&mut self, index: usize, due: &Due, reason: String, now: Timestamp) {
        self.pass(index, due);
        self.missed += 1;
        let trigger = &mut self.triggers[index];
        if let TriggerKind::After(delay) = trigger.kind {
            trigger.next = Some(now.after(delay));
        }
        self.failure = Some((now, reason));
    }

    fn pass(&mut self, index: usize, due: &Due) {
        self.triggers[index].next = due.next;
        self.missed += u64::from(due.missed);
    }

    /// The runs for whose end it waits.
    pub(crate) fn awaited(&self) -> Vec<RunId> {
        self.triggers.iter().filter_map(|it| it.awaits).collect()
    }

    /// A run has ended. Whether that changes anything.
    pub(crate) fn ended(&mut self, run: &RunId, at: Timestamp) -> bool {
        let mut changed = false;
        for trigger in &mut self.triggers {
            if let TriggerKind::After(delay) = trigger.kind
                && trigger.awaits == Some(*run)
            {
                trigger.awaits = None;
                trigger.next = Some(at.after(delay));
                changed = true;
            }
        }
        changed
    }

    /// Starts nothing until it is resumed. False where it is paused already.
    pub(crate) fn pause(&mut self, by: &str, now: Timestamp) -> bool {
        if self.paused.is_some() {
            return false;
        }
        self.paused = Some((by.to_owned(), now));
        true
    }

    /// Starts runs again. What came due meanwhile is passed over, and no start is missed by that: somebody wanted
    /// it so. Events count from the position `events_from` on. False where it is not paused.
    pub(crate) fn resume(&mut self, now: Timestamp, events_from: u64) -> bool {
        if self.paused.take().is_none() {
            return false;
        }
        for trigger in &mut self.triggers {
            if let TriggerKind::On { from, taken, .. } = &mut trigger.kind {
                *from = events_from;
                taken.clear();
            }
            let Some(next) = trigger.next.filter(|next| *next <= now) else {
                continue;
            };
            trigger.next = match &trigger.kind {
                TriggerKind::On { .. } => None,
                TriggerKind::Every(interval) => due_every(*interval, next, now).next,
                TriggerKind::Cron(cron) => cron.next_after(now),
                TriggerKind::After(delay) => Some(now.after(*delay)),
            };
        }
        true
    }
}

fn kinds(schedule: &Schedule, events_from: u64) -> impl Iterator<Item = TriggerKind> {
    let Schedule {
        every,
        cron,
        after,
        on,
    } = schedule.clone();
    [
        on.map(|on| TriggerKind::On {
            on,
            from: events_from,
            taken: Vec::new(),
        }),
        every.map(TriggerKind::Every),
        cron.map(TriggerKind::Cron),
        after.map(TriggerKind::After),
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn run(n: u8) -> RunId {
        RunId::from_bytes([n; 16])
    }

    fn schedule() -> Schedule {
        Schedule {
            every: Some(Duration::from_secs(60)),
            cron: None,
            after: Some(Duration::from_secs(100)),
            on: None,
        }
    }

    #[test]
    fn each_trigger_goes_its_own_way() {
        let mut state = ScheduleState::new("1.0.0", &schedule(), at(0), 1);
        assert_eq!(state.next(), Some(at(60)));
        assert_eq!(state.due(at(59)), None);
        let (index, due) = state.due(at(60)).expect("due");
        state.started(index, &due, run(1), at(60));
        assert_eq!(state.next(), Some(at(100)));
        let (index, due) = state.due(at(100)).expect("due");
        state.started(index, &due, run(2), at(100));
        assert_eq!(
            (state.awaited(), state.next()),
            (vec![run(2)], Some(at(120)))
        );
        assert!(!state.ended(&run(1), at(110)));
        assert!(state.ended(&run(2), at(115)));
        assert_eq!(state.triggers[1].next, Some(at(215)));
        assert_eq!((state.started, state.missed), (2, 0));
    }

    #[test]
    fn what_was_missed_is_made_up_for_once() {
        let mut state = ScheduleState::new("1.0.0", &schedule(), at(0), 1);
        state.triggers.pop();
        let (index, due) = state.due(at(310)).expect("due");
        state.started(index, &due, run(1), at(310));
        assert_eq!((due.at, due.missed), (at(300), 4));
        assert_eq!((state.next(), state.missed), (Some(at(360)), 4));
    }

    #[test]
    fn a_higher_version_keeps_what_is_the_same() {
        let mut state = ScheduleState::new("1.0.0", &schedule(), at(0), 1);
        let (index, due) = state.due(at(60)).expect("due");
        state.started(index, &due, run(1), at(60));
        let other = Schedule {
            after: Some(Duration::from_secs(7)),
            ..schedule()
        };
        let renewed = state.renewed("1.1.0", &other, at(90), 1);
        assert_eq!((renewed.version.as_str(), renewed.started), ("1.1.0", 1));
        assert_eq!(renewed.triggers[0].next, Some(at(120)));
        assert_eq!(renewed.triggers[1].next, Some(at(97)));
    }

    #[test]
    fn what_comes_due_in_a_pause_is_passed_over() {
        let mut state = ScheduleState::new("1.0.0", &schedule(), at(0), 1);
        assert!(state.pause("ada", at(10)) && !state.pause("bob", at(11)));
        assert_eq!((state.next(), state.due(at(500))), (None, None));
        assert!(state.resume(at(500), 1) && !state.resume(at(500), 1));
        assert_eq!(state.triggers[0].next, Some(at(540)));
        assert_eq!(state.triggers[1].next, Some(at(600)));
        assert_eq!(state.missed, 0);
    }

    #[test]
    fn events_count_from_where_the_last_run_has_left_them() {
        let on = Schedule {
            on: Some(serde_json::json!({ "on": { "any": [] } })),
            ..Schedule::default()
        };
        let mut state = ScheduleState::new("1.0.0", &on, at(0), 5);
        assert_eq!(
            (state.next(), state.gathers_from()),
            (None, Some((5, &[][..])))
        );
        state.gathered(9, &[6, 12], at(1), Ok(run(1)));
        assert_eq!(
            (state.gathers_from(), state.started),
            (Some((9, &[12][..])), 1)
        );
        assert_eq!(
            state.renewed("1.1.0", &on, at(2), 20).gathers_from(),
            Some((9, &[12][..]))
        );
        state.pause("ada", at(3));
        assert_eq!(state.gathers_from(), None);
        state.resume(at(4), 30);
        assert_eq!(state.gathers_from(), Some((30, &[][..])));
        state.gathered(31, &[30], at(5), Err("no".to_owned()));
        assert_eq!((state.started, state.missed), (1, 1));
    }

    #[test]
    fn a_start_that_fails_is_passed_over_and_told() {
        let mut state = ScheduleState::new("1.0.0", &schedule(), at(0), 1);
        for due_at in [60, 100] {
            let (index, due) = state.due(at(due_at)).expect("due");
            state.failed(index, &due, "no".to_owned(), at(due_at));
        }
        assert_eq!(state.triggers[1].next, Some(at(200)));
        assert_eq!((state.started, state.missed), (0, 2));
        assert_eq!(state.failure, Some((at(100), "no".to_owned())));
    }
}
