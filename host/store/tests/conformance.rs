//! Every store passes the same tests; the in-memory one is the model.

use std::sync::Arc;

use baton_store::{
    Batch, Direction, FILE_NAME, Fault, FaultyStore, KeyRange, LOG_NAME, MemoryStore, OpenError,
    Pair, RedbOptions, RedbStore, Store, compact,
};
use proptest::prelude::*;

fn redb(data: &std::path::Path) -> RedbStore {
    RedbStore::open(data, RedbOptions::default()).expect("a store")
}

/// A store whose log has so many bytes.
fn with_log(data: &std::path::Path, log_bytes: usize) -> RedbStore {
    let options = RedbOptions {
        log_bytes,
        ..RedbOptions::default()
    };
    RedbStore::open(data, options).expect("a store")
}

/// Each kind of store, new.
fn stores() -> Vec<(&'static str, Arc<dyn Store>, Option<tempfile::TempDir>)> {
    let data = tempfile::tempdir().expect("a directory");
    let memory = || Arc::new(MemoryStore::new());
    vec![
        ("memory", memory(), None),
        ("redb", Arc::new(redb(data.path())), Some(data)),
        (
            "faulty",
            Arc::new(FaultyStore::new(memory(), Fault::None)),
            None,
        ),
    ]
}

fn range(start: &[u8], end: &[u8]) -> KeyRange {
    KeyRange {
        start: start.to_vec(),
        end: end.to_vec(),
    }
}

#[test]
fn the_last_of_several_changes_of_a_key_counts() {
    for (name, store, _data) in stores() {
        let mut batch = Batch::new();
        batch.put(b"a".to_vec(), b"1".to_vec());
        batch.put(b"a".to_vec(), b"2".to_vec());
        batch.put(b"b".to_vec(), b"3".to_vec());
        batch.delete(b"b".to_vec());
        batch.delete(b"never".to_vec());
        store.commit(&batch).expect("committed");
        assert_eq!(
            store.get(b"a").expect("read"),
            Some(b"2".to_vec()),
            "{name}"
        );
        assert_eq!(store.get(b"b").expect("read"), None, "{name}");
    }
}

#[test]
fn scans_have_an_order_bounds_and_a_limit() {
    for (name, store, _data) in stores() {
        let mut batch = Batch::new();
        for key in [&b"a"[..], b"a\0", b"ab", b"b", b"\xff\xff"] {
            batch.put(key.to_vec(), Vec::new());
        }
        store.commit(&batch).expect("committed");
        let keys = |range: &KeyRange, direction, limit| -> Vec<Vec<u8>> {
            store
                .scan(range, direction, limit)
                .expect("read")
                .into_iter()
                .map(|(key, _)| key)
                .collect()
        };
        let all = range(b"a", b"b");
        assert_eq!(
            keys(&all, Direction::Ascending, 9),
            [&b"a"[..], b"a\0", b"ab"],
            "{name}"
        );
        assert_eq!(
            keys(&all, Direction::Descending, 2),
            [&b"ab"[..], b"a\0"],
            "{name}"
        );
        assert!(keys(&all, Direction::Ascending, 0).is_empty(), "{name}");
        assert!(
            keys(&range(b"b", b"a"), Direction::Ascending, 9).is_empty(),
            "{name}"
        );
    }
}

/// A pair of the key and value that a number says.
fn pair(number: u32) -> Pair {
    (
        number.to_be_bytes().to_vec(),
        number.to_le_bytes().repeat(25),
    )
}

#[test]
fn a_walk_sees_what_was_there_when_it_began() {
    for (name, store, _data) in stores() {
        let mut walk = store.walk().expect("read");
        assert_eq!(walk.next(1).expect("read"), [], "{name}");
        let mut batch = Batch::new();
        (0..500)
            .map(pair)
            .for_each(|(key, value)| batch.put(key, value));
        store.commit(&batch).expect("committed");
        let mut walk = store.walk().expect("read");
        let mut seen = walk.next(1).expect("read");
        assert_eq!(seen, [pair(0)], "{name}: one at least");

        // In the way of the walk and behind it, everything changes.
        let mut batch = Batch::new();
        (0..500).for_each(|number| batch.delete(pair(number).0));
        (100..200).for_each(|number| batch.put(pair(number).0, b"later".to_vec()));
        batch.put(b"\xff".to_vec(), b"later".to_vec());
        store.commit(&batch).expect("committed");
        assert_eq!(store.get(&pair(0).0).expect("read"), None, "{name}");

        loop {
            let some = walk.next(1_000).expect("read");
            let sizes = some.iter().map(|(key, value)| key.len() + value.len());
            // As few as have that size: without the last one they have not.
            assert!(sizes.rev().skip(1).sum::<usize>() < 1_000, "{name}");
            if some.is_empty() {
                break;
            }
            seen.extend(some);
        }
        assert_eq!(walk.next(1).expect("read"), [], "{name}: it has ended");
        assert_eq!(seen, (0..500).map(pair).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let data = tempfile::tempdir().expect("a directory");
    let mut batch = Batch::new();
    batch.put(b"k".to_vec(), vec![7; 100_000]);
    redb(data.path()).commit(&batch).expect("committed");
    assert_eq!(
        redb(data.path()).get(b"k").expect("read"),
        Some(vec![7; 100_000])
    );
}

#[test]
fn a_store_in_use_is_locked() {
    let data = tempfile::tempdir().expect("a directory");
    let _open = redb(data.path());
    let error = RedbStore::open(data.path(), RedbOptions::default())
        .err()
        .expect("refused");
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    assert!(error.to_string().contains(FILE_NAME));
}

#[cfg(unix)]
#[test]
fn what_is_made_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = |path: &std::path::Path| {
        let permissions = std::fs::metadata(path).expect("it is there").permissions();
        permissions.mode() & 0o777
    };
    let folder = tempfile::tempdir().expect("a directory");
    let data = folder.path().join("state/data");
    let open = redb(&data);
    let mut batch = Batch::new();
    batch.put(b"k".to_vec(), Vec::new());
    open.commit(&batch).expect("committed");
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join(FILE_NAME)), 0o600);
    assert_eq!(mode(&data.join(LOG_NAME)), 0o600);

    // What is there keeps the mode that its owner gave it.
    let shared = folder.path().join("shared");
    std::fs::create_dir(&shared).expect("made");
    let open_to_group = std::fs::Permissions::from_mode(0o750);
    std::fs::set_permissions(&shared, open_to_group).expect("ours");
    let _open = redb(&shared);
    assert_eq!(mode(&shared), 0o750);
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let data = tempfile::tempdir().expect("a directory");
    let path = data.path().join(FILE_NAME);
    std::fs::write(&path, b"this is a letter, not a database").expect("written");
    let error = RedbStore::open(data.path(), RedbOptions::default())
        .err()
        .expect("refused");
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
    assert_eq!(
        std::fs::read(&path).expect("read"),
        b"this is a letter, not a database"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn redb_does_what_the_model_does(
        // From one that takes nothing to one that is never full, with some between that are now and then.
        log_bytes in prop::sample::select(vec![0, 120, 300, 1_000, 1 << 20]),
        batches in prop::collection::vec(
            prop::collection::vec((prop::collection::vec(0u8..4, 1..3), prop::option::of(0u8..9)), 0..8), 0..24)
    ) {
        let data = tempfile::tempdir().expect("a directory");
        let (model, store) = (MemoryStore::new(), with_log(data.path(), log_bytes));
        for changes in batches {
            let mut batch = Batch::new();
            for (key, value) in changes {
                match value {
                    Some(value) => batch.put(key, vec![value]),
                    None => batch.delete(key),
                }
            }
            model.commit(&batch).expect("committed");
            store.commit(&batch).expect("committed");
            for direction in [Direction::Ascending, Direction::Descending] {
                for (within, limit) in [
                    (range(&[], &[0xff]), 999),
                    (range(&[], &[0xff]), 3),
                    (range(&[1], &[2, 1]), 2),
                ] {
                    prop_assert_eq!(
                        model.scan(&within, direction, limit).expect("read"),
                        store.scan(&within, direction, limit).expect("read")
                    );
                }
            }
            let walk = |store: &dyn Store| store.walk().expect("read").next(9_999).expect("read");
            prop_assert_eq!(walk(&model), walk(&store));
            for operation in batch.operations() {
                let key = operation.key();
                prop_assert_eq!(model.get(key).expect("read"), store.get(key).expect("read"));
            }
        }
    }
}

#[test]
fn compacting_gives_room_back_and_keeps_all() {
    let data = tempfile::tempdir().expect("a directory");
    let size = || std::fs::metadata(data.path().join(FILE_NAME)).map(|it| it.len());
    let store = redb(data.path());
    for number in 0..64_u32 {
        let mut batch = Batch::new();
        batch.put(pair(number).0, vec![7; 100_000]);
        store.commit(&batch).expect("committed");
    }
    let mut batch = Batch::new();
    // What is left lies at the end.
    (0..63).for_each(|number| batch.delete(pair(number).0));
    store.commit(&batch).expect("committed");
    let in_use = compact(data.path(), &RedbOptions::default());
    assert!(
        matches!(in_use, Err(OpenError::Locked { .. })),
        "{in_use:?}"
    );
    drop(store);
    let before = size().expect("it is there");
    let compacted = compact(data.path(), &RedbOptions::default()).expect("compacted");
    let after = size().expect("it is there");
    assert_eq!((compacted.before, compacted.after), (before, after));
    assert!(after < 1 << 20 && before > 4 << 20, "{compacted:?}");
    let all = redb(data.path()).scan(&range(&[], &[0xff; 9]), Direction::Ascending, 9);
    assert_eq!(all.expect("read"), [(pair(63).0, vec![7; 100_000])]);

    let nowhere = data.path().join("nowhere");
    assert!(compact(&nowhere, &RedbOptions::default()).is_err());
    assert!(!nowhere.exists());
}

/// Copies what is on the disk, as a process leaves it that is killed.
fn killed(data: &std::path::Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a directory");
    for file in [FILE_NAME, LOG_NAME] {
        std::fs::copy(data.join(file), copy.path().join(file)).expect("copied");
    }
    copy
}

fn all(store: &RedbStore) -> Vec<Pair> {
    let all = range(&[], &[0xff; 9]);
    store.scan(&all, Direction::Ascending, 9_999).expect("read")
}

#[test]
fn what_is_only_in_the_log_is_there_after_a_kill() {
    let data = tempfile::tempdir().expect("a directory");
    // Full some twenty times.
    let log_bytes = 64 << 10;
    let store = with_log(data.path(), log_bytes);
    for number in 0..4_000 {
        let mut batch = Batch::new();
        let (key, value) = pair(number);
        batch.put(key, value);
        batch.delete(pair(number / 2).0);
        store.commit(&batch).expect("committed");
    }
    let copy = killed(data.path());
    let found = with_log(copy.path(), log_bytes);
    assert_eq!(all(&found), all(&store));
    assert_eq!(all(&found).len(), 2_000);
    // A later release may have another one.
    let other = killed(data.path());
    for log_bytes in [16 << 10, 1 << 20] {
        let found = with_log(other.path(), log_bytes);
        assert_eq!(all(&found), all(&store));
        found.commit(&Batch::new()).expect("committed");
    }
    let mut batch = Batch::new();
    batch.put(b"more".to_vec(), vec![7; 1_000_000]);
    found.commit(&batch).expect("committed");

    let copy = killed(data.path());
    compact(copy.path(), &RedbOptions::default()).expect("compacted");
    std::fs::remove_file(copy.path().join(LOG_NAME)).expect("it is not needed any more");
    assert_eq!(all(&redb(copy.path())), all(&store));
}

#[test]
fn a_store_that_was_stopped_is_one_file() {
    let data = tempfile::tempdir().expect("a directory");
    let mut batch = Batch::new();
    batch.put(b"k".to_vec(), vec![7]);
    redb(data.path()).commit(&batch).expect("committed");
    let log = data.path().join(LOG_NAME);
    std::fs::remove_file(&log).expect("it is there");
    assert_eq!(all(&redb(data.path())), [(b"k".to_vec(), vec![7])]);
    assert!(!log.exists(), "who only reads makes none");
}

#[test]
fn a_log_that_is_missing_or_damaged_is_named() {
    let data = tempfile::tempdir().expect("a directory");
    let store = redb(data.path());
    for number in 0..100 {
        let mut batch = Batch::new();
        batch.put(pair(number).0, pair(number).1);
        store.commit(&batch).expect("committed");
    }
    let refusal = |data: &std::path::Path| {
        let refused = RedbStore::open(data, RedbOptions::default());
        refused.err().expect("refused")
    };
    let missing = killed(data.path());
    std::fs::remove_file(missing.path().join(LOG_NAME)).expect("it is there");
    let error = refusal(missing.path());
    assert!(matches!(error, OpenError::LogMissing { .. }), "{error}");
    let said = error.to_string();
    assert!(
        said.contains(LOG_NAME) && said.contains(FILE_NAME),
        "{said}"
    );

    let damaged = killed(data.path());
    let log = damaged.path().join(LOG_NAME);
    let mut content = std::fs::read(&log).expect("read");
    content[2_000] ^= 1;
    std::fs::write(&log, content).expect("written");
    let error = refusal(damaged.path());
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains(LOG_NAME) && said.contains("byte 1"), "{said}");
    // Nothing was made of it.
    refusal(damaged.path());
}
