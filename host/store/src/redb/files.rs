//! The two files, and what is in memory of them.
//!
//! What a batch goes through: the log makes it durable, the [`Memtable`](super::memtable::Memtable) shows it to readers, a
//! checkpoint puts it into the tree. While one half of the log is put there, the other one is filled.

use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// Why a tree is not gone on with that is whole: the runs of this process stand still, and lose nothing.
pub(super) const WRITTEN_BY_ANOTHER: &str =
    "another process has written to it meanwhile; start this host again";

/// The files of a store.
pub(super) struct Files {
    medium: Box<dyn Medium>,
    options: RedbOptions,
    /// None where the next commit has to go to the tree itself. Who has this is the writer. Of the locks here, each is
    /// taken before those below it.
    log: Mutex<Option<Log>>,
    /// Who has this makes a checkpoint.
    marks: Mutex<Marks>,
    /// None after a failure of the medium, until opening the file again succeeds: redb refuses all work
    /// on a database that has once failed to read or write.
    database: RwLock<Option<Database>>,
    recent: Visible,
    /// How often the tree has been opened again, or that has been tried.
    reopenings: AtomicU64,
}

/// Which checkpoints the tree may hold.
struct Marks {
    /// The last one that it does hold.
    last: Option<Mark>,
    /// The one behind it, as long as it is not known whether that has become durable: it shows when the tree is opened again.
    undecided: Option<Undecided>,
}

/// A checkpoint that is being made durable, or has failed there.
struct Undecided {
    mark: Mark,
    content: Content,
}

/// What a checkpoint puts into the tree.
enum Content {
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
        let last = mark(&*medium, &opened.database)?;
        let undecided = None;
        Ok(Self {
            medium,
            options,
            log: Mutex::new(opened.log),
            marks: Mutex::new(Marks { last, undecided }),
            database: RwLock::new(Some(opened.database)),
            recent: Visible::new(opened.recent),
            reopenings: AtomicU64::new(0),
        })
    }

    pub(super) fn medium(&self) -> &dyn Medium {
        &*self.medium
    }

    /// Who has this is the writer.
    pub(super) fn write_alone(&self) -> MutexGuard<'_, Option<Log>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn checkpoint_alone(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is a database. One may still refuse all work, since it has failed before.
    pub(super) fn is_open(&self) -> bool {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        database.is_some()
    }

    /// How often the tree has been opened again, or that has been tried: whoever waited meanwhile need not try it as well.
    pub(super) fn reopenings(&self) -> u64 {
        self.reopenings.load(Ordering::SeqCst)
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
    /// the same. It must have begun with a database, so that no other one before it is undecided.
    pub(super) fn decide(&self, log: &mut Option<Log>) -> Result<bool, OpenError> {
        let mut is_durable = false;
        self.open_again(log, |_, _| is_durable = true)?;
        Ok(is_durable)
    }

    /// Opens the tree again. `found` is what is to be done where it turns out to hold the batch of a commit that failed, which
    /// is given what undoes that.
    fn open_again(
        &self,
        log: &mut Option<Log>,
        found: impl FnOnce(&mut Recent, Vec<Change>),
    ) -> Result<(), OpenError> {
        self.reopenings.fetch_add(1, Ordering::SeqCst);
        let mut marks = self.checkpoint_alone();
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // The old one holds the lock of the file, so it has to go first.
        (*database, *log) = (None, None);
        let forgotten = self.medium.forget();
        forgotten.map_err(|source| io_error(self.medium.tree_path(), source))?;
        let opened = tree::open(&*self.medium, &self.options)?;
        let held = mark(&*self.medium, &opened)?;
        let decided = marks.undecided.take_if(|it| held == Some(it.mark));
        if decided.is_none() && held != marks.last {
            return Err(io_error(
                self.medium.tree_path(),
                io::Error::other(WRITTEN_BY_ANOTHER),
            ));
        }
        let mut recent = self.recent.change();
        match decided.map(|it| it.content) {
            Some(Content::Settling) => recent.settled(),
            Some(Content::AllAnd(undo)) => {
                recent.all_settled();
                found(&mut recent, undo);
            }
            None => {}
        }
        *marks = Marks {
            last: held,
            undecided: None,
        };
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
        let mut marks = self.checkpoint_alone();
        let settling = self.recent.read().settling.clone();
        let Some((settling, next)) = settling else {
            return Ok(());
        };
        self.with(|database| {
            let checkpoint = Checkpoint::begin(database)?;
            checkpoint.put(settling.changes())?;
            marks.commit(checkpoint, Some(next), Content::Settling)
        })?;
        self.recent.change().settled();
        Ok(())
    }

    /// A checkpoint of all, with a batch. The log begins anew.
    fn checkpoint(&self, log: &mut Option<Log>, batch: &Batch) -> Result<(), redb::Error> {
        let mut marks = self.checkpoint_alone();
        let file = match log.take() {
            Some(log) => Some(log.into_file()),
            // It does without one as long as none can be made.
            None => self.log_file()?,
        };
        let next = file.and_then(|file| Log::begin(file, Generation::new()).ok());
        let generation = next.as_ref().map(Log::generation);
        self.put_all(batch, generation, &mut marks)?;
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

    /// Leaves all in the tree, and nothing that was refused, so that the log need not be read.
    pub(super) fn close(&self) -> Result<(), redb::Error> {
        let mut log = self.write_alone();
        match self.leave_all(&mut log) {
            Err(redb::Error::PreviousIo) if self.reopen(&mut log).is_ok() => {
                self.leave_all(&mut log)
            }
            closed => closed,
        }
    }

    fn leave_all(&self, log: &mut Option<Log>) -> Result<(), redb::Error> {
        let mut marks = self.checkpoint_alone();
        // The log that the tree goes by may have what was refused.
        let is_without_log = log.take().is_none() && self.with(tree::generation)?.is_none();
        match is_without_log && self.recent.read().is_empty() {
            true => Ok(()),
            false => self.put_all(&Batch::new(), None, &mut marks),
        }
    }

    /// Puts all into the tree that is not there yet, and a batch.
    fn put_all(
        &self,
        batch: &Batch,
        next: Option<Generation>,
        marks: &mut Marks,
    ) -> Result<(), redb::Error> {
        let put = |database: &Database| {
            let recent = self.recent.read();
            let checkpoint = Checkpoint::begin(database)?;
            checkpoint.put(recent.changes())?;
            let undo = checkpoint.put_batch(batch)?;
            marks.commit(checkpoint, next, Content::AllAnd(undo))
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

impl Marks {
    /// Makes a checkpoint durable. Where that fails, it is undecided.
    ///
    /// One that was so before it is not there: a tree that may hold it takes no other until it has been opened again.
    fn commit(
        &mut self,
        checkpoint: Checkpoint,
        next: Option<Generation>,
        content: Content,
    ) -> Result<(), redb::Error> {
        let mark = checkpoint.mark();
        self.undecided = Some(Undecided { mark, content });
        checkpoint.commit(next)?;
        self.last = Some(mark);
        self.undecided = None;
        Ok(())
    }
}

/// The mark of the last checkpoint that the tree holds.
fn mark(medium: &dyn Medium, database: &Database) -> Result<Option<Mark>, OpenError> {
    tree::mark(database).map_err(|error| tree::unusable(medium.tree_path(), error))
}
