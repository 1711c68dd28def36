//! The store on a disk that loses its power: what was not synced is lost, kept or torn, each sector by itself.
//!
//! `BATON_SEED=n` tries one world alone.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use redb::{Builder, Database, DatabaseError, StorageBackend};

use super::medium::{LogFile, Medium};
use super::{RedbOptions, RedbStore};
use crate::batch::Batch;
use crate::key::KeyRange;
use crate::store::{Direction, Pair, Store as _};

/// How many worlds are tried.
const WORLDS: u64 = 1_500;

/// What a disk writes wholly or not at all, in bytes.
const SECTOR: usize = 512;

/// A file: what is on the disk, and what the system has in its memory.
#[derive(Debug, Default, Clone)]
struct Content {
    durable: Vec<u8>,
    seen: Vec<u8>,
}

impl Content {
    fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.seen.len() < end {
            self.seen.resize(end, 0);
        }
        self.seen[at..end].copy_from_slice(bytes);
    }

    fn sync(&mut self) {
        self.durable.clone_from(&self.seen);
    }

    /// The power is gone: of each sector that was not synced, one of both is left.
    fn crash(&mut self, random: &mut StdRng) {
        let length = match random.random() {
            true => self.seen.len(),
            false => self.durable.len(),
        };
        self.durable.resize(length, 0);
        for (sector, seen) in self.seen.chunks(SECTOR).enumerate() {
            let place = sector * SECTOR..sector * SECTOR + seen.len();
            let Some(durable) = self.durable.get_mut(place) else {
                break;
            };
            if durable != seen && random.random() {
                durable.copy_from_slice(seen);
            }
        }
        self.seen.clone_from(&self.durable);
    }
}

/// A disk with the two files.
#[derive(Debug)]
struct Disk {
    tree: Content,
    log: Option<Content>,
    /// How many writes and syncs are still done. Then the power is gone, or nothing works for a while.
    left: u64,
    /// Whether what fails then is not the power.
    fails: bool,
    random: StdRng,
}

#[derive(Clone, Debug)]
struct Power(Arc<Mutex<Disk>>);

impl Power {
    fn disk<T>(&self, work: impl FnOnce(&mut Disk) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does something that changes a file, as long as that works.
    fn change(&self, work: impl Fn(&mut Disk)) -> io::Result<()> {
        self.disk(|disk| {
            if disk.left == 0 {
                return Err(io::Error::other("nothing works"));
            }
            disk.left -= 1;
            work(disk);
            Ok(())
        })
    }

    fn crash(&self) {
        self.disk(|disk| {
            let Disk {
                tree, log, random, ..
            } = disk;
            tree.crash(random);
            if let Some(log) = log {
                log.crash(random);
            }
        });
    }

    fn works_for(&self, left: u64) {
        self.disk(|disk| disk.left = left);
    }
}

impl StorageBackend for Power {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk(|disk| disk.tree.seen.len() as u64))
    }

    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk(|disk| {
            let at = place(at);
            let bytes = disk.tree.seen.get(at..at + out.len());
            out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.change(|disk| disk.tree.seen.resize(place(length), 0))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change(|disk| disk.tree.sync())
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(|disk| disk.tree.write(place(at), bytes))
    }
}

fn place(at: u64) -> usize {
    usize::try_from(at).expect("it fits in memory")
}

impl LogFile for Power {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.disk(|disk| disk.log.as_ref().expect("it is open").seen.len() as u64))
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        Ok(self.disk(|disk| disk.log.as_ref().expect("it is open").seen.clone()))
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(|disk| {
            let log = disk.log.as_mut().expect("it is open");
            log.write(place(at), bytes);
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.change(|disk| disk.log.as_mut().expect("it is open").sync())
    }
}

impl Medium for Power {
    fn tree(&self, builder: &Builder) -> Result<Database, DatabaseError> {
        builder.create_with_backend(self.clone())
    }

    fn log(&self) -> io::Result<Option<Box<dyn LogFile>>> {
        let is_there = self.disk(|disk| disk.log.is_some());
        Ok(is_there.then(|| Box::new(self.clone()) as Box<dyn LogFile>))
    }

    fn make_log(&self, bytes: usize) -> io::Result<Box<dyn LogFile>> {
        // As in a folder, it is there before it is used.
        self.change(|disk| {
            let log = disk.log.get_or_insert_default();
            if log.seen.len() != bytes {
                log.seen.resize(bytes, 0);
                log.sync();
            }
        })?;
        Ok(Box::new(self.clone()))
    }

    /// What the system has in its memory and could not write is not there any more, or is still: systems differ, and so do
    /// the ways in which a disk fails.
    fn forget(&self) -> io::Result<()> {
        self.disk(|disk| {
            if disk.random.random() {
                return;
            }
            disk.tree.seen.clone_from(&disk.tree.durable);
            if let Some(log) = &mut disk.log {
                log.seen.clone_from(&log.durable);
            }
        });
        Ok(())
    }

    fn tree_path(&self) -> &Path {
        Path::new("tree")
    }

    fn log_path(&self) -> &Path {
        Path::new("log")
    }
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// A batch, and what it makes of a model.
fn change(random: &mut StdRng, model: &Model) -> (Batch, Model) {
    let (mut batch, mut after) = (Batch::new(), model.clone());
    for _ in 0..random.random_range(1..8) {
        let key = vec![b'k', random.random_range(0..40)];
        if random.random_bool(0.3) {
            after.remove(&key);
            batch.delete(key);
        } else {
            let length = match random.random_bool(0.05) {
                // More than the log takes.
                true => 9_000,
                false => random.random_range(0..300),
            };
            let value = vec![random.random(); length];
            after.insert(key.clone(), value.clone());
            batch.put(key, value);
        }
    }
    (batch, after)
}

fn all(store: &RedbStore) -> Model {
    let all = KeyRange {
        start: Vec::new(),
        end: vec![0xff; 9],
    };
    let pairs: Vec<Pair> = store
        .scan(&all, Direction::Ascending, usize::MAX)
        .expect("it can be read");
    pairs.into_iter().collect()
}

/// Several lives of one store, each with an end at a random moment. What was committed is there in the next one; what was
/// under way is there wholly or not at all.
fn check_world(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let disk = Power(Arc::new(Mutex::new(Disk {
        tree: Content::default(),
        log: None,
        left: u64::MAX,
        fails: random.random_bool(0.3),
        random: StdRng::seed_from_u64(!seed),
    })));
    let options = RedbOptions {
        cache_bytes: 1 << 20,
        log_bytes: random.random_range(200..8_000),
    };
    // What was refused last may be there after a crash, as long as nothing has been committed since.
    let (mut known, mut refused) = (Model::new(), Vec::<Model>::new());
    for _life in 0..random.random_range(2..6) {
        disk.works_for(u64::MAX);
        let store = RedbStore::open_on(Box::new(disk.clone()), options.clone());
        let store = store.unwrap_or_else(|error| panic!("world {seed}: {error}"));
        let found = all(&store);
        if refused.contains(&found) {
            known = found;
        } else {
            assert_eq!(
                found, known,
                "world {seed}: as it was told, or as what was refused would have it"
            );
        }
        refused.clear();
        disk.works_for(random.random_range(0..120));
        for _ in 0..60 {
            if random.random_bool(0.2) {
                // What the thread for it does in a host. Where it fails, who writes next has to know.
                let _ = store.files.settle();
            }
            let (batch, after) = change(&mut random, &known);
            match store.commit(&batch) {
                Ok(()) => {
                    known = after;
                    refused.clear();
                }
                Err(_) if disk.disk(|disk| disk.fails) => {
                    // It works again, and the same host goes on.
                    disk.works_for(random.random_range(20..200));
                    // Whoever opens the tree again, a reader or the writer.
                    if random.random_bool(0.7) {
                        assert_eq!(
                            all(&store),
                            known,
                            "world {seed}: what was refused is there"
                        );
                    }
                    refused.push(after);
                }
                Err(_) => {
                    refused.push(after);
                    break;
                }
            }
        }
        match random.random_bool(0.2) {
            // It stops in order, and leaves nothing that was refused.
            true => {
                disk.works_for(u64::MAX);
                drop(store);
                refused.clear();
            }
            // Nothing that it does at its end counts any more.
            false => {
                disk.crash();
                disk.works_for(0);
                drop(store);
            }
        }
    }
}

#[test]
fn what_was_committed_survives_the_loss_of_power() {
    if let Ok(seed) = std::env::var("BATON_SEED") {
        return check_world(seed.parse().expect("BATON_SEED is a number"));
    }
    (0..WORLDS).for_each(check_world);
}
