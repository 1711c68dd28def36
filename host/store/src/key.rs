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

mod builder;
mod partition;
mod range;
mod shared;
mod tenant;

pub use partition::*;
pub use range::KeyRange;
pub use shared::*;
pub use tenant::*;

/// The space of what tenants own.
const TENANTS: u16 = 0xfffe;
/// The space of what all share.
const SHARED: u16 = 0xffff;
/// The greatest number of partitions.
pub const PARTITIONS_MAX: u16 = 0xff00;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Digest, Partition, RunId, TenantId};

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
            probe(),
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
                    keys.push(snapshot(p, &t, &r));
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
            assert_eq!(count(&closed_approvals_of(t, &id(255))), 2);
            assert_eq!(count(&closed_approvals_of(t, &id(0))), 0);
            assert_eq!(count(&events(Partition(0), t, &id(255))), 2);
        }
        assert_eq!(count(&opens(Partition(255))), 5 * 2);
        assert_eq!(count(&schedules(Partition(255))), 5 * 3);
        assert_eq!(count(&timers_before(Partition(256), 0)), 5 * 2);
        assert_eq!(count(&timers_before(Partition(256), 1)), 5 * 4);
        assert_eq!(count(&timers_before(Partition(256), i64::MIN)), 0);
    }

    #[test]
    fn keys_tell_what_they_are_of() {
        let keys = samples();
        let count = |is: fn(&[u8]) -> bool| keys.iter().filter(|key| is(key)).count();
        assert_eq!(count(is_run), 5 * 5 * 2);
        assert_eq!(count(is_workflow), 5 * 8);
        for none in [
            &[][..],
            &[0],
            &[0, 0],
            &[0xff, 0xfe],
            &[0xff, 0xfe, 9, b'w'],
        ] {
            assert!(!is_run(none) && !is_workflow(none), "{none:?}");
        }
    }

    #[test]
    fn keys_read_back() {
        let t = tenant("team-7");
        assert_eq!(
            parse_open(&open(Partition(9), &t, &id(7))),
            Some((t.clone(), id(7)))
        );
        assert_eq!(parse_run_index(&run_index(&t, &id(7))), Some(id(7)));
        assert_eq!(
            parse_event(&event(Partition(9), &t, &id(7), 300)),
            Some(300)
        );
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
