//! The write-ahead log: what has been committed, and may not be in the tree yet.
//!
//! ```text
//! generation(16) length(u32) crc32(u32)            a record, one for each commit, one behind the other
//!     2 end(u32)                                   its payload: in a generation's first, where the one before ended,
//!     1 length(u32) key length(u32) value …        what is stored, in its order,
//!     0 length(u32) key …                          and what is removed
//! ```
//!
//! Numbers are big-endian; the checksum is of all of the record but itself. The file keeps its size, so that a commit
//! changes nothing but bytes that are there: one place on the disk, and one `fdatasync` that has no other page to write
//! and no length to note.
//!
//! The file has two halves. A generation fills one of them; while what it says is put into the tree, the next one fills
//! the other. The tree says which generation goes on from what it holds; the log may have the one behind it as well.
//! Records of others are of no concern: what they say is in the tree. The first record that is not whole is where a crash
//! was; nobody had been told of it.

use std::io;

use bytes::{Buf as _, Bytes};
use uuid::Uuid;

use super::medium::LogFile;
use super::memtable::{Change, Memtable, Recent};
use crate::batch::{Batch, Operation};

/// Bytes of a record before its payload.
const HEAD: usize = 24;

/// Bytes by which a payload says where the generation before ended.
const FOLLOWS: usize = 5;

/// One life of half of the log, from its start to where it is full. No two have the same, whatever the host or the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(pub(super) [u8; 16]);

impl Generation {
    /// One that goes on from none.
    pub(super) fn new() -> Self {
        Self(*Uuid::now_v7().as_bytes())
    }

    /// The one that goes on from this one.
    fn next(self) -> Self {
        Self(u128::from_be_bytes(self.0).wrapping_add(1).to_be_bytes())
    }
}

/// A log that can be gone on with.
pub(super) struct Log {
    file: Box<dyn LogFile>,
    generation: Generation,
    /// Bytes of half of the file.
    half: usize,
    /// Where the half begins that is being filled.
    start: usize,
    /// How far its records reach, from there.
    end: usize,
    /// Where the generation before ended, until a record says so.
    follows: Option<usize>,
}

/// A record in the midst of a log is not what was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged {
    pub(super) at: usize,
}

/// What became of a batch.
pub(super) enum Appended {
    /// It is durable, and says this.
    Durable(Changes),
    /// Its half has no room for it. Nothing has been done.
    Full,
    /// No half has. Nothing has been done.
    TooLarge,
}

impl Log {
    /// A log of a new generation, which the tree has to know before anything is appended.
    pub(super) fn begin(file: Box<dyn LogFile>, generation: Generation) -> io::Result<Self> {
        let half = usize::try_from(file.bytes()? / 2).unwrap_or(usize::MAX);
        Ok(Self {
            file,
            generation,
            half,
            start: 0,
            end: 0,
            follows: None,
        })
    }

    /// The log of a generation as a crash, or a failure, has left it, and all that it says. None where nothing can be
    /// appended to it.
    pub(super) fn resume(
        file: Box<dyn LogFile>,
        generation: Generation,
    ) -> io::Result<Result<(Option<Self>, Recent), Damaged>> {
        let content = file.read()?;
        let log = Self::begin(file, generation)?;
        Ok(Found::read(&content, generation).map(|found| found.resume(log)))
    }

    /// Makes a batch durable.
    ///
    /// After an error it is not known what the file holds: this generation must not be gone on with.
    pub(super) fn append(&mut self, batch: &Batch) -> io::Result<Appended> {
        if !self.takes(batch) {
            return Ok(Appended::TooLarge);
        }
        if size(batch) > self.half.saturating_sub(self.end) {
            return Ok(Appended::Full);
        }
        let record = record(batch, self.generation, self.follows);
        let at = self.start + self.end;
        self.file.write(at as u64, &record)?;
        self.file.sync()?;
        self.end += record.len();
        let begins = HEAD + self.follows.take().map_or(0, |_| FOLLOWS);
        Ok(Appended::Durable(Changes(
            Bytes::from(record).slice(begins..),
        )))
    }

    /// Whether a half, when it is empty, has room for a batch.
    pub(super) fn takes(&self, batch: &Batch) -> bool {
        size(batch) <= self.half
    }

    /// Goes on in the other half, of which all must be in the tree: with the generation that comes back.
    pub(super) fn turn_over(&mut self) -> Generation {
        self.generation = self.generation.next();
        self.follows = Some(self.end);
        self.start = self.half - self.start;
        self.end = 0;
        self.generation
    }

    /// The generation that is being written.
    pub(super) fn generation(&self) -> Generation {
        self.generation
    }

    /// Its file, for a new generation.
    pub(super) fn into_file(self) -> Box<dyn LogFile> {
        self.file
    }
}

/// What a generation is found to say.
struct Found {
    generation: Generation,
    start: usize,
    end: usize,
    changes: Vec<Change>,
    /// The one behind it.
    next: Option<Box<Found>>,
}

impl Found {
    /// What the log says since a generation began.
    fn read(content: &[u8], generation: Generation) -> Result<Self, Damaged> {
        let half = content.len() / 2;
        let begins = |start: &usize, generation| payload(&content[*start..], generation).is_some();
        let start = [0, half].into_iter().find(|it| begins(it, generation));
        let (start, other) = match start {
            Some(start) => (start, half - start),
            None => (0, half),
        };
        let read = |start, generation| {
            read(&content[start..], generation).map_err(|it: Damaged| it.behind(start))
        };
        let (changes, end, _) = read(start, generation)?;
        let mut found = Self {
            generation,
            start,
            end,
            changes,
            next: None,
        };
        let next = generation.next();
        if let Some(other) = [other, start].into_iter().find(|it| begins(it, next)) {
            let (changes, end, follows) = read(other, next)?;
            if follows != Some(found.end) || other == start {
                return Err(Damaged {
                    at: start + found.end,
                });
            }
            found.next = Some(Box::new(Self {
                generation: next,
                start: other,
                end,
                changes,
                next: None,
            }));
        }
        Ok(found)
    }

    /// The log goes on from here: it, and all that it says. None where nothing can be appended to it.
    fn resume(self, log: Log) -> (Option<Log>, Recent) {
        let table = |changes| {
            let mut table = Memtable::default();
            table.add(changes);
            table
        };
        let (settling, last) = match self.next {
            Some(next) => (Some((table(self.changes).into(), next.generation)), *next),
            None => (None, self),
        };
        let recent = Recent {
            settling,
            filling: table(last.changes),
        };
        let log = Log {
            generation: last.generation,
            start: last.start,
            end: last.end,
            ..log
        };
        // The log of a release that did not know of halves goes beyond them.
        let log = Some(log).filter(|log| log.end <= log.half);
        (log, recent)
    }
}

impl Damaged {
    fn behind(self, start: usize) -> Self {
        Self {
            at: start + self.at,
        }
    }
}

/// How many bytes a record of a batch has at most: nine are added to each operation.
fn size(batch: &Batch) -> usize {
    HEAD + FOLLOWS + batch.size() + 9 * batch.operations().len()
}

/// A record of a batch.
fn record(batch: &Batch, Generation(generation): Generation, follows: Option<usize>) -> Vec<u8> {
    let mut record = Vec::with_capacity(size(batch));
    record.extend(generation);
    record.extend([0; HEAD - 16]);
    if let Some(end) = follows {
        record.push(2);
        record.extend(length(end).to_be_bytes());
    }
    for operation in batch.operations() {
        match operation {
            Operation::Put(key, value) => {
                record.push(1);
                put(&mut record, key);
                put(&mut record, value);
            }
            Operation::Delete(key) => {
                record.push(0);
                put(&mut record, key);
            }
        }
    }
    let length = length(record.len() - HEAD);
    record[16..20].copy_from_slice(&length.to_be_bytes());
    let checksum = checksum(&record[..20], &record[HEAD..]);
    record[20..HEAD].copy_from_slice(&checksum.to_be_bytes());
    record
}

fn put(record: &mut Vec<u8>, bytes: &[u8]) {
    record.extend(length(bytes.len()).to_be_bytes());
    record.extend_from_slice(bytes);
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a log has less than 4 GiB")
}

fn checksum(head: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(payload);
    hasher.finalize()
}

/// What the whole records at the start of half of a log say, how far they reach, and where the generation before ended, if
/// they say so.
fn read(
    content: &[u8],
    generation: Generation,
) -> Result<(Vec<Change>, usize, Option<usize>), Damaged> {
    let (mut changes, mut end, mut follows) = (Vec::new(), 0, None);
    while let Some(mut payload) = payload(&content[end..], generation) {
        let length = payload.len();
        if end == 0 {
            follows = ended(&mut payload);
        }
        // A copy, so that they do not keep all that the file has.
        let mut said = Changes(Bytes::copy_from_slice(payload));
        changes.extend(&mut said);
        if !said.0.is_empty() {
            return Err(Damaged { at: end });
        }
        end += HEAD + length;
    }
    // Each record is on the disk before the next one is begun. So a crash leaves none behind one that is not whole.
    let mut rest = content[end..].windows(16);
    let is_followed = rest.by_ref().enumerate().any(|(offset, window)| {
        window == generation.0 && payload(&content[end + offset..], generation).is_some()
    });
    match is_followed {
        true => Err(Damaged { at: end }),
        false => Ok((changes, end, follows)),
    }
}

/// Takes from a payload where the generation before ended.
fn ended(payload: &mut &[u8]) -> Option<usize> {
    let (follows, rest) = payload.split_at_checked(FOLLOWS)?;
    let (kind, end) = follows.split_first()?;
    let end = number(end).filter(|_| *kind == 2)?;
    *payload = rest;
    Some(end)
}

/// The payload of the record that `content` begins with, if that is whole and of this generation.
fn payload(content: &[u8], generation: Generation) -> Option<&[u8]> {
    let (head, rest) = content.split_at_checked(HEAD)?;
    let (named, numbers) = head.split_at(16);
    let (length, stored) = numbers.split_at(4);
    if named != generation.0 {
        return None;
    }
    let payload = rest.get(..number(length)?)?;
    let is_whole = checksum(&head[..20], payload).to_be_bytes() == stored;
    is_whole.then_some(payload)
}

/// What a payload says, in its order, without a copy of it. Ends where it says nothing that makes sense; the rest is there
/// then.
pub(super) struct Changes(Bytes);

#[cfg(test)]
impl Changes {
    /// What the record of a batch says.
    pub(super) fn of(batch: &Batch) -> Self {
        Self(Bytes::from(record(batch, Generation::new(), None)).slice(HEAD..))
    }
}

impl Iterator for Changes {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        let (kind, mut rest) = (*self.0.first()?, self.0.slice(1..));
        let key = take(&mut rest)?;
        let value = match kind {
            1 => Some(take(&mut rest)?),
            0 => None,
            _ => return None,
        };
        self.0 = rest;
        Some((key, value))
    }
}

/// Takes bytes with their length before them.
fn take(payload: &mut Bytes) -> Option<Bytes> {
    let length = number(payload.get(..4)?)?;
    payload.advance(4);
    (length <= payload.len()).then(|| payload.split_to(length))
}

fn number(bytes: &[u8]) -> Option<usize> {
    let bytes = bytes.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(bytes)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GENERATION: Generation = Generation([7; 16]);

    fn batch(number: u8) -> Batch {
        let mut batch = Batch::new();
        batch.put(vec![number], vec![number; usize::from(number)]);
        batch.delete(vec![number, 0]);
        batch
    }

    /// The records of such batches, one behind the other, and where each ends.
    fn log(numbers: &[u8]) -> (Vec<u8>, Vec<usize>) {
        let (mut content, mut ends) = (Vec::new(), Vec::new());
        for number in numbers {
            content.extend(record(&batch(*number), GENERATION, None));
            ends.push(content.len());
        }
        (content, ends)
    }

    /// What they say.
    fn changes(numbers: &[u8]) -> Vec<Change> {
        let changes = numbers.iter().flat_map(|number| {
            let value = vec![*number; usize::from(*number)];
            [(vec![*number], Some(value)), (vec![*number, 0], None)]
        });
        changes
            .map(|(key, value)| (key.into(), value.map(Bytes::from)))
            .collect()
    }

    /// What a host that crashed has left is read by the release after it.
    #[test]
    fn the_layout_stays_what_it_was() {
        let expected = [
            "07070707070707070707070707070707", // the generation
            "00000013",                         // bytes of the payload
            "0f404297",                         // CRC-32 (IEEE 802.3) of all but itself
            "01 00000001 02 00000002 0202",     // stored
            "00 00000002 0200",                 // removed
        ];
        let expected = expected.concat().replace(' ', "");
        assert_eq!(hex::encode(log(&[2]).0), expected);
    }

    #[test]
    fn what_is_cut_off_ends_with_its_last_whole_record() {
        let (content, ends) = log(&[3, 0, 200]);
        for length in 0..=content.len() {
            let whole = ends.iter().take_while(|end| **end <= length).count();
            let end = ends[..whole].last().copied().unwrap_or(0);
            let mut cut = content[..length].to_vec();
            cut.resize(content.len() + 100, 0xff);
            let expected = (changes(&[3, 0, 200][..whole]), end, None);
            assert_eq!(read(&cut, GENERATION), Ok(expected), "{length} bytes");
        }
    }

    #[test]
    fn another_generation_says_nothing() {
        let (content, _) = log(&[1, 2]);
        let other = Generation([8; 16]);
        assert_eq!(read(&content, other), Ok((Vec::new(), 0, None)));
    }

    /// A file with two halves, of which each begins with these.
    fn halves(first: &[u8], second: &[u8]) -> Vec<u8> {
        let mut content = vec![0; 2_000];
        content[..first.len()].copy_from_slice(first);
        content[1_000..1_000 + second.len()].copy_from_slice(second);
        content
    }

    #[test]
    fn a_generation_goes_on_from_where_the_one_before_ended() {
        let next = GENERATION.next();
        assert_ne!(next, GENERATION);
        let (older, ends) = log(&[3, 5]);
        let mut newer = record(&batch(8), next, Some(ends[1]));
        newer.extend(record(&batch(9), next, None));
        for (content, start, other) in [
            (halves(&older, &newer), 0, 1_000),
            (halves(&newer, &older), 1_000, 0),
        ] {
            let found = Found::read(&content, GENERATION).expect("it is whole");
            assert_eq!((found.start, found.end), (start, ends[1]));
            assert_eq!(found.changes, changes(&[3, 5]));
            let behind = found.next.expect("it goes on");
            assert_eq!((behind.start, behind.end), (other, newer.len()));
            assert_eq!(behind.changes, changes(&[8, 9]));
            // Once the tree has what the older one says, that is of no concern.
            let found = Found::read(&content, next).expect("it is whole");
            assert_eq!((found.start, found.changes), (other, changes(&[8, 9])));
            assert!(found.next.is_none());
        }
    }

    #[test]
    fn what_is_missing_before_the_next_generation_is_damage() {
        let (older, ends) = log(&[3, 5]);
        let newer = record(&batch(8), GENERATION.next(), Some(ends[1]));
        for at in 0..older.len() {
            let mut damaged = halves(&older, &newer);
            damaged[at] ^= 0x20;
            let record = if at < ends[0] { 0 } else { ends[0] };
            let found = Found::read(&damaged, GENERATION);
            assert_eq!(found.err(), Some(Damaged { at: record }), "{at}");
        }
    }

    #[test]
    fn damage_before_a_whole_record_is_no_end() {
        let (content, ends) = log(&[9, 8, 7]);
        for at in 0..ends[1] {
            let mut damaged = content.clone();
            damaged[at] ^= 0x20;
            let record = if at < ends[0] { 0 } else { ends[0] };
            assert_eq!(
                read(&damaged, GENERATION),
                Err(Damaged { at: record }),
                "{at}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(content in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(read(&content, GENERATION), Ok((Vec::new(), 0, None)));
            let _ = Changes(content.into()).count();
        }
    }
}
