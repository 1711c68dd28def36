//! What a tenant owns beside its runs.

use super::KeyRange;
use super::builder::Builder;
use crate::id::{Digest, RunId, TenantId};

/// The kinds of a tenant's records.
mod kind {
    pub(super) const WORKFLOW: u8 = b'w';
    pub(super) const DOCUMENT: u8 = b'd';
    pub(super) const CONNECTOR: u8 = b'c';
    pub(super) const GRANT: u8 = b'g';
    pub(super) const RUN_INDEX: u8 = b'r';
    pub(super) const IDEMPOTENCY: u8 = b'i';
    pub(super) const CHILD: u8 = b'k';
    pub(super) const RESTART: u8 = b'b';
    pub(super) const EVENT: u8 = b'e';
    pub(super) const EVENT_LOG: u8 = b'l';
    pub(super) const EVENT_ID: u8 = b'u';
    pub(super) const SINK: u8 = b'n';
    pub(super) const SECRET: u8 = b's';
    pub(super) const RESOURCES: u8 = b'x';
    pub(super) const APPROVAL_OPEN: u8 = b'a';
    pub(super) const APPROVAL_CLOSED: u8 = b'p';
}

/// A version of a workflow: [`crate::record::WorkflowRecord`].
pub fn workflow(tenant: &TenantId, namespace: &str, name: &str, version: &str) -> Vec<u8> {
    workflow_of(tenant, namespace, name)
        .bytes(version.as_bytes())
        .key()
}

/// Whether a key is one of [`workflow`].
pub fn is_workflow(key: &[u8]) -> bool {
    let tenant = key.strip_prefix(&super::TENANTS.to_be_bytes());
    match tenant.and_then(<[u8]>::split_first) {
        Some((length, rest)) => rest.get(usize::from(*length)) == Some(&kind::WORKFLOW),
        None => false,
    }
}

/// All versions of a workflow, in the order of their texts, which is not that of the versions.
pub fn workflow_versions(tenant: &TenantId, namespace: &str, name: &str) -> KeyRange {
    workflow_of(tenant, namespace, name).range()
}

/// All workflows of a tenant, by namespace and name.
pub fn workflows(tenant: &TenantId) -> KeyRange {
    Builder::tenant_space(tenant, kind::WORKFLOW).range()
}

fn workflow_of(tenant: &TenantId, namespace: &str, name: &str) -> Builder {
    Builder::tenant_space(tenant, kind::WORKFLOW)
        .terminated(namespace)
        .terminated(name)
}

/// A document as it was posted, by its digest: [`crate::record::DocumentRecord`].
pub fn document(tenant: &TenantId, digest: &Digest) -> Vec<u8> {
    Builder::tenant_space(tenant, kind::DOCUMENT)
        .bytes(&digest.0)
        .key()
}

/// What a workflow version keeps elsewhere, by the version's digest: [`crate::record::ResourcesRecord`].
pub fn resources(tenant: &TenantId, digest: &Digest) -> Vec<u8> {
    Builder::tenant_space(tenant, kind::RESOURCES)
        .bytes(&digest.0)
        .key()
}

/// A connector that a tenant has installed: [`crate::record::ConnectorRecord`].
pub fn connector(tenant: &TenantId, name: &str) -> Vec<u8> {
    Builder::tenant_space(tenant, kind::CONNECTOR)
        .bytes(name.as_bytes())
        .key()
}

/// All connectors that a tenant has installed, by name.
pub fn connectors(tenant: &TenantId) -> KeyRange {
    Builder::tenant_space(tenant, kind::CONNECTOR).range()
}

/// What a tenant has granted a connector: [`crate::record::GrantRecord`].
pub fn grant(tenant: &TenantId, connector: &str) -> Vec<u8> {
    Builder::tenant_space(tenant, kind::GRANT)
        .bytes(connector.as_bytes())
        .key()
}

/// What a tenant's list of runs shows: [`crate::record::RunIndexRecord`].
pub fn run_index(tenant: &TenantId, run: &RunId) -> Vec<u8> {
    Builder::tenant_space(tenant, kind::RUN_INDEX)
        .bytes(run.as_bytes())
        .key()
}

/// All runs of a tenant, the earliest first.
pub fn run_indexes(tenant: &TenantId) -> KeyRange {
    Builder::tenant_space(tenant, kind::RUN_INDEX).range()
}

/// A run that another one has started: [`crate::record::ChildRecord`].
pub fn child(tenant: &TenantId, parent: &RunId, run: &RunId) -> Vec<u8> {
    Builder::tenant_space(tenant, kind::CHILD)
        .bytes(parent.as_bytes())
        .bytes(run.as_bytes())
        .key()
}

/// All runs that a run has started, the earliest first.
pub fn children(tenant: &TenantId, parent: &RunId) -> KeyRange {
    Builder::tenant_space(tenant, kind::CHILD)
        .bytes(parent.as_bytes())
        .range()
}

/// A run that does what another one has done once more: [`crate::record::RestartRecord`].
pub fn restart(tenant: &TenantId, of: &RunId, run: &RunId) -> Vec<u8> {
    Builder::tenant_space(tenant, kind::RESTART)
        .bytes(of.as_bytes())
        .bytes(run.as_bytes())
        .key()
}

/// All runs that do once more what a run has done, the earliest first.
pub fn restarts(tenant: &TenantId, of: &RunId) -> KeyRange {
    Builder::tenant_space(tenant, kind::RESTART)
        .bytes(of.as_bytes())
        .range()
}

/// The run of a key of [`run_indexes`], [`children`] or [`restarts`].
pub fn parse_run_index(key: &[u8]) -> Option<RunId> {
    let run = key.get(key.len().checked_sub(16)?..)?;
    Some(RunId::from_bytes(run.try_into().ok()?))
}

/// Which run a client's idempotency key started: [`crate::record::IdempotencyRecord`].
pub fn idempotency(tenant: &TenantId, key: &str) -> Vec<u8> {
    Builder::tenant_space(tenant, kind::IDEMPOTENCY)
        .bytes(key.as_bytes())
        .key()
}

/// How far a tenant's log of events reaches: [`crate::record::EventLogRecord`].
pub fn event_log(tenant: &TenantId) -> Vec<u8> {
    Builder::tenant_space(tenant, kind::EVENT_LOG).key()
}

/// An event of a tenant's log, by its position from 1 on: [`crate::record::LoggedEventRecord`].
pub fn logged_event(tenant: &TenantId, position: u64) -> Vec<u8> {
    Builder::tenant_space(tenant, kind::EVENT)
        .bytes(&position.to_be_bytes())
        .key()
}

/// The events of a tenant's log from a position on, in their order.
pub fn logged_events_from(tenant: &TenantId, position: u64) -> KeyRange {
    let mut range = Builder::tenant_space(tenant, kind::EVENT).range();
    range.start = logged_event(tenant, position);
    range
}

/// The position of a key of [`logged_events_from`].
pub fn parse_logged_event(key: &[u8]) -> Option<u64> {
    let position = key.get(key.len().checked_sub(8)?..)?;
    Some(u64::from_be_bytes(position.try_into().ok()?))
}

/// Where the event with an identity (half of it a digest of its id, half one of its source) is in a tenant's log:
/// [`crate::record::EventIdRecord`].
pub fn event_id(tenant: &TenantId, identity: &Digest) -> Vec<u8> {
    Builder::tenant_space(tenant, kind::EVENT_ID)
        .bytes(&identity.0)
        .key()
}

/// Where the events are whose identities begin with this digest of their id, of whichever source.
pub fn event_ids(tenant: &TenantId, id: &[u8; 16]) -> KeyRange {
    Builder::tenant_space(tenant, kind::EVENT_ID)
        .bytes(id)
        .range()
}

/// A secret of a tenant, sealed: [`crate::record::SecretRecord`].
pub fn secret(tenant: &TenantId, name: &str) -> Vec<u8> {
    Builder::tenant_space(tenant, kind::SECRET)
        .bytes(name.as_bytes())
        .key()
}

/// All secrets of a tenant, by name.
pub fn secrets(tenant: &TenantId) -> KeyRange {
    Builder::tenant_space(tenant, kind::SECRET).range()
}

/// What a task asks a person, until it is settled: [`crate::record::ApprovalRecord`]. `task` tells the tasks
/// of a run apart.
pub fn open_approval(tenant: &TenantId, run: &RunId, task: u64, visit: u32) -> Vec<u8> {
    approval(tenant, kind::APPROVAL_OPEN, run, task, visit)
}

/// What a task has asked a person, once it is settled: [`crate::record::ApprovalRecord`].
pub fn closed_approval(tenant: &TenantId, run: &RunId, task: u64, visit: u32) -> Vec<u8> {
    approval(tenant, kind::APPROVAL_CLOSED, run, task, visit)
}

/// All that people are asked, by run, the earliest first.
pub fn open_approvals(tenant: &TenantId) -> KeyRange {
    Builder::tenant_space(tenant, kind::APPROVAL_OPEN).range()
}

/// All that people have been asked and that is settled, by run, the earliest first.
pub fn closed_approvals(tenant: &TenantId) -> KeyRange {
    Builder::tenant_space(tenant, kind::APPROVAL_CLOSED).range()
}

/// All that people have been asked by a run and that is settled.
pub fn closed_approvals_of(tenant: &TenantId, run: &RunId) -> KeyRange {
    Builder::tenant_space(tenant, kind::APPROVAL_CLOSED)
        .bytes(run.as_bytes())
        .range()
}

/// The run, task and visit of a key of [`open_approvals`] or [`closed_approvals`].
pub fn parse_approval(key: &[u8]) -> Option<(RunId, u64, u32)> {
    let (rest, visit) = key.split_last_chunk::<4>()?;
    let (rest, task) = rest.split_last_chunk::<8>()?;
    let (_, run) = rest.split_last_chunk::<16>()?;
    let (task, visit) = (u64::from_be_bytes(*task), u32::from_be_bytes(*visit));
    Some((RunId::from_bytes(*run), task, visit))
}

fn approval(tenant: &TenantId, kind: u8, run: &RunId, task: u64, visit: u32) -> Vec<u8> {
    Builder::tenant_space(tenant, kind)
        .bytes(run.as_bytes())
        .bytes(&task.to_be_bytes())
        .bytes(&visit.to_be_bytes())
        .key()
}

/// How far a sink is in a tenant's log of events: [`crate::record::SinkRecord`].
pub fn sink(tenant: &TenantId, name: &str) -> Vec<u8> {
    Builder::tenant_space(tenant, kind::SINK)
        .bytes(name.as_bytes())
        .key()
}

/// What tenants own, behind all that is of `tenant`: its first key is the next tenant's.
pub fn tenants_after(tenant: Option<&TenantId>) -> KeyRange {
    let all = Builder::tenants();
    let Some(tenant) = tenant else {
        return all.range();
    };
    let of_tenant = Builder::tenants().tenant(tenant).range();
    KeyRange {
        start: of_tenant.end,
        end: all.range().end,
    }
}

/// The tenant of a key of [`tenants_after`].
pub fn parse_tenant(key: &[u8]) -> Option<TenantId> {
    let (length, rest) = key.get(2..)?.split_first()?;
    let name = rest.get(..usize::from(*length))?;
    TenantId::new(std::str::from_utf8(name).ok()?).ok()
}
