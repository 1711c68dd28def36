//! A commit of the journal: one transaction of so many records, durable.

use baton_store::{Batch, RedbOptions, RedbStore, Store as _};
use criterion::{BatchSize, Criterion, Throughput};

/// About what an event of a small step takes.
const RECORD_BYTES: usize = 60;

pub(crate) fn measure(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let store = RedbStore::open(folder.path(), RedbOptions::default()).expect("a new store");
    let mut group = criterion.benchmark_group("commit");
    let mut number: u64 = 0;
    for records in [1_usize, 64, 1_000] {
        group.throughput(Throughput::Elements(records as u64));
        group.bench_function(format!("{records} records"), |bencher| {
            bencher.iter_batched(
                || {
                    number += 1;
                    batch(number, records)
                },
                |batch| store.commit(&batch).expect("there is room"),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// An event for each of so many runs, whose ids are anywhere in the tree, as those of runs are within a partition.
fn batch(number: u64, records: usize) -> Batch {
    let mut batch = Batch::new();
    for run in 0..records as u64 {
        let place = run.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let key = [place.to_be_bytes(), number.to_be_bytes()].concat();
        batch.put(key, vec![7; RECORD_BYTES]);
    }
    batch
}
