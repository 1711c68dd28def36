//! Events of the world: put into a tenant's log, and read from it.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use baton_store::{ReadError, TenantId};
use baton_workflow::CloudEvent;
use tokio::task::AbortHandle;

use super::{Engine, RETRY_AFTER};
use crate::error::{ListError, SendError, Unavailable};
use crate::events::{Logged, NewEvent, Placed};
use crate::journal::NotCommitted;
use crate::shared::Shared;
use crate::sinks::{self, Deliver, Sink};
use crate::view::{EventFilter, EventView, Page, Sent};

/// How many events of the log one page looks at.
const EVENTS_AT_A_TIME: usize = 1_000;

/// How many events of one id are looked for, each of another source.
const SOURCES_MAX: usize = 100;

impl Engine {
    /// Puts events into a tenant's log, all or none, in their order. They are durable when this returns, and those
    /// that listen have been told. An event whose source and id one in the log has already changes nothing.
    ///
    /// # Errors
    ///
    /// See [`SendError`]; no event has been taken then.
    pub async fn send_events(
        &self,
        tenant: &TenantId,
        events: Vec<CloudEvent>,
    ) -> Result<Vec<Sent>, SendError> {
        self.check_open()?;
        let max = self.shared().limits.event_bytes;
        for (index, event) in events.iter().enumerate() {
            let bytes = event.envelope().to_string().len();
            if bytes > max {
                return Err(SendError::TooLarge { index, bytes, max });
            }
        }
        let at = self.shared().clock.now();
        let new = events.into_iter().map(|event| NewEvent {
            tenant: tenant.clone(),
            event,
            at,
        });
        let new: Vec<_> = new.collect();
        let told: Vec<_> = new
            .iter()
            .map(|new| (new.event.source().to_owned(), new.event.id().to_owned()))
            .collect();
        let placed = self.shared().journal.publish(tenant, new).await;
        let placed = placed.map_err(|error| match error {
            NotCommitted::Busy => SendError::Busy {
                retry_after: RETRY_AFTER,
            },
            error => SendError::Unavailable(error.into()),
        })?;
        let sent = |((source, id), placed): (_, Placed)| Sent {
            source,
            id,
            position: placed.position,
            was_there: placed.was_there,
        };
        Ok(told.into_iter().zip(placed).map(sent).collect())
    }

    /// The events of a tenant's log that `filter` lets through, the oldest first: those behind the position
    /// `after` (0 for all), at most `limit` and the bound of a page. Where there is none, waits for one for
    /// `patience` at most. A page may have fewer events than `limit`, even none, and still have a next one;
    /// [`Page::next`] is the position to go on after.
    ///
    /// # Errors
    ///
    /// [`ListError`] where the log can't be read.
    pub async fn events(
        &self,
        tenant: &TenantId,
        filter: &EventFilter,
        after: u64,
        limit: usize,
        patience: Duration,
    ) -> Result<Page<EventView>, ListError> {
        let limit = limit.clamp(1, self.shared().limits.page);
        let mut seen = after;
        let read = async {
            loop {
                let shared = self.shared();
                let mut grown = shared
                    .events
                    .watch(&*shared.store, tenant)
                    .map_err(Unavailable::from)?;
                grown.mark_unchanged();
                let (owner, filter, from) = (tenant.clone(), filter.clone(), seen);
                let page = self
                    .aside(tenant, move |shared| {
                        list(shared, &owner, &filter, from, limit)
                    })
                    .await?
                    .map_err(Unavailable::from)?;
                if !page.items.is_empty() {
                    return Ok(page);
                }
                seen = page
                    .next
                    .as_deref()
                    .map_or(seen, |it| it.parse().unwrap_or(seen));
                // Where there is more to look at, it is looked at; else somebody has to send something.
                if page.next.is_none() && grown.changed().await.is_err() {
                    return Ok(page);
                }
            }
        };
        if patience.is_zero() {
            let (owner, filter) = (tenant.clone(), filter.clone());
            let page = move |shared: &Arc<Shared>| list(shared, &owner, &filter, after, limit);
            let page = self.aside(tenant, page).await?;
            return Ok(page.map_err(Unavailable::from)?);
        }
        match tokio::time::timeout(patience, read).await {
            Ok(page) => page,
            Err(_) => Ok(Page {
                items: Vec::new(),
                next: None,
            }),
        }
    }

    /// The events of a tenant's log with this id, of the `source` where it is given: ids are unique for each source
    /// (CloudEvents). At most 100.
    ///
    /// # Errors
    ///
    /// Where the log can't be read.
    pub async fn event(
        &self,
        tenant: &TenantId,
        id: &str,
        source: Option<&str>,
    ) -> Result<Vec<EventView>, ListError> {
        let (owner, id, source) = (tenant.clone(), id.to_owned(), source.map(str::to_owned));
        let read = move |shared: &Arc<Shared>| {
            let (store, source) = (&*shared.store, source.as_deref());
            shared.events.of_id(store, &owner, &id, source, SOURCES_MAX)
        };
        let found = self.aside(tenant, read).await?;
        let found = found.map_err(Unavailable::from)?;
        Ok(found.iter().map(view).collect())
    }

    /// Delivers the events of a tenant's log to a sink, from now on or, where one of that name and tenant was there
    /// before, from where that was. At least once each, in their order; ends with the engine. Must be called within
    /// a tokio runtime.
    pub fn add_sink(&self, sink: Sink, deliver: Arc<dyn Deliver>) {
        let task = tokio::spawn(sinks::run(self.shared().clone(), sink, deliver));
        self.tasks().push(task.abort_handle());
    }

    pub(super) fn end_tasks(&self) {
        self.tasks().drain(..).for_each(|task| task.abort());
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<AbortHandle>> {
        self.inner
            .tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn list(
    shared: &Shared,
    tenant: &TenantId,
    filter: &EventFilter,
    after: u64,
    limit: usize,
) -> Result<Page<EventView>, ReadError> {
    let from = after.saturating_add(1);
    let slice = shared
        .events
        .read(&*shared.store, tenant, from, EVENTS_AT_A_TIME)?;
    let count = slice.events.len();
    let mut items = Vec::new();
    let mut last = None;
    for logged in slice.events {
        if items.len() == limit {
            return Ok(Page {
                items,
                next: last.map(|last: u64| last.to_string()),
            });
        }
        last = Some(logged.position);
        if matches(filter, &logged.event) {
            items.push(view(&logged));
        }
    }
    Ok(Page {
        items,
        next: last
            .filter(|_| count == EVENTS_AT_A_TIME)
            .map(|last| last.to_string()),
    })
}

fn matches(filter: &EventFilter, event: &CloudEvent) -> bool {
    let is = |wanted: &Option<String>, found: Option<&str>| {
        wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
    };
    is(&filter.kind, Some(event.kind()))
        && is(&filter.source, Some(event.source()))
        && is(&filter.subject, event.subject())
}

fn view(logged: &Logged) -> EventView {
    EventView {
        position: logged.position,
        at: logged.at,
        event: logged.event.envelope().clone(),
    }
}
