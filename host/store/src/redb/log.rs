//! The write-ahead log: what has been committed since all was last written to the tree.
//!
//! ```text
//! generation(16) length(u32) crc32(u32)            a record, one for each commit, one behind the other
//!     1 length(u32) key length(u32) value …        its payload: what is stored, in its order,
//!     0 length(u32) key …                          and what is removed
//! ```
//!
//! Numbers are big-endian; the checksum is of all of the record but itself. The file keeps its size, and a new generation
//! begins at its start, so that a commit changes nothing but bytes that are there: one place on the disk, and one
//! `fdatasync` that has no other page to write and no length to note.
//!
//! The tree says which generation goes on from what it holds. Records of others are of no concern: what they say is in
//! the tree. The first record that is not whole is where a crash was; nobody had been told of it.

use std::io;

use uuid::Uuid;

use super::medium::LogFile;
use crate::batch::{Batch, Operation};

/// Bytes of a record before its payload.
const HEAD: usize = 24;

/// One life of the log, from its start to where it is full. No two have the same, whatever the host or the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(pub(super) [u8; 16]);

impl Generation {
    pub(super) fn new() -> Self {
        Self(*Uuid::now_v7().as_bytes())
    }
}

/// A log that can be gone on with.
pub(super) struct Log {
    file: Box<dyn LogFile>,
    generation: Generation,
    /// How far its records reach.
    end: usize,
    /// How far they may.
    bytes: usize,
    /// The record that is being written; kept for its room.
    record: Vec<u8>,
}

/// A record in the midst of a log is not what was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged {
    pub(super) at: usize,
}

impl Log {
    /// A log of a new generation, which the tree has to know before anything is appended.
    pub(super) fn begin(file: Box<dyn LogFile>, generation: Generation, bytes: usize) -> Self {
        Self {
            file,
            generation,
            end: 0,
            bytes,
            record: Vec::new(),
        }
    }

    /// The log of a generation as a crash, or a failure, has left it, and all that it says, as one.
    pub(super) fn resume(
        file: Box<dyn LogFile>,
        generation: Generation,
        bytes: usize,
    ) -> io::Result<Result<(Self, Batch), Damaged>> {
        let content = file.read()?;
        Ok(read(&content, generation).map(|(batch, end)| {
            let log = Self {
                end,
                ..Self::begin(file, generation, bytes)
            };
            (log, batch)
        }))
    }

    /// Makes a batch durable. False where there is no room for it, and nothing has been done.
    ///
    /// After an error it is not known what the file holds: this generation must not be gone on with.
    pub(super) fn append(&mut self, batch: &Batch) -> io::Result<bool> {
        let room = self.bytes.saturating_sub(self.end);
        // At most nine bytes are added to each operation.
        if HEAD + batch.size() + 9 * batch.operations().len() > room {
            return Ok(false);
        }
        write(&mut self.record, batch, self.generation);
        self.file.write(self.end as u64, &self.record)?;
        self.file.sync()?;
        self.end += self.record.len();
        Ok(true)
    }

    /// Its file, for the next generation.
    pub(super) fn into_file(self) -> Box<dyn LogFile> {
        self.file
    }
}

/// Makes a record of a batch, in place of what is there.
fn write(record: &mut Vec<u8>, batch: &Batch, Generation(generation): Generation) {
    record.clear();
    record.extend(generation);
    record.extend([0; HEAD - 16]);
    for operation in batch.operations() {
        match operation {
            Operation::Put(key, value) => {
                record.push(1);
                put(record, key);
                put(record, value);
            }
            Operation::Delete(key) => {
                record.push(0);
                put(record, key);
            }
        }
    }
    let length = length(record.len() - HEAD);
    record[16..20].copy_from_slice(&length.to_be_bytes());
    let checksum = checksum(&record[..20], &record[HEAD..]);
    record[20..HEAD].copy_from_slice(&checksum.to_be_bytes());
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

/// What the whole records at the start of a log say, and how far they reach.
fn read(content: &[u8], generation: Generation) -> Result<(Batch, usize), Damaged> {
    let (mut batch, mut end) = (Batch::new(), 0);
    while let Some(payload) = payload(&content[end..], generation) {
        if operations(payload, &mut batch).is_none() {
            return Err(Damaged { at: end });
        }
        end += HEAD + payload.len();
    }
    // Each record is on the disk before the next one is begun. So a crash leaves none behind one that is not whole.
    let mut rest = content[end..].windows(16);
    let is_followed = rest.by_ref().enumerate().any(|(offset, window)| {
        window == generation.0 && payload(&content[end + offset..], generation).is_some()
    });
    match is_followed {
        true => Err(Damaged { at: end }),
        false => Ok((batch, end)),
    }
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

/// Adds what a payload says to a batch. None where it says nothing that makes sense.
fn operations(mut payload: &[u8], batch: &mut Batch) -> Option<()> {
    while let Some((kind, rest)) = payload.split_first() {
        payload = rest;
        let key = take(&mut payload)?;
        match kind {
            1 => batch.put(key, take(&mut payload)?),
            0 => batch.delete(key),
            _ => return None,
        }
    }
    Some(())
}

/// Takes bytes with their length before them.
fn take(payload: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = payload.split_at_checked(4)?;
    let (bytes, rest) = rest.split_at_checked(number(length)?)?;
    *payload = rest;
    Some(bytes.to_vec())
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
        let (mut content, mut record, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for number in numbers {
            write(&mut record, &batch(*number), GENERATION);
            content.extend(&record);
            ends.push(content.len());
        }
        (content, ends)
    }

    fn batches(numbers: &[u8]) -> Batch {
        let mut all = Batch::new();
        numbers.iter().for_each(|number| all.append(batch(*number)));
        all
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
            let expected = (batches(&[3, 0, 200][..whole]), end);
            assert_eq!(read(&cut, GENERATION), Ok(expected), "{length} bytes");
        }
    }

    #[test]
    fn another_generation_says_nothing() {
        let (content, _) = log(&[1, 2]);
        let other = Generation([8; 16]);
        assert_eq!(read(&content, other), Ok((Batch::new(), 0)));
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
            prop_assert_eq!(read(&content, GENERATION), Ok((Batch::new(), 0)));
            let mut batch = Batch::new();
            let _ = operations(&content, &mut batch);
        }
    }
}
