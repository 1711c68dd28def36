//! Where each record lives.
//!
//! ```text
//! space(u16) …
//!
//! 0x0000..=0xfeff  a partition:   kind(u8) tenant …            what one processor owns
//! 0xfffe           tenants:       tenant kind(u8) …            what a tenant owns beside its runs
//! 0xffff           shared:        kind(u8) …                   the store itself, and content by digest
//!
//! tenant = length(u8) name         numbers are big-endian, so that keys sort as the numbers do
//! ```
//!
//! Within a partition the kind stands before the tenant, since a processor reads what is open and what
//! is due of all tenants at once. The tenant's length stands before its name, so that no tenant's keys
//! are within the range of another's. Parts of variable length that others follow end with a zero byte,
//! which none of them can contain.

use crate::id::{Digest, Partition, RunId, TenantId};

/// The space of what tenants own.
const TENANTS: u16 = 0xfffe;
/// The space of what all share.
const SHARED: u16 = 0xffff;
/// The greatest number of partitions.
pub const PARTITIONS_MAX: u16 = 0xff00;

/// The kinds of a partition's records.
mod partition_kind {
    pub(super) const RUN: u8 = b'r';
    pub(super) const JOURNAL: u8 = b'j';
    pub(super) const END: u8 = b'e';
    pub(super) const OPEN: u8 = b'o';
    pub(super) const TIMER: u8 = b't';
    pub(super) const SCHEDULE: u8 = b's';
}

/// The kinds of a tenant's records.
mod tenant_kind {
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

/// The kinds of shared records.
mod shared_kind {
    pub(super) const META: u8 = b'm';
    pub(super) const COMPONENT: u8 = b'c';
    pub(super) const SEED_KEY: u8 = b's';
}

/// Keys from `start` up to and without `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The least key that is in the range.
    pub start: Vec<u8>,
    /// The least key that is behind the range.
    pub end: Vec<u8>,
}

impl KeyRange {
    /// All keys that begin with `prefix`. The prefix must not be empty or of `0xff` bytes alone, which
    /// none of this module is.
    fn prefix(prefix: Vec<u8>) -> Self {
        let mut end = prefix.clone();
        while end.last() == Some(&0xff) {
            end.pop();
        }
        match end.last_mut() {
            Some(last) => *last += 1,
            // There is no key behind; the longest run of 0xff is as good as none.
            None => end = vec![0xff; 64],
        }
        Self { start: prefix, end }
    }

    /// Whether the range holds no key at all.
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// Whether `key` is in the range.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.start.as_slice() <= key && key < self.end.as_slice()
    }

    /// The part of the range behind `key`.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        // The least key that is greater than another is that one and a zero byte.
        let next = [key, &[0]].concat();
        self.start = self.start.max(next);
        self
    }

    /// The part of the range before `key`.
    #[must_use]
    pub fn before(mut self, key: &[u8]) -> Self {
        if key < self.end.as_slice() {
            self.end = key.to_vec();
        }
        self
    }
}

/// A key under construction.
struct Builder(Vec<u8>);

impl Builder {
    fn partition(partition: Partition, kind: u8) -> Self {
        debug_assert!(partition.0 < PARTITIONS_MAX);
        let mut key = Vec::with_capacity(64);
        key.extend(partition.0.to_be_bytes());
        key.push(kind);
        Self(key)
    }

    fn tenant_space(tenant: &TenantId, kind: u8) -> Self {
        let mut key = Vec::with_capacity(64);
        key.extend(TENANTS.to_be_bytes());
        Self(key).tenant(tenant).byte(kind)
    }

    fn shared(kind: u8) -> Self {
        let mut key = Vec::with_capacity(40);
        key.extend(SHARED.to_be_bytes());
        Self(key).byte(kind)
    }

    fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn tenant(self, tenant: &TenantId) -> Self {
        let name = tenant.as_str().as_bytes();
        let length = u8::try_from(name.len()).expect("a tenant's name has at most 63 bytes");
        self.byte(length).bytes(name)
    }

    /// A part of variable length that others follow.
    fn terminated(self, text: &str) -> Self {
        debug_assert!(!text.as_bytes().contains(&0));
        self.bytes(text.as_bytes()).byte(0)
    }

    fn key(self) -> Vec<u8> {
        self.0
    }

    fn range(self) -> KeyRange {
        KeyRange::prefix(self.0)
    }
}

/// What a run is and keeps: [`crate::record::RunRecord`].
pub fn run(partition: Partition, tenant: &TenantId, run: &RunId) -> Vec<u8> {
    Builder::partition(partition, partition_kind::RUN)
        .tenant(tenant)
        .bytes(run.as_bytes())
        .key()
}

/// How a run ended: [`crate::record::EndRecord`].
pub fn end(partition: Partition, tenant: &TenantId, run: &RunId) -> Vec<u8> {
    Builder::partition(partition, partition_kind::END)
        .tenant(tenant)
        .bytes(run.as_bytes())
        .key()
}

/// One event of a run, numbered from 1: [`crate::record::EventRecord`].
pub fn event(partition: Partition, tenant: &TenantId, run: &RunId, seq: u32) -> Vec<u8> {
    journal_of(partition, tenant, run)
        .bytes(&seq.to_be_bytes())
        .key()
}

/// All events of a run, in their order.
pub fn events(partition: Partition, tenant: &TenantId, run: &RunId) -> KeyRange {
    journal_of(partition, tenant, run).range()
}

fn journal_of(partition: Partition, tenant: &TenantId, run: &RunId) -> Builder {
    Builder::partition(partition, partition_kind::JOURNAL)
        .tenant(tenant)
        .bytes(run.as_bytes())
}

/// That a run has not ended: [`crate::record::OpenRecord`].
pub fn open(partition: Partition, tenant: &TenantId, run: &RunId) -> Vec<u8> {
    Builder::partition(partition, partition_kind::OPEN)
        .tenant(tenant)
        .bytes(run.as_bytes())
        .key()
}

/// All runs of a partition that have not ended, by tenant.
pub fn opens(partition: Partition) -> KeyRange {
    Builder::partition(partition, partition_kind::OPEN).range()
}

/// The tenant and run of a key of [`opens`].
pub fn parse_open(key: &[u8]) -> Option<(TenantId, RunId)> {
    tenant_and_run(key.get(3..)?)
}

/// A timer of a run, by the time at which it comes due, in milliseconds since the epoch:
/// [`crate::record::TimerRecord`]. `discriminator` tells the timers of one run that are due at one time
/// apart.
pub fn timer(
    partition: Partition,
    due_ms: i64,
    tenant: &TenantId,
    run: &RunId,
    discriminator: u64,
) -> Vec<u8> {
    Builder::partition(partition, partition_kind::TIMER)
        .bytes(&sortable(due_ms))
        .tenant(tenant)
        .bytes(run.as_bytes())
        .bytes(&discriminator.to_be_bytes())
        .key()
}

/// All timers of a partition that come due before `due_ms`, the soonest first.
pub fn timers_before(partition: Partition, due_ms: i64) -> KeyRange {
    let all = Builder::partition(partition, partition_kind::TIMER).range();
    let end = Builder::partition(partition, partition_kind::TIMER)
        .bytes(&sortable(due_ms))
        .key();
    all.before(&end)
}

/// The time, tenant and run of a key of [`timers_before`].
pub fn parse_timer(key: &[u8]) -> Option<(i64, TenantId, RunId)> {
    let due = key.get(3..11)?.try_into().ok().map(u64::from_be_bytes)?;
    let rest = key.get(11..)?;
    let (tenant, run) = tenant_and_run(rest.get(..rest.len().checked_sub(8)?)?)?;
    Some(((due ^ (1 << 63)).cast_signed(), tenant, run))
}

/// The schedule of a workflow: [`crate::record::ScheduleRecord`]. It belongs to the partition that
/// [`schedule_partition`] says, so that it is looked after by one processor.
pub fn schedule(partition: Partition, tenant: &TenantId, namespace: &str, name: &str) -> Vec<u8> {
    Builder::partition(partition, partition_kind::SCHEDULE)
        .tenant(tenant)
        .terminated(namespace)
        .bytes(name.as_bytes())
        .key()
}

/// All schedules of a partition, by tenant.
pub fn schedules(partition: Partition) -> KeyRange {
    Builder::partition(partition, partition_kind::SCHEDULE).range()
}

/// The tenant, namespace and name of a key of [`schedules`].
pub fn parse_schedule(key: &[u8]) -> Option<(TenantId, String, String)> {
    let (length, rest) = key.get(3..)?.split_first()?;
    let (tenant, rest) = rest.split_at_checked(usize::from(*length))?;
    let text = std::str::from_utf8(rest).ok()?;
    let (namespace, name) = text.split_once('\0')?;
    let tenant = TenantId::new(std::str::from_utf8(tenant).ok()?).ok()?;
    Some((tenant, namespace.to_owned(), name.to_owned()))
}

/// The partition that owns a workflow's schedule, of `count` (at least 1): by a hash (FNV-1a, 64 bits) of its
/// names. Stored, so that it must never change.
pub fn schedule_partition(tenant: &TenantId, namespace: &str, name: &str, count: u16) -> Partition {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in [tenant.as_str(), namespace, name] {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    let number = hash % u64::from(count.max(1));
    Partition(u16::try_from(number).expect("a remainder of a u16"))
}

/// The bytes of a signed number, in the order of the numbers.
fn sortable(number: i64) -> [u8; 8] {
    (number.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

fn tenant_and_run(bytes: &[u8]) -> Option<(TenantId, RunId)> {
    let (length, rest) = bytes.split_first()?;
    let (name, run) = rest.split_at_checked(usize::from(*length))?;
    let tenant = TenantId::new(std::str::from_utf8(name).ok()?).ok()?;
    Some((tenant, RunId::from_bytes(run.try_into().ok()?)))
}

/// A version of a workflow: [`crate::record::WorkflowRecord`].
pub fn workflow(tenant: &TenantId, namespace: &str, name: &str, version: &str) -> Vec<u8> {
    workflow_of(tenant, namespace, name)
        .bytes(version.as_bytes())
        .key()
}

/// All versions of a workflow, in the order of their texts, which is not that of the versions.
pub fn workflow_versions(tenant: &TenantId, namespace: &str, name: &str) -> KeyRange {
    workflow_of(tenant, namespace, name).range()
}

/// All workflows of a tenant, by namespace and name.
pub fn workflows(tenant: &TenantId) -> KeyRange {
    Builder::tenant_space(tenant, tenant_kind::WORKFLOW).range()
}

fn workflow_of(tenant: &TenantId, namespace: &str, name: &str) -> Builder {
    Builder::tenant_space(tenant, tenant_kind::WORKFLOW)
        .terminated(namespace)
        .terminated(name)
}

/// A document as it was posted, by its digest: [`crate::record::DocumentRecord`].
pub fn document(tenant: &TenantId, digest: &Digest) -> Vec<u8> {
    Builder::tenant_space(tenant, tenant_kind::DOCUMENT)
        .bytes(&digest.0)
        .key()
}

/// What a workflow version keeps elsewhere, by the version's digest: [`crate::record::ResourcesRecord`].
pub fn resources(tenant: &TenantId, digest: &Digest) -> Vec<u8> {
    Builder::tenant_space(tenant, tenant_kind::RESOURCES)
        .bytes(&digest.0)
        .key()
}

/// A connector that a tenant has installed: [`crate::record::ConnectorRecord`].
pub fn connector(tenant: &TenantId, name: &str) -> Vec<u8> {
    Builder::tenant_space(tenant, tenant_kind::CONNECTOR)
        .bytes(name.as_bytes())
        .key()
}

/// All connectors that a tenant has installed, by name.
pub fn connectors(tenant: &TenantId) -> KeyRange {
    Builder::tenant_space(tenant, tenant_kind::CONNECTOR).range()
}

/// What a tenant has granted a connector: [`crate::record::GrantRecord`].
pub fn grant(tenant: &TenantId, connector: &str) -> Vec<u8> {
    Builder::tenant_space(tenant, tenant_kind::GRANT)
        .bytes(connector.as_bytes())
        .key()
}

/// What a tenant's list of runs shows: [`crate::record::RunIndexRecord`].
pub fn run_index(tenant: &TenantId, run: &RunId) -> Vec<u8> {
    Builder::tenant_space(tenant, tenant_kind::RUN_INDEX)
        .bytes(run.as_bytes())
        .key()
}

/// All runs of a tenant, the earliest first.
pub fn run_indexes(tenant: &TenantId) -> KeyRange {
    Builder::tenant_space(tenant, tenant_kind::RUN_INDEX).range()
}

/// A run that another one has started: [`crate::record::ChildRecord`].
pub fn child(tenant: &TenantId, parent: &RunId, run: &RunId) -> Vec<u8> {
    Builder::tenant_space(tenant, tenant_kind::CHILD)
        .bytes(parent.as_bytes())
        .bytes(run.as_bytes())
        .key()
}

/// All runs that a run has started, the earliest first.
pub fn children(tenant: &TenantId, parent: &RunId) -> KeyRange {
    Builder::tenant_space(tenant, tenant_kind::CHILD)
        .bytes(parent.as_bytes())
        .range()
}

/// A run that does what another one has done once more: [`crate::record::RestartRecord`].
pub fn restart(tenant: &TenantId, of: &RunId, run: &RunId) -> Vec<u8> {
    Builder::tenant_space(tenant, tenant_kind::RESTART)
        .bytes(of.as_bytes())
        .bytes(run.as_bytes())
        .key()
}

/// All runs that do once more what a run has done, the earliest first.
pub fn restarts(tenant: &TenantId, of: &RunId) -> KeyRange {
    Builder::tenant_space(tenant, tenant_kind::RESTART)
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
    Builder::tenant_space(tenant, tenant_kind::IDEMPOTENCY)
        .bytes(key.as_bytes())
        .key()
}

/// How far a tenant's log of events reaches: [`crate::record::EventLogRecord`].
pub fn event_log(tenant: &TenantId) -> Vec<u8> {
    Builder::tenant_space(tenant, tenant_kind::EVENT_LOG).key()
}

/// An event of a tenant's log, by its position from 1 on: [`crate::record::LoggedEventRecord`].
pub fn logged_event(tenant: &TenantId, position: u64) -> Vec<u8> {
    Builder::tenant_space(tenant, tenant_kind::EVENT)
        .bytes(&position.to_be_bytes())
        .key()
}

/// The events of a tenant's log from a position on, in their order.
pub fn logged_events_from(tenant: &TenantId, position: u64) -> KeyRange {
    let mut range = Builder::tenant_space(tenant, tenant_kind::EVENT).range();
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
    Builder::tenant_space(tenant, tenant_kind::EVENT_ID)
        .bytes(&identity.0)
        .key()
}

/// Where the events are whose identities begin with this digest of their id, of whichever source.
pub fn event_ids(tenant: &TenantId, id: &[u8; 16]) -> KeyRange {
    Builder::tenant_space(tenant, tenant_kind::EVENT_ID)
        .bytes(id)
        .range()
}

/// A secret of a tenant, sealed: [`crate::record::SecretRecord`].
pub fn secret(tenant: &TenantId, name: &str) -> Vec<u8> {
    Builder::tenant_space(tenant, tenant_kind::SECRET)
        .bytes(name.as_bytes())
        .key()
}

/// All secrets of a tenant, by name.
pub fn secrets(tenant: &TenantId) -> KeyRange {
    Builder::tenant_space(tenant, tenant_kind::SECRET).range()
}

/// What a task asks a person, until it is settled: [`crate::record::ApprovalRecord`]. `task` tells the tasks
/// of a run apart.
pub fn open_approval(tenant: &TenantId, run: &RunId, task: u64, visit: u32) -> Vec<u8> {
    approval(tenant, tenant_kind::APPROVAL_OPEN, run, task, visit)
}

/// What a task has asked a person, once it is settled: [`crate::record::ApprovalRecord`].
pub fn closed_approval(tenant: &TenantId, run: &RunId, task: u64, visit: u32) -> Vec<u8> {
    approval(tenant, tenant_kind::APPROVAL_CLOSED, run, task, visit)
}

/// All that people are asked, by run, the earliest first.
pub fn open_approvals(tenant: &TenantId) -> KeyRange {
    Builder::tenant_space(tenant, tenant_kind::APPROVAL_OPEN).range()
}

/// All that people have been asked and that is settled, by run, the earliest first.
pub fn closed_approvals(tenant: &TenantId) -> KeyRange {
    Builder::tenant_space(tenant, tenant_kind::APPROVAL_CLOSED).range()
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
    Builder::tenant_space(tenant, tenant_kind::SINK)
        .bytes(name.as_bytes())
        .key()
}

/// What tenants own, behind all that is of `tenant`: its first key is the next tenant's.
pub fn tenants_after(tenant: Option<&TenantId>) -> KeyRange {
    let all = Builder(TENANTS.to_be_bytes().to_vec());
    let Some(tenant) = tenant else {
        return all.range();
    };
    let of_tenant = Builder(TENANTS.to_be_bytes().to_vec())
        .tenant(tenant)
        .range();
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

/// What the store says about itself: [`crate::record::MetaRecord`].
pub fn meta() -> Vec<u8> {
    Builder::shared(shared_kind::META).key()
}

/// What the random numbers of calls come from: [`crate::record::SeedKeyRecord`].
pub fn seed_key() -> Vec<u8> {
    Builder::shared(shared_kind::SEED_KEY).key()
}

/// A component's bytes, by their digest: [`crate::record::ComponentRecord`].
pub fn component(digest: &Digest) -> Vec<u8> {
    Builder::shared(shared_kind::COMPONENT)
        .bytes(&digest.0)
        .key()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).expect("a tenant")
    }

    fn id(n: u8) -> RunId {
        RunId::from_bytes([n; 16])
    }

    /// One of each kind of key, for each of some tenants and partitions whose names nest.
    fn samples() -> Vec<Vec<u8>> {
        let mut keys = vec![
            meta(),
            seed_key(),
            component(&Digest([0; 32])),
            component(&Digest([0xff; 32])),
        ];
        for name in ["a", "ab", "b", "r", "w"] {
            let t = tenant(name);
            for p in [
                Partition(0),
                Partition(1),
                Partition(255),
                Partition(256),
                Partition(PARTITIONS_MAX - 1),
            ] {
                for (space, name) in [("a", "b"), ("a", "bc"), ("ab", "c")] {
                    keys.push(schedule(p, &t, space, name));
                }
                for r in [id(0), id(255)] {
                    keys.extend([run(p, &t, &r), end(p, &t, &r), open(p, &t, &r)]);
                    keys.extend([event(p, &t, &r, 1), event(p, &t, &r, u32::MAX)]);
                    keys.extend([
                        timer(p, -1, &t, &r, 0),
                        timer(p, 0, &t, &r, 0),
                        timer(p, 1, &t, &r, 1),
                    ]);
                }
            }
            for (space, name) in [("a", "b"), ("a", "bc"), ("ab", "c"), ("a-b", "c")] {
                keys.extend([
                    workflow(&t, space, name, "1.0.0"),
                    workflow(&t, space, name, "1.0.0-a"),
                ]);
            }
            keys.extend([
                document(&t, &Digest([0; 32])),
                document(&t, &Digest([0xff; 32])),
                resources(&t, &Digest([0; 32])),
                resources(&t, &Digest([0xff; 32])),
            ]);
            keys.extend([secret(&t, "a"), secret(&t, "ab")]);
            keys.extend([
                connector(&t, "a"),
                connector(&t, "ab"),
                grant(&t, "a"),
                grant(&t, "ab"),
            ]);
            keys.extend([run_index(&t, &id(0)), run_index(&t, &id(255))]);
            keys.extend([child(&t, &id(0), &id(1)), child(&t, &id(255), &id(1))]);
            keys.extend([restart(&t, &id(0), &id(1)), restart(&t, &id(255), &id(1))]);
            keys.extend([idempotency(&t, ""), idempotency(&t, "k")]);
            keys.extend([
                event_log(&t),
                sink(&t, "a"),
                sink(&t, "ab"),
                logged_event(&t, 0),
                logged_event(&t, u64::MAX),
                event_id(&t, &Digest([0; 32])),
                event_id(&t, &Digest([0xff; 32])),
            ]);
            for visit in [1, u32::MAX] {
                keys.push(open_approval(&t, &id(255), 7, visit));
                keys.push(closed_approval(&t, &id(255), u64::MAX, visit));
            }
        }
        keys
    }

    #[test]
    fn no_two_records_share_a_key() {
        let keys = samples();
        let different: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
    }

    #[test]
    fn a_range_holds_its_own_and_nobody_elses() {
        let (a, ab) = (tenant("a"), tenant("ab"));
        let count = |range: &KeyRange| samples().iter().filter(|key| range.contains(key)).count();
        for t in [&a, &ab] {
            assert_eq!(count(&workflows(t)), 8);
            assert_eq!(count(&workflow_versions(t, "a", "b")), 2);
            assert_eq!(count(&connectors(t)), 2);
            assert_eq!(count(&run_indexes(t)), 2);
            assert_eq!(count(&logged_events_from(t, 0)), 2);
            assert_eq!(count(&event_ids(t, &[0xff; 16])), 1);
            assert_eq!(count(&logged_events_from(t, 1)), 1);
            assert_eq!(count(&children(t, &id(255))), 1);
            assert_eq!(count(&restarts(t, &id(255))), 1);
            assert_eq!(count(&open_approvals(t)), 2);
            assert_eq!(count(&closed_approvals(t)), 2);
            assert_eq!(count(&events(Partition(0), t, &id(255))), 2);
        }
        assert_eq!(count(&opens(Partition(255))), 5 * 2);
        assert_eq!(count(&schedules(Partition(255))), 5 * 3);
        assert_eq!(count(&timers_before(Partition(256), 0)), 5 * 2);
        assert_eq!(count(&timers_before(Partition(256), 1)), 5 * 4);
        assert_eq!(count(&timers_before(Partition(256), i64::MIN)), 0);
    }

    #[test]
    fn keys_read_back() {
        let t = tenant("team-7");
        assert_eq!(
            parse_open(&open(Partition(9), &t, &id(7))),
            Some((t.clone(), id(7)))
        );
        assert_eq!(parse_run_index(&run_index(&t, &id(7))), Some(id(7)));
        assert_eq!(parse_logged_event(&logged_event(&t, 300)), Some(300));
        assert_eq!(parse_run_index(&child(&t, &id(1), &id(7))), Some(id(7)));
        assert_eq!(parse_run_index(&restart(&t, &id(1), &id(7))), Some(id(7)));
        assert_eq!(
            parse_approval(&open_approval(&t, &id(7), 9, 3)),
            Some((id(7), 9, 3))
        );
        for due in [i64::MIN, -1, 0, 1, i64::MAX] {
            assert_eq!(
                parse_timer(&timer(Partition(9), due, &t, &id(7), 3)),
                Some((due, t.clone(), id(7)))
            );
        }
        let names = (t.clone(), "space".to_owned(), "name".to_owned());
        assert_eq!(
            parse_schedule(&schedule(Partition(9), &t, "space", "name")),
            Some(names)
        );
        assert_eq!(schedule_partition(&t, "space", "name", 8), Partition(7));
        for bad in [&[][..], &[0, 0, b'o'], &[0, 0, b'o', 200, b'a']] {
            assert_eq!(parse_open(bad), None);
            assert_eq!(parse_schedule(bad), None);
            assert_eq!(parse_timer(bad), None);
        }
    }

    #[test]
    fn tenants_are_found_one_after_the_other() {
        let mut keys = samples();
        keys.sort();
        let mut found: Vec<TenantId> = Vec::new();
        while let Some(next) = {
            let range = tenants_after(found.last());
            keys.iter().find(|key| range.contains(key))
        } {
            found.push(parse_tenant(next).expect("a tenant's key"));
        }
        let expected = ["a", "b", "r", "w", "ab"].map(tenant);
        assert_eq!(found, expected);
        assert_eq!(parse_tenant(&[0xff, 0xfe, 9, b'a']), None);
    }

    #[test]
    fn timers_and_events_sort_as_their_numbers_do() {
        let t = tenant("a");
        let times = [i64::MIN, -5, -1, 0, 1, 255, 256, i64::MAX];
        assert!(
            times
                .map(|due| timer(Partition(0), due, &t, &id(0), 0))
                .is_sorted()
        );
        assert!(
            [1, 2, 255, 256, u32::MAX]
                .map(|seq| event(Partition(0), &t, &id(0), seq))
                .is_sorted()
        );
    }

    #[test]
    fn a_range_can_be_cut_on_both_sides() {
        let t = tenant("a");
        let all = run_indexes(&t);
        let key = run_index(&t, &id(7));
        assert!(all.contains(&key));
        assert!(!all.clone().after(&key).contains(&key));
        assert!(!all.clone().before(&key).contains(&key));
        assert!(all.clone().after(&key).contains(&run_index(&t, &id(8))));
        assert!(all.before(&key).contains(&run_index(&t, &id(6))));
    }
}
