//! What is backed up comes back, and what is no backup, or none that is whole, is refused as what it is.

use std::path::Path;

use baton_store::backup::{
    Backup, BackupError, BackupHeader, BackupReader, BeginError, Contents, RestoreError, restore,
};
use baton_store::meta::{FORMAT, Meta};
use baton_store::record::Record as _;
use baton_store::{
    Batch, Direction, FILE_NAME, KeyRange, MemoryStore, Pair, Partition, RedbOptions, RedbStore,
    RunId, Store, TenantId, key,
};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

/// A store that a host has used, with these records besides.
fn store(pairs: &[Pair]) -> MemoryStore {
    let store = MemoryStore::new();
    Meta::read_or_create(&store, 3, "baton 0.1.0", 5).expect("made");
    let mut batch = Batch::new();
    for (key, value) in pairs {
        batch.put(key.clone(), value.clone());
    }
    store.commit(&batch).expect("committed");
    store
}

fn small() -> MemoryStore {
    let tenant = TenantId::default();
    let run = key::run(Partition(1), &tenant, &RunId::from_bytes([7; 16]));
    let workflow = key::workflow(&tenant, "examples", "hello", "1.0.0");
    store(&[(run, vec![1; 300]), (workflow, Vec::new())])
}

fn backed_up(store: &dyn Store) -> Vec<u8> {
    let mut backup = Backup::begin(store, "baton 0.1.0", 7).expect("begun");
    let mut bytes = Vec::new();
    while let Some(part) = backup.next_part().expect("read") {
        bytes.extend(part);
    }
    bytes
}

fn restored(bytes: &[u8], data: &Path) -> Result<Contents, RestoreError> {
    restore(BackupReader::open(bytes)?, data, &RedbOptions::default())
}

/// Expects that nothing is restored, and nothing left behind.
fn refused(bytes: &[u8]) -> RestoreError {
    let data = tempfile::tempdir().expect("a directory");
    let error = restored(bytes, data.path()).expect_err("refused");
    let left = std::fs::read_dir(data.path()).expect("read").count();
    assert_eq!(left, 0, "{error}");
    error
}

fn all(store: &dyn Store) -> Vec<Pair> {
    let range = KeyRange {
        start: Vec::new(),
        end: vec![0xff; 9],
    };
    let pairs = store.scan(&range, Direction::Ascending, usize::MAX);
    pairs.expect("read")
}

/// The bytes with the right checksum behind them.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = Sha256::digest(&bytes);
    bytes.extend(checksum);
    bytes
}

/// The beginning of a backup.
fn head(version: u16, header: &BackupHeader) -> Vec<u8> {
    let header = header.encode();
    let mut bytes = [b"baton backup\n", &version.to_be_bytes()[..]].concat();
    sized(&mut bytes, &header);
    bytes
}

fn header() -> BackupHeader {
    BackupHeader {
        format: FORMAT,
        partitions: 3,
        made_by: "baton 0.1.0".into(),
        at_ms: 7,
    }
}

fn sized(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend(u32::try_from(part.len()).expect("short").to_be_bytes());
    bytes.extend(part);
}

/// A backup of these records, as they come, that says it holds `count`.
fn made(pairs: &[(&[u8], &[u8])], count: u64) -> Vec<u8> {
    let mut bytes = head(1, &header());
    for (key, value) in pairs {
        sized(&mut bytes, key);
        sized(&mut bytes, value);
    }
    sized(&mut bytes, b"");
    bytes.extend(count.to_be_bytes());
    sealed(bytes)
}

#[test]
fn what_is_restored_is_told() {
    let data = tempfile::tempdir().expect("a directory");
    let new = data.path().join("new/data");
    let bytes = backed_up(&small());
    assert_eq!(
        *BackupReader::open(&*bytes).expect("a backup").header(),
        header()
    );
    let contents = restored(&bytes, &new).expect("restored");
    assert_eq!((contents.runs, contents.workflows), (1, 1));
    assert_eq!(contents.records, 3);
    let expected = all(&small());
    let sizes = expected.iter().map(|(key, value)| key.len() + value.len());
    assert_eq!(contents.bytes, sizes.sum::<usize>() as u64);
    let store = RedbStore::open(&new, RedbOptions::default()).expect("a store");
    assert_eq!(all(&store), expected);
}

#[test]
fn a_store_that_nobody_used_has_no_backup() {
    let error = Backup::begin(&MemoryStore::new(), "", 0).err();
    assert!(matches!(error, Some(BeginError::Empty)), "{error:?}");
}

/// What a reader says of a backup that is none.
fn unreadable(bytes: &[u8]) -> BackupError {
    let read = || -> Result<(), BackupError> {
        let mut reader = BackupReader::open(bytes)?;
        while reader.next_pair()?.is_some() {}
        Ok(())
    };
    read().expect_err("refused")
}

#[test]
fn what_is_cut_off_is_refused_wherever() {
    let whole = backed_up(&small());
    for length in 0..whole.len() {
        let error = unreadable(&whole[..length]);
        let expected = match length {
            0..13 => matches!(error, BackupError::NotABackup),
            _ => matches!(error, BackupError::CutOff { at } if at == length as u64),
        };
        assert!(expected, "{length}: {error:?}");
    }
    // And nothing is left of what is restored of it, here and there.
    for length in (0..whole.len()).step_by(41) {
        refused(&whole[..length]);
    }
}

#[test]
fn what_is_damaged_is_refused_wherever() {
    let whole = backed_up(&small());
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            let error = unreadable(&bytes);
            assert!(!matches!(error, BackupError::Io(_)), "{at}: {error:?}");
        }
    }
    // And as a whole, here and there.
    for at in (0..whole.len()).step_by(41) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        refused(&bytes);
    }
}

#[test]
fn what_is_no_backup_is_refused_by_what_is_wrong() {
    let (meta, run) = (key::meta(), &b"\0\0r"[..]);
    let record = small().get(&meta).expect("read").expect("a record");
    let meta = (&*meta, &*record);
    let good = made(&[(run, b""), meta], 2);
    assert_eq!(
        good.len(),
        head(1, &header()).len() + 11 + 8 + meta.0.len() + meta.1.len() + 44
    );
    restored(
        &good,
        &tempfile::tempdir().expect("a directory").path().join("a"),
    )
    .expect("restored");

    let later = BackupHeader {
        format: FORMAT + 1,
        ..header()
    };
    let other = BackupHeader {
        partitions: 4,
        ..header()
    };
    let mut of_another_store = head(1, &other);
    of_another_store.extend(&good[head(1, &header()).len()..good.len() - 32]);
    let huge = [&head(1, &header())[..], &[0xff; 4]].concat();
    let none = BackupHeader {
        partitions: 0,
        ..header()
    };
    for (bytes, said) in [
        (b"my shopping list".to_vec(), "no backup"),
        (sealed(head(2, &header())), "of version 2"),
        (sealed(head(0, &header())), "version 0"),
        (sealed(head(1, &none)), "0 partitions"),
        (sealed(head(1, &later)), "of a store of format 2"),
        (made(&[meta, (run, b"")], 2), "not behind"),
        (made(&[(run, b""), (run, b""), meta], 3), "not behind"),
        (made(&[meta], 2), "2 records and has 1"),
        (made(&[(run, b"")], 1), "not in it"),
        (sealed(of_another_store), "another one than"),
        (sealed(good.clone()), "follows its end"),
        (huge, "4294967295 bytes"),
    ] {
        let error = refused(&bytes).to_string();
        assert!(error.contains(said), "{said}: {error}");
    }
}

#[test]
fn only_an_empty_directory_is_restored_into() {
    let data = tempfile::tempdir().expect("a directory");
    let bytes = backed_up(&small());
    let beside = data.path().join("secrets.key");
    std::fs::write(&beside, "of the operator").expect("written");
    restored(&bytes, data.path()).expect("a key may be there already");
    let error = restored(&bytes, data.path()).expect_err("refused");
    assert!(error.to_string().contains(FILE_NAME), "{error}");
    assert_eq!(std::fs::read(&beside).expect("read"), b"of the operator");

    let other = tempfile::tempdir().expect("a directory");
    std::fs::write(other.path().join("letter"), "dear").expect("written");
    let error = restored(&bytes, other.path()).expect_err("refused");
    assert!(error.to_string().contains("letter"), "{error}");
}

#[cfg(unix)]
#[test]
fn what_is_restored_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a directory");
    let data = folder.path().join("data");
    restored(&backed_up(&small()), &data).expect("restored");
    for (path, mode) in [(data.clone(), 0o700), (data.join(FILE_NAME), 0o600)] {
        let permissions = std::fs::metadata(&path).expect("it is there").permissions();
        assert_eq!(permissions.mode() & 0o777, mode, "{}", path.display());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_is_backed_up_comes_back(
        pairs in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 1..9), prop::collection::vec(any::<u8>(), 0..200_000)), 0..20)
    ) {
        let data = tempfile::tempdir().expect("a directory");
        let store = store(&pairs);
        let contents = restored(&backed_up(&store), data.path()).expect("restored");
        let came_back = RedbStore::open(data.path(), RedbOptions::default()).expect("a store");
        let expected = all(&store);
        prop_assert_eq!(contents.records, expected.len() as u64);
        prop_assert_eq!(all(&came_back), expected);
    }
}
