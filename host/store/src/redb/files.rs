//! The two files, and what is in memory of them.
//!
//! What a batch goes through: the log makes it durable, the [`Memtable`](super::memtable::Memtable) shows it to readers, a
//! checkpoint puts it into the tree. While one half of the log is put there, the other one is filled.

use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use redb::{Database, ReadTransaction, ReadableDatabase};

use super::RedbOptions;
use super::file::io_error;
use super::log::{Appended, Damaged, Generation, Log};
use super::medium::{LogFile, Medium};
use super::memtable::{Bounds, Change, Recent};
use super::pairs::Pairs;
use super::tree::{self, Checkpoint, Mark, TABLE};
use super::visible::Visible;
use crate::batch::Batch;
use crate::error::OpenError;
use crate::store::{Direction, Pair};

/// The files of a store.
pub(super) struct Files {
    medium: Box<dyn Medium>,
    options: RedbOptions,
    /// None where the next commit has to go to the tree itself. Who has this is the writer. Of the locks here, each is
    /// taken before those below it.
    log: Mutex<Option<Log>>,
    /// Who has this makes a checkpoint. What there is is the last one, where it failed: the tree takes no other then, until
    /// it has been opened again.
    checkpoint: Mutex<Option<Undecided>>,
    /// None after a failure of the medium, until opening the file again succeeds: redb refuses all work
    /// on a database that has once failed to read or write.
    database: RwLock<Option<Database>>,
    recent: Visible,
}

/// A checkpoint that failed at its last step: whether the tree holds it is seen when that is opened again.
struct Undecided {
    mark: Mark,
    what: Checkpointed,
}

/// What a checkpoint puts into the tree.
enum Checkpointed {
    /// What a full half of the log says.
    Settling,
    /// All, and a batch, which this undoes.
    AllAnd(Vec<Change>),
}

/// What is to be done after a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    /// A [checkpoint](Files::settle), by somebody else.
    Checkpoint,
}

/// A store that has been opened.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) log: Option<Log>,
    pub(super) recent: Recent,
}

impl Opened {
    /// Opens both files, and reads what the log says beyond the tree.
    pub(super) fn open(medium: &dyn Medium, options: &RedbOptions) -> Result<Self, OpenError> {
        let database = tree::open(medium, options)?;
        let unusable = |error| tree::unusable(medium.tree_path(), error);
        let Some(generation) = tree::generation(&database).map_err(unusable)? else {
            return Ok(Self {
                database,
                log: None,
                recent: Recent::default(),
            });
        };
        let path = medium.log_path();
        let file = medium.log().map_err(|source| io_error(path, source))?;
        let file = file.ok_or_else(|| OpenError::LogMissing {
            path: path.to_owned(),
            tree: medium.tree_path().to_owned(),
        })?;
        let (log, recent) = Log::resume(file, generation)
            .map_err(|source| io_error(path, source))?
            .map_err(|Damaged { at }| OpenError::Corrupt {
                path: path.to_owned(),
                detail: format!("the record at byte {at} is not what was written"),
            })?;
        Ok(Self {
            database,
            log,
            recent,
        })
    }
}

impl Files {
    pub(super) fn open(medium: Box<dyn Medium>, options: RedbOptions) -> Result<Self, OpenError> {
        let opened = Opened::open(&*medium, &options)?;
        Ok(Self {
            medium,
            options,
            log: Mutex::new(opened.log),
            checkpoint: Mutex::new(None),
            database: RwLock::new(Some(opened.database)),
            recent: Visible::new(opened.recent),
        })
    }

    pub(super) fn medium(&self) -> &dyn Medium {
        &*self.medium
    }

    /// Who has this is the writer.
    pub(super) fn write_alone(&self) -> MutexGuard<'_, Option<Log>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn checkpoint_alone(&self) -> MutexGuard<'_, Option<Undecided>> {
        let checkpoint = self.checkpoint.lock();
        checkpoint.unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` on the open database.
    pub(super) fn with<T, E>(&self, work: impl FnOnce(&Database) -> Result<T, E>) -> Result<T, E>
    where
        E: From<redb::Error>,
    {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        match database.as_ref() {
            Some(database) => work(database),
            None => Err(redb::Error::PreviousIo.into()),
        }
    }

    /// What a key holds.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, redb::Error> {
        self.with(|database| {
            let recent = self.recent.read();
            if let Some(known) = recent.get(key) {
                drop(recent);
                return Ok(known.map(Vec::from));
            }
            let transaction = database.begin_read()?;
            drop(recent);
            let value = transaction.open_table(TABLE)?.get(key)?;
            Ok(value.map(|value| value.value().to_vec()))
        })
    }

    /// The first pairs within these bounds, in a direction.
    pub(super) fn scan(
        &self,
        bounds: Bounds,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Pair>, redb::Error> {
        self.with(|database| {
            let (transaction, changes) = self.view(database, bounds, direction, limit)?;
            let pairs = Pairs::of(&transaction, changes, bounds, direction)?;
            Ok(pairs.take(limit).collect::<Result<_, _>>()?)
        })
    }

    /// All pairs as they are now, in the order of their keys.
    pub(super) fn walk(&self) -> Result<Pairs, redb::Error> {
        self.with(|database| {
            let (all, direction) = ((Bound::Unbounded, Bound::Unbounded), Direction::Ascending);
            let (transaction, changes) = self.view(database, all, direction, usize::MAX)?;
            Pairs::of(&transaction, changes, all, direction)
        })
    }

    /// What the tree holds now, and the changes beyond it on which the first `values` pairs within these bounds, in this
    /// direction, depend.
    fn view(
        &self,
        database: &Database,
        bounds: Bounds,
        direction: Direction,
        values: usize,
    ) -> Result<(ReadTransaction, Vec<Change>), redb::Error> {
        // Nothing comes, and nothing goes from there to the tree, between one and the other.
        let recent = self.recent.read();
        let transaction = database.begin_read()?;
        Ok((transaction, recent.within(bounds, direction, values)))
    }

    /// Opens the tree again after a failure, so that the next operation has a database that works.
    ///
    /// What has been committed and is not in it is in memory still. Whoever was told that something is refused must not find
    /// it later: where the tree turns out to hold it, it is undone in memory, and by the next checkpoint in the tree. The
    /// log may have it too, and is not read; it begins anew with the next commit.
    pub(super) fn reopen(&self, log: &mut Option<Log>) -> Result<(), OpenError> {
        self.open_again(log, |recent, undo| recent.filling.add(undo))
    }

    /// Opens the tree again after a commit that has failed, and of which nobody has been told yet. Whether it is durable all
    /// the same.
    pub(super) fn decide(&self, log: &mut Option<Log>) -> Result<bool, OpenError> {
        let mut is_durable = false;
        self.open_again(log, |_, _| is_durable = true)?;
        Ok(is_durable)
    }

    /// Opens the tree again. `held` is what is to be done where it turns out to hold the batch of a commit that failed, which
    /// is given what undoes that.
    fn open_again(
        &self,
        log: &mut Option<Log>,
        held: impl FnOnce(&mut Recent, Vec<Change>),
    ) -> Result<(), OpenError> {
        let mut undecided = self.checkpoint_alone();
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // The old one holds the lock of the file, so it has to go first.
        (*database, *log) = (None, None);
        let forgotten = self.medium.forget();
        forgotten.map_err(|source| io_error(self.medium.tree_path(), source))?;
        let opened = tree::open(&*self.medium, &self.options)?;
        let mark = tree::mark(&opened);
        let mark = mark.map_err(|error| tree::unusable(self.medium.tree_path(), error))?;
        let decided = undecided.take().filter(|it| mark == Some(it.mark));
        let mut recent = self.recent.change();
        match decided.map(|it| it.what) {
            Some(Checkpointed::Settling) => recent.settled(),
            Some(Checkpointed::AllAnd(undo)) => {
                recent.all_settled();
                held(&mut recent, undo);
            }
            None => {}
        }
        *database = Some(opened);
        Ok(())
    }

    /// Makes a batch durable.
    pub(super) fn commit(&self, log: &mut Option<Log>, batch: &Batch) -> Result<Then, redb::Error> {
        match log.as_mut().map(|log| log.append(batch)) {
            Some(Ok(Appended::Durable(changes))) => {
                self.recent.add(changes);
                return Ok(Then::Nothing);
            }
            Some(Ok(Appended::Full)) => return self.turn_over(log, batch),
            // What the file holds is not known. The tree may be in a better place.
            Some(Err(_)) => *log = None,
            Some(Ok(Appended::TooLarge)) | None => {}
        }
        self.checkpoint(log, batch)?;
        Ok(Then::Nothing)
    }

    /// Goes on in the other half of the log, with a batch.
    fn turn_over(&self, log: &mut Option<Log>, batch: &Batch) -> Result<Then, redb::Error> {
        // What that half says must be in the tree. It mostly is.
        self.awaited(|| self.settle())?;
        if let Some(log) = log.as_mut() {
            let generation = log.turn_over();
            let mut recent = self.recent.change();
            let full = std::mem::take(&mut recent.filling);
            recent.settling = Some((full.into(), generation));
        }
        self.commit(log, batch)?;
        Ok(Then::Checkpoint)
    }

    /// A checkpoint: puts into the tree what the half of the log that is full says, durably. Waits for one that is under way.
    pub(super) fn settle(&self) -> Result<(), redb::Error> {
        let mut undecided = self.checkpoint_alone();
        let settling = self.recent.read().settling.clone();
        let Some((settling, next)) = settling else {
            return Ok(());
        };
        self.with(|database| {
            let checkpoint = Checkpoint::begin(database)?;
            checkpoint.put(settling.changes())?;
            conclude(
                checkpoint,
                Some(next),
                Checkpointed::Settling,
                &mut undecided,
            )
        })?;
        self.recent.change().settled();
        Ok(())
    }

    /// A checkpoint of all, with a batch. The log begins anew.
    fn checkpoint(&self, log: &mut Option<Log>, batch: &Batch) -> Result<(), redb::Error> {
        let mut undecided = self.checkpoint_alone();
        let file = match log.take() {
            Some(log) => Some(log.into_file()),
            // It does without one as long as none can be made.
            None => self.log_file()?,
        };
        let next = file.and_then(|file| Log::begin(file, Generation::new()).ok());
        let generation = next.as_ref().map(Log::generation);
        self.put_all(batch, generation, &mut undecided)?;
        self.recent.change().all_settled();
        *log = next;
        Ok(())
    }

    /// The log's file; none where there can't be one.
    fn log_file(&self) -> Result<Option<Box<dyn LogFile>>, redb::Error> {
        // As long as the tree goes by it, it stays as it is.
        Ok(match self.with(tree::generation)? {
            Some(_) => self.medium.log().ok().flatten(),
            None => self.medium.make_log(self.options.log_bytes).ok(),
        })
    }

    /// Leaves all in the tree, so that the log need not be read.
    pub(super) fn close(&self) -> Result<(), redb::Error> {
        let mut log = self.write_alone();
        let mut undecided = self.checkpoint_alone();
        match log.take().is_some() || !self.recent.read().is_empty() {
            true => self.put_all(&Batch::new(), None, &mut undecided),
            false => Ok(()),
        }
    }

    /// Puts all into the tree that is not there yet, and a batch.
    fn put_all(
        &self,
        batch: &Batch,
        next: Option<Generation>,
        undecided: &mut Option<Undecided>,
    ) -> Result<(), redb::Error> {
        let recent = self.recent.read();
        let put = |database: &Database| {
            let checkpoint = Checkpoint::begin(database)?;
            checkpoint.put(recent.changes())?;
            let undo = checkpoint.put_batch(batch)?;
            conclude(checkpoint, next, Checkpointed::AllAnd(undo), undecided)
        };
        self.awaited(|| self.with(put))
    }

    /// Does what the writer waits for.
    fn awaited<T>(&self, work: impl FnOnce() -> T) -> T {
        self.medium.hurry(true);
        let done = work();
        self.medium.hurry(false);
        done
    }
}

/// Makes a checkpoint durable. Where that fails, it is undecided.
fn conclude(
    checkpoint: Checkpoint,
    next: Option<Generation>,
    what: Checkpointed,
    undecided: &mut Option<Undecided>,
) -> Result<(), redb::Error> {
    let mark = checkpoint.mark();
    checkpoint.commit(next).inspect_err(|_| {
        // One that fails behind another one was begun on a tree that takes nothing any more.
        undecided.get_or_insert(Undecided { mark, what });
    })
}
