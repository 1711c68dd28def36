//! Runs as they are shown: one, and a page of them.

use std::sync::Arc;

use baton_store::record::{
    EndRecord, PinRecord, Record, RunIndexRecord, RunRecord, StatusRecord, WorkflowPinRecord,
};
use baton_store::{Digest, Direction, ReadError, RunId, TenantId, key};
use baton_workflow::machine::{Ending, Event, Status};
use baton_workflow::{Data, Timestamp};

use crate::codec;
use crate::error::Unavailable;
use crate::live::LiveRun;
use crate::origin::{Origin, Parent, Restart};
use crate::replay::{self, LoadError};
use crate::schedule::Scheduled;
use crate::shared::Shared;
use crate::view::{
    CallProgress, ConnectorReference, Page, ParentView, RestartView, RunFilter, RunView,
    ScheduledView, WorkflowReference,
};

/// How many entries of the index of runs one page looks at.
const INDEX_AT_A_TIME: usize = 10_000;

/// A run, as far as it is durable.
pub(super) fn view(
    shared: &Shared,
    tenant: &TenantId,
    id: &RunId,
) -> Result<Option<RunView>, LoadError> {
    let partition = id.partition(shared.partitions);
    // The phase first: a run that ends while this reads is shown as open still, or as ended whole.
    let live = shared.live.get(tenant, id);
    let open = match &live {
        Some(live) => Some(live.status()),
        None => replay::open_status(shared, tenant, id)?,
    };
    let Some(record) = replay::run_record(shared, partition, tenant, id)? else {
        return Ok(None);
    };
    let Event::Started { input, .. } = replay::first_event(shared, partition, tenant, id)?.event
    else {
        return Err(ReadError::Corrupt {
            detail: "a run's journal does not begin with its start".into(),
        }
        .into());
    };
    let end = shared.store.get(&key::end(partition, tenant, id))?;
    let end = end
        .as_deref()
        .map(EndRecord::decode)
        .transpose()
        .map_err(ReadError::from)?;
    let status = open.unwrap_or(Status::Running);
    let progress = live.map(|live| live.progress()).unwrap_or_default();
    let end = match end {
        None => None,
        Some(end) => Some((
            codec::ending(end.ending)?,
            Timestamp::from_millis(end.at_ms),
        )),
    };
    Ok(Some(view_of(*id, record, input, status, end, progress)))
}

/// Where an open run tells what happens to it; none where it is not open, or stands still until the host is restarted.
pub(super) fn live(
    shared: &Shared,
    tenant: &TenantId,
    id: &RunId,
) -> Result<Option<Arc<LiveRun>>, ReadError> {
    if let Some(live) = shared.live.get(tenant, id) {
        return Ok(Some(live));
    }
    let Some(status) = replay::open_status(shared, tenant, id)? else {
        return Ok(None);
    };
    // It may have ended before it was entered, and who has told of that has found nobody here.
    let live = shared.live.enter(tenant, *id, status);
    let open = replay::open_status(shared, tenant, id)?;
    let goes_on = open.is_some() && !shared.live.is_abandoned(id);
    Ok(goes_on.then_some(live))
}

/// A run, of what is known of it. The phase and the progress count while it is open.
pub(crate) fn view_of(
    id: RunId,
    record: RunRecord,
    input: Data,
    open: Status,
    end: Option<(Ending, Timestamp)>,
    progress: Vec<CallProgress>,
) -> RunView {
    let (ending, ended_at) = end.unzip();
    let workflow = record.current_workflow().clone();
    let connectors = record.current_connectors().to_vec();
    let (mut parent, mut trigger, mut restart_of) = (None, None, None);
    match codec::origin(record.origin) {
        Origin::Run(Parent { run, task, .. }) => parent = Some(ParentView { run, task }),
        Origin::Schedule(Scheduled { kind, due, missed }) => {
            trigger = Some(ScheduledView { kind, due, missed });
        }
        Origin::Restart(Restart { run, by }) => restart_of = Some(RestartView { run, by }),
        Origin::Request => {}
    }
    let status = ending
        .as_ref()
        .map_or(open, |ending| codec::ended_status(ending).0);
    let (output, error) = match ending {
        Some(Ending::Completed(output)) => (Some(output), None),
        Some(Ending::Faulted(error)) => (None, Some(error)),
        Some(Ending::Cancelled) | None => (None, None),
    };
    let WorkflowPinRecord {
        namespace,
        name,
        version,
        digest,
    } = workflow;
    let connector = |pin: PinRecord| ConnectorReference {
        name: pin.name,
        version: pin.version,
        digest: Digest(pin.digest),
    };
    RunView {
        id,
        workflow: WorkflowReference {
            namespace,
            name,
            version,
            digest: Digest(digest),
        },
        status,
        input,
        output,
        error,
        started_at: Timestamp::from_millis(record.started_at_ms),
        ended_at,
        connectors: connectors.into_iter().map(connector).collect(),
        tags: record.tags.into_iter().collect(),
        parent,
        trigger,
        restart_of,
        progress: match ended_at {
            None => progress,
            Some(_) => Vec::new(),
        },
    }
}

/// A page of a tenant's runs, the newest first.
pub(super) fn list(
    shared: &Shared,
    tenant: &TenantId,
    filter: &RunFilter,
    cursor: Option<RunId>,
    limit: usize,
) -> Result<Page<RunView>, Unavailable> {
    let place = |run: &RunId| match (&filter.parent, &filter.restart_of) {
        (Some(parent), _) => key::child(tenant, parent, run),
        (None, Some(of)) => key::restart(tenant, of, run),
        (None, None) => key::run_index(tenant, run),
    };
    let bound = |at: Timestamp| {
        let at = u64::try_from(at.as_millis()).unwrap_or(0);
        place(&RunId::least_at(at))
    };
    let mut range = match (&filter.parent, &filter.restart_of) {
        (Some(parent), _) => key::children(tenant, parent),
        (None, Some(of)) => key::restarts(tenant, of),
        (None, None) => key::run_indexes(tenant),
    };
    if let Some(before) = filter.started_before {
        range = range.before(&bound(before));
    }
    if let Some(after) = filter.started_after {
        range.start = range.start.max(bound(after));
    }
    if let Some(cursor) = cursor {
        range = range.before(&place(&cursor));
    }
    let index = shared
        .store
        .scan(&range, Direction::Descending, INDEX_AT_A_TIME)?;
    let all = index.len() < INDEX_AT_A_TIME;
    let mut items = Vec::new();
    let mut last = None;
    for (key, value) in &index {
        if items.len() == limit {
            return Ok(Page {
                items,
                next: last.map(|last: RunId| last.to_string()),
            });
        }
        let Some(id) = key::parse_run_index(key) else {
            continue;
        };
        last = Some(id);
        match listed(shared, tenant, &id, filter, value) {
            Ok(run) => items.extend(run),
            // Where nothing can be read, there is no list.
            Err(LoadError::Read(error @ ReadError::Io { .. })) => return Err(error.into()),
            // One run that can't be read hides no other.
            Err(error) => tracing::error!(%tenant, run = %id, %error, "a run can't be listed"),
        }
    }
    Ok(Page {
        items,
        next: last.filter(|_| !all).map(|last| last.to_string()),
    })
}

/// A run of the index, if it is one of those that are asked for.
fn listed(
    shared: &Shared,
    tenant: &TenantId,
    id: &RunId,
    filter: &RunFilter,
    listed: &[u8],
) -> Result<Option<RunView>, LoadError> {
    let record = match (&filter.parent, &filter.restart_of) {
        (None, None) => RunIndexRecord::decode(listed),
        // A list of children or restarts says no more than which they are.
        _ => match shared.store.get(&key::run_index(tenant, id))? {
            Some(index) => RunIndexRecord::decode(&index),
            None => return Ok(None),
        },
    };
    let record = record.map_err(ReadError::from)?;
    if !matches(filter, &record) {
        return Ok(None);
    }
    let of = |run: &RunView| run.restart_of.as_ref().map(|it| it.run);
    let wanted = |run: &RunView| {
        filter.status.is_none_or(|status| status == run.status)
            && (filter.restart_of.is_none() || filter.restart_of == of(run))
    };
    Ok(view(shared, tenant, id)?.filter(wanted))
}

/// Whether a run may be one of those that are asked for, as far as the index tells.
fn matches(filter: &RunFilter, record: &RunIndexRecord) -> bool {
    let of_workflow = |(namespace, name): &(String, String)| {
        *namespace == record.namespace && *name == record.name
    };
    let in_phase = |status: Status| match record.status {
        // It may have ended since.
        StatusRecord::Open => true,
        StatusRecord::Completed => status == Status::Completed,
        StatusRecord::Faulted => status == Status::Faulted,
        StatusRecord::Cancelled => status == Status::Cancelled,
    };
    filter.workflow.as_ref().is_none_or(of_workflow)
        && filter
            .tag
            .as_ref()
            .is_none_or(|tag| record.tags.contains(tag))
        && filter.status.is_none_or(in_phase)
}
