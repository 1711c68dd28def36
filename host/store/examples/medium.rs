//! Measures the embedded store by itself: what commits cost, how long opening takes after a crash, how the file grows.
//!
//! ```text
//! cargo run --release -p baton-store --example medium -- commits 1024      # MiB of the file
//! cargo run --release -p baton-store --example medium -- crash 1024
//! cargo run --release -p baton-store --example medium -- churn 200000 10   # runs that are kept, how often all are new
//! cargo run --release -p baton-store --example medium -- backup 1024
//! ```
//!
//! Each prints one line of JSON a figure. Compare figures of one run with one another.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::time::Instant;

use baton_store::backup::{Backup, BackupReader, restore};
use baton_store::meta::Meta;
use baton_store::{
    Batch, FILE_NAME, Partition, RedbOptions, RedbStore, RunId, Store, TenantId, compact, key,
};

/// Records of a run of ten steps, about: as many, and as large.
const EVENTS: u32 = 12;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let folder = tempfile::tempdir_in(std::env::var_os("BATON_DATA").unwrap_or("/tmp".into()));
    let folder = folder.unwrap();
    let data = folder.path();
    match arguments[..] {
        ["commits", mib] => commits(data, number(mib)),
        ["crash", mib] => crash(data, number(mib)),
        ["die", at, has_log] => die(Path::new(at), number(has_log) == 1),
        ["churn", kept, rounds] => churn(data, number(kept), number(rounds)),
        ["backup", mib] => back_up(data, number(mib)),
        _ => fail("commits MIB | crash MIB | churn RUNS ROUNDS | backup MIB"),
    }
}

fn number(text: &str) -> u64 {
    text.parse()
        .unwrap_or_else(|_| fail(&format!("a number instead of `{text}`")))
}

fn fail(wanted: &str) -> ! {
    eprintln!("error: wanted: {wanted}");
    std::process::exit(2)
}

fn open(data: &Path, has_log: bool) -> RedbStore {
    let mut options = RedbOptions::default();
    if !has_log {
        options.log_bytes = 0;
    }
    let store = RedbStore::open(data, options).unwrap();
    Meta::read_or_create(&store, 8, "baton", 0).unwrap();
    store
}

fn size(data: &Path) -> u64 {
    std::fs::metadata(data.join(FILE_NAME)).unwrap().len()
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn bytes(&mut self) -> [u8; 10] {
        let mut bytes = [0; 10];
        for byte in &mut bytes {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = (self.0 >> 33) as u8;
        }
        bytes
    }
}

/// The keys of a run, with the sizes of their values.
fn records(run: &RunId) -> Vec<(Vec<u8>, usize)> {
    let (tenant, partition) = (TenantId::default(), run.partition(8));
    let mut records = vec![
        (key::run(partition, &tenant, run), 260),
        (key::end(partition, &tenant, run), 40),
        (key::run_index(&tenant, run), 40),
    ];
    let event = |number| (key::event(partition, &tenant, run, number), 70);
    records.extend((1..=EVENTS).map(event));
    records
}

fn put(batch: &mut Batch, run: &RunId) {
    for (key, size) in records(run) {
        batch.put(key, vec![7; size]);
    }
}

/// Adds runs until the file has so many MiB.
fn fill(store: &RedbStore, data: &Path, mib: u64) {
    let mut random = Random(1);
    let mut at = 1_800_000_000_000;
    while size(data) < mib << 20 {
        let mut batch = Batch::new();
        for _ in 0..500 {
            at += 1;
            put(&mut batch, &RunId::new(at, &random.bytes()));
        }
        store.commit(&batch).unwrap();
    }
}

/// What a commit of some records takes, with the log and without: in turn, so that the machine is the same for both.
fn commits(data: &Path, mib: u64) {
    fill(&open(data, true), data, mib);
    let mut random = Random(2);
    for count in [1, 64, 1_000] {
        let mut micros = [0, 0];
        let rounds = 6;
        let each = 300;
        for round in 0..rounds {
            let has_log = round % 2 == 1;
            let store = open(data, has_log);
            let began = Instant::now();
            for number in 0..each {
                let mut batch = Batch::new();
                let run = RunId::new(1_900_000_000_000 + number, &random.bytes());
                for event in 0..count {
                    let key = key::event(
                        Partition((event % 8) as u16),
                        &TenantId::default(),
                        &run,
                        event,
                    );
                    batch.put(key, vec![7; 70]);
                }
                store.commit(&batch).unwrap();
            }
            micros[usize::from(has_log)] += began.elapsed().as_micros() as u64;
        }
        let mean = micros.map(|it| it / (each * rounds / 2));
        println!(
            "{{\"file_mib\":{mib},\"records\":{count},\"without_us\":{},\"with_us\":{}}}",
            mean[0], mean[1]
        );
    }
}

/// How long opening takes after a process died in the midst of commits.
fn crash(data: &Path, mib: u64) {
    fill(&open(data, true), data, mib);
    for has_log in [0, 1] {
        let died = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["die", data.to_str().unwrap(), &has_log.to_string()])
            .status()
            .unwrap();
        assert!(!died.success());
        let began = Instant::now();
        let store = open(data, true);
        println!(
            "{{\"file_mib\":{mib},\"log\":{has_log},\"open_us\":{}}}",
            began.elapsed().as_micros()
        );
        drop(store);
    }
}

fn die(data: &Path, has_log: bool) {
    let store = open(data, has_log);
    for number in 0..10 {
        let mut batch = Batch::new();
        put(
            &mut batch,
            &RunId::new(2_000_000_000_000 + number, &[9; 10]),
        );
        store.commit(&batch).unwrap();
    }
    std::process::abort();
}

/// How the file grows where as many runs are removed as are added.
fn churn(data: &Path, kept: u64, rounds: u64) {
    let store = open(data, false);
    let (mut random, mut gone) = (Random(3), Random(3));
    let mut at = 1_800_000_000_000;
    for round in 0..=rounds {
        let mut batch = Batch::new();
        for number in 1..=kept {
            at += 1;
            put(&mut batch, &RunId::new(at, &random.bytes()));
            if round > 0 {
                let old = RunId::new(at - kept, &gone.bytes());
                records(&old)
                    .into_iter()
                    .for_each(|(key, _)| batch.delete(key));
            }
            if number % 16 == 0 || number == kept {
                store.commit(&std::mem::take(&mut batch)).unwrap();
            }
        }
        println!(
            "{{\"round\":{round},\"runs\":{kept},\"file_bytes\":{}}}",
            size(data)
        );
    }
    // All that is left goes, too.
    let mut batch = Batch::new();
    for number in 1..=kept {
        let old = RunId::new(at - kept + number, &gone.bytes());
        records(&old)
            .into_iter()
            .for_each(|(key, _)| batch.delete(key));
        if number % 16 == 0 || number == kept {
            store.commit(&std::mem::take(&mut batch)).unwrap();
        }
    }
    println!("{{\"runs\":0,\"file_bytes\":{}}}", size(data));
    drop(store);
    println!("{{\"closed\":true,\"file_bytes\":{}}}", size(data));
    let began = Instant::now();
    let compacted = compact(data, &RedbOptions::default()).unwrap();
    let took = began.elapsed().as_millis();
    println!(
        "{{\"compacted_ms\":{took},\"file_bytes\":{}}}",
        compacted.after
    );
}

/// How long a backup takes, and what a restored file is like.
fn back_up(data: &Path, mib: u64) {
    let source = data.join("source");
    let store = open(&source, false);
    fill(&store, &source, mib);
    let file = data.join("backup");
    let began = Instant::now();
    let mut backup = Backup::begin(&store, "baton", 0).unwrap();
    let mut out = std::fs::File::create(&file).unwrap();
    while let Some(part) = backup.next_part().unwrap() {
        std::io::Write::write_all(&mut out, &part).unwrap();
    }
    let took = began.elapsed().as_millis();
    let bytes = std::fs::metadata(&file).unwrap().len();
    println!(
        "{{\"backup_ms\":{took},\"store_bytes\":{},\"backup_bytes\":{bytes}}}",
        size(&source)
    );
    let began = Instant::now();
    let read = std::io::BufReader::with_capacity(1 << 18, std::fs::File::open(&file).unwrap());
    let restored = data.join("restored");
    restore(
        BackupReader::open(read).unwrap(),
        &restored,
        &RedbOptions::default(),
    )
    .unwrap();
    println!(
        "{{\"restore_ms\":{},\"store_bytes\":{}}}",
        began.elapsed().as_millis(),
        size(&restored)
    );
    let began = Instant::now();
    let compacted = compact(&restored, &RedbOptions::default()).unwrap();
    println!(
        "{{\"compact_ms\":{},\"store_bytes\":{}}}",
        began.elapsed().as_millis(),
        compacted.after
    );
}
