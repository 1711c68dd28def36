//! Schedules: list, read, pause, resume; and what publishing does to them.

use baton_store::{Batch, TenantId};
use baton_workflow::Plan;
use baton_workflow::document::Duration;
use semver::Version;

use super::Engine;
use super::workflows::{find, rank};
use crate::error::{ListError, PublishError, ScheduleError, Unavailable};
use crate::schedule::{Lock, ScheduleName, ScheduleState, TriggerKind};
use crate::view::{
    LastStartView, Page, PauseView, ScheduleFailureView, ScheduleView, TriggerView,
    WorkflowReference,
};

/// What a publication makes of a workflow's schedule. It counts once the publication is durable; until it is
/// dropped, nothing else happens to the schedule.
pub(super) struct Rescheduling {
    name: ScheduleName,
    state: Option<ScheduleState>,
    _lock: Lock,
}

/// The schedule of a workflow, which nobody else changes meanwhile.
pub(super) struct LockedSchedule {
    name: ScheduleName,
    lock: Lock,
}

impl Engine {
    /// A tenant's schedules, by namespace and name. At most `limit` and the bound of a page; `cursor` is
    /// [`Page::next`] of the page before.
    ///
    /// # Errors
    ///
    /// [`ListError::Cursor`] where `cursor` is none of this list.
    pub async fn schedules(
        &self,
        tenant: &TenantId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<ScheduleView>, ListError> {
        self.check_open()?;
        let place = |cursor: &str| {
            let (namespace, name) = cursor.split_once('/').ok_or(ListError::Cursor)?;
            Ok::<_, ListError>((namespace.to_owned(), name.to_owned()))
        };
        let after = cursor.map(place).transpose()?;
        let limit = limit.clamp(1, self.shared().limits.page);
        let mut found = self.shared().schedules.list(tenant, after, limit + 1);
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more);
        Ok(Page {
            next: next.map(|(name, _)| name.to_string()),
            items: found.into_iter().map(|it| self.view(it)).collect(),
        })
    }

    /// The schedule of a workflow; none where it has none.
    pub async fn schedule(
        &self,
        tenant: &TenantId,
        namespace: &str,
        name: &str,
    ) -> Result<Option<ScheduleView>, Unavailable> {
        self.check_open()?;
        let name = named(tenant, namespace, name);
        let found = self.shared().schedules.get(&name);
        Ok(found.map(|state| self.view((name, state))))
    }

    /// Lets a schedule start nothing until it is resumed, in the name of `by`. Does nothing where it is paused.
    /// It is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::NotFound`] where the workflow has no schedule.
    pub async fn pause_schedule(
        &self,
        tenant: &TenantId,
        namespace: &str,
        name: &str,
        by: &str,
    ) -> Result<ScheduleView, ScheduleError> {
        let (name, by) = (named(tenant, namespace, name), by.to_owned());
        let now = self.shared().clock.now();
        self.change_schedule(name, move |state| state.pause(&by, now))
            .await
    }

    /// Lets a schedule start runs again. What came due meanwhile is passed over. Does nothing where it is not
    /// paused. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::NotFound`] where the workflow has no schedule.
    pub async fn resume_schedule(
        &self,
        tenant: &TenantId,
        namespace: &str,
        name: &str,
    ) -> Result<ScheduleView, ScheduleError> {
        let name = named(tenant, namespace, name);
        let shared = self.shared();
        let now = shared.clock.now();
        let next = shared.events.next(&*shared.store, tenant);
        let next = next.map_err(Unavailable::from)?;
        self.change_schedule(name, move |state| state.resume(now, next))
            .await
    }

    async fn change_schedule(
        &self,
        name: ScheduleName,
        change: impl FnOnce(&mut ScheduleState) -> bool + Send + 'static,
    ) -> Result<ScheduleView, ScheduleError> {
        self.whole(async move |engine| {
            engine.check_open()?;
            let shared = engine.shared();
            let _lock = shared.schedules.lock(&name).await;
            let state = shared.schedules.get(&name);
            let mut state = state.ok_or(ScheduleError::NotFound)?;
            if change(&mut state) {
                let mut batch = Batch::new();
                shared.schedules.store(&name, Some(&state), &mut batch);
                let committed = shared.journal.commit(&name.tenant, batch).await;
                committed.map_err(Unavailable::from)?;
                shared.schedules.set(name.clone(), Some(state.clone()));
            }
            Ok(engine.view((name, state)))
        })
        .await
    }

    /// A schedule as it is shown: with what is in memory of it alone.
    fn view(&self, (name, state): (ScheduleName, ScheduleState)) -> ScheduleView {
        let stalled = self.shared().schedules.stalled(&name);
        let mut view = view((name, state));
        if let Some((at, reason)) = stalled {
            view.failure = Some(ScheduleFailureView { at, reason });
        }
        view
    }

    /// The right to change the schedule of a workflow, once it is free.
    pub(super) async fn lock_schedule(
        &self,
        tenant: &TenantId,
        namespace: &str,
        name: &str,
    ) -> LockedSchedule {
        let name = named(tenant, namespace, name);
        let lock = self.shared().schedules.lock(&name).await;
        LockedSchedule { name, lock }
    }

    /// What the publication of a version makes of the workflow's schedule, added to its batch; nothing where a
    /// higher version is there. Whoever calls it lets one publication happen at a time.
    ///
    /// # Errors
    ///
    /// [`PublishError::TooManySchedules`] where it would be one more than may be.
    pub(super) fn reschedule(
        &self,
        schedule: LockedSchedule,
        published: &WorkflowReference,
        plan: &Plan,
        batch: &mut Batch,
    ) -> Result<Option<Rescheduling>, PublishError> {
        let LockedSchedule { name, lock } = schedule;
        let (tenant, version) = (&name.tenant, &published.version);
        let highest = find(self.shared(), tenant, &name.namespace, &name.name, None)?;
        let is_higher = |before: &str| match (Version::parse(version), Version::parse(before)) {
            (Ok(version), Ok(before)) => rank(&version) > rank(&before),
            _ => true,
        };
        if highest.is_some_and(|highest| !is_higher(&highest.version)) {
            return Ok(None);
        }
        let schedules = &self.shared().schedules;
        let before = schedules.get(&name);
        if before.is_none() && plan.schedule().is_none() {
            return Ok(None);
        }
        let shared = self.shared();
        let max = shared.limits.schedules_per_tenant;
        if before.is_none() && schedules.count(tenant) >= max {
            return Err(PublishError::TooManySchedules { max });
        }
        let now = shared.clock.now();
        let next = shared.events.next(&*shared.store, tenant);
        let next = next.map_err(Unavailable::from)?;
        let state = plan.schedule().map(|schedule| match before {
            Some(before) => before.renewed(version, schedule, now, next),
            None => ScheduleState::new(version, schedule, now, next),
        });
        schedules.store(&name, state.as_ref(), batch);
        Ok(Some(Rescheduling {
            name,
            state,
            _lock: lock,
        }))
    }

    /// The publication is durable.
    pub(super) fn rescheduled(&self, change: Option<Rescheduling>) {
        if let Some(Rescheduling { name, state, _lock }) = change {
            self.shared().schedules.set(name, state);
        }
    }
}

fn named(tenant: &TenantId, namespace: &str, name: &str) -> ScheduleName {
    ScheduleName {
        tenant: tenant.clone(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn view((name, state): (ScheduleName, ScheduleState)) -> ScheduleView {
    let next_due = state.next();
    let triggers = state.triggers.into_iter().map(|trigger| TriggerView {
        kind: trigger.kind.name(),
        spec: match &trigger.kind {
            TriggerKind::Every(interval) | TriggerKind::After(interval) => {
                Duration::Fixed(*interval).to_string()
            }
            TriggerKind::Cron(cron) => cron.text().to_owned(),
            TriggerKind::On { on, .. } => on.to_string(),
        },
        timezone: match &trigger.kind {
            TriggerKind::Cron(cron) => Some(cron.zone().name().to_owned()),
            TriggerKind::Every(_) | TriggerKind::After(_) | TriggerKind::On { .. } => None,
        },
        next_due: trigger.next.filter(|_| state.paused.is_none()),
        waits_for: trigger.awaits,
    });
    ScheduleView {
        namespace: name.namespace,
        name: name.name,
        version: state.version,
        triggers: triggers.collect(),
        next_due,
        paused: state.paused.clone().map(|(by, at)| PauseView { by, at }),
        started: state.started,
        missed: state.missed,
        last: state.last.map(|last| LastStartView {
            run: last.run,
            at: last.at,
            due: last.due,
        }),
        failure: state
            .failure
            .map(|(at, reason)| ScheduleFailureView { at, reason }),
    }
}
