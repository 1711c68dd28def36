//! The medium of a simulated world: what its commits come to is said beforehand.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use baton_store::{
    Batch, CommitError, Direction, KeyRange, MemoryStore, Operation, Pair, ReadError, Store,
    TenantId, Walk, key,
};

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is durable, and says so.
    #[default]
    Kept,
    /// Nothing of it is there, and it says so: the disk is full.
    Refused,
    /// The host dies before anything of it is there.
    Lost,
    /// The host dies when it is durable, before it can say so.
    Untold,
}

/// What can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Readable {
    #[default]
    All,
    /// All but the log of events.
    AllButEvents,
    Nothing,
}

/// Why something can't be read.
pub(crate) const SILENCE: &str = "the medium does not answer";

/// A store that outlives the hosts on it.
pub(crate) struct SimulatedStore {
    pairs: MemoryStore,
    fate: Mutex<Fate>,
    readable: Mutex<Readable>,
    commits: Mutex<usize>,
    /// The events that have ever been in the log, by position.
    logged: Mutex<BTreeMap<u64, Vec<Vec<u8>>>>,
}

impl SimulatedStore {
    /// A store in which `base` is.
    pub(crate) fn new(base: &Batch) -> Self {
        let pairs = MemoryStore::new();
        pairs.commit(base).expect("there is room");
        Self {
            pairs,
            fate: Mutex::default(),
            readable: Mutex::default(),
            commits: Mutex::default(),
            logged: Mutex::default(),
        }
    }

    /// Says what becomes of the next commits.
    pub(crate) fn decide(&self, fate: Fate) {
        *lock(&self.fate) = fate;
    }

    /// Says what the next reads come to.
    pub(crate) fn allow(&self, readable: Readable) {
        *lock(&self.readable) = readable;
    }

    /// What is read, unless the record at this key can't be.
    fn read(&self, key: &[u8]) -> Result<&MemoryStore, ReadError> {
        let is_readable = match *lock(&self.readable) {
            Readable::All => true,
            Readable::AllButEvents => !is_of_events(key),
            Readable::Nothing => false,
        };
        match is_readable {
            true => Ok(&self.pairs),
            false => Err(ReadError::Io {
                detail: SILENCE.into(),
            }),
        }
    }

    /// How many commits have become durable.
    pub(crate) fn commits(&self) -> usize {
        *lock(&self.commits)
    }

    /// The records of events that have ever been in the log, by position: there ought to be one at each.
    pub(crate) fn logged(&self) -> BTreeMap<u64, Vec<Vec<u8>>> {
        lock(&self.logged).clone()
    }

    fn note_events(&self, batch: &Batch) {
        let mut logged = lock(&self.logged);
        for operation in batch.operations() {
            if let Operation::Put(key, value) = operation
                && let Some(position) = logged_at(key)
            {
                logged.entry(position).or_default().push(value.clone());
            }
        }
    }

    /// What is in a range. A world reads without fail.
    pub(crate) fn all(&self, range: &KeyRange) -> Vec<Pair> {
        let found = self.pairs.scan(range, Direction::Ascending, usize::MAX);
        found.expect("read")
    }
}

impl Store for SimulatedStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(key)?.get(key)
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Pair>, ReadError> {
        self.read(&range.start)?.scan(range, direction, limit)
    }

    fn walk(&self) -> Result<Box<dyn Walk>, ReadError> {
        self.read(&[])?.walk()
    }

    fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        let fate = *lock(&self.fate);
        if matches!(fate, Fate::Kept | Fate::Untold) {
            self.pairs.commit(batch)?;
            self.note_events(batch);
            *lock(&self.commits) += 1;
        }
        match fate {
            Fate::Kept => Ok(()),
            Fate::Refused => Err(CommitError::Full),
            Fate::Lost | Fate::Untold => Err(CommitError::Io {
                detail: "the host is dead".into(),
            }),
        }
    }
}

fn is_of_events(key: &[u8]) -> bool {
    logged_at(key).is_some() || *key == key::event_log(&TenantId::default())
}

/// The position that a key has in the log of events, if it is of that.
fn logged_at(key: &[u8]) -> Option<u64> {
    let position = key::parse_logged_event(key)?;
    (*key == key::logged_event(&TenantId::default(), position)).then_some(position)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
