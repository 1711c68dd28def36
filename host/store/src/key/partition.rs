//! What one processor owns: a partition's runs, with their journals, timers and schedules.

use super::KeyRange;
use super::builder::Builder;
use crate::id::{Partition, RunId, TenantId};

/// The kinds of a partition's records.
mod kind {
    pub(super) const RUN: u8 = b'r';
    pub(super) const JOURNAL: u8 = b'j';
    pub(super) const END: u8 = b'e';
    pub(super) const OPEN: u8 = b'o';
    pub(super) const SNAPSHOT: u8 = b'p';
    pub(super) const TIMER: u8 = b't';
    pub(super) const SCHEDULE: u8 = b's';
}

/// What a run is and keeps: [`crate::record::RunRecord`].
pub fn run(partition: Partition, tenant: &TenantId, run: &RunId) -> Vec<u8> {
    Builder::partition(partition, kind::RUN)
        .tenant(tenant)
        .bytes(run.as_bytes())
        .key()
}

/// Whether a key is one of [`run`].
pub fn is_run(key: &[u8]) -> bool {
    let space = key.first_chunk().map(|it| u16::from_be_bytes(*it));
    space.is_some_and(|it| it < super::PARTITIONS_MAX) && key.get(2) == Some(&kind::RUN)
}

/// How a run ended: [`crate::record::EndRecord`].
pub fn end(partition: Partition, tenant: &TenantId, run: &RunId) -> Vec<u8> {
    Builder::partition(partition, kind::END)
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

/// The number of a key of [`events`].
pub fn parse_event(key: &[u8]) -> Option<u32> {
    key.last_chunk().map(|number| u32::from_be_bytes(*number))
}

fn journal_of(partition: Partition, tenant: &TenantId, run: &RunId) -> Builder {
    Builder::partition(partition, kind::JOURNAL)
        .tenant(tenant)
        .bytes(run.as_bytes())
}

/// What a run's journal comes to, up to one of its events: [`crate::record::SnapshotRecord`].
pub fn snapshot(partition: Partition, tenant: &TenantId, run: &RunId) -> Vec<u8> {
    Builder::partition(partition, kind::SNAPSHOT)
        .tenant(tenant)
        .bytes(run.as_bytes())
        .key()
}

/// That a run has not ended: [`crate::record::OpenRecord`].
pub fn open(partition: Partition, tenant: &TenantId, run: &RunId) -> Vec<u8> {
    Builder::partition(partition, kind::OPEN)
        .tenant(tenant)
        .bytes(run.as_bytes())
        .key()
}

/// All runs of a partition that have not ended, by tenant.
pub fn opens(partition: Partition) -> KeyRange {
    Builder::partition(partition, kind::OPEN).range()
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
    Builder::partition(partition, kind::TIMER)
        .bytes(&sortable(due_ms))
        .tenant(tenant)
        .bytes(run.as_bytes())
        .bytes(&discriminator.to_be_bytes())
        .key()
}

/// All timers of a partition that come due before `due_ms`, the soonest first.
pub fn timers_before(partition: Partition, due_ms: i64) -> KeyRange {
    let all = Builder::partition(partition, kind::TIMER).range();
    let end = Builder::partition(partition, kind::TIMER)
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
    Builder::partition(partition, kind::SCHEDULE)
        .tenant(tenant)
        .terminated(namespace)
        .bytes(name.as_bytes())
        .key()
}

/// All schedules of a partition, by tenant.
pub fn schedules(partition: Partition) -> KeyRange {
    Builder::partition(partition, kind::SCHEDULE).range()
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
