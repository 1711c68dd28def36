//! The tree's file, which is written so that the log does not wait for it.
//!
//! A checkpoint writes hundreds of pages, here and there in the file. Handed to the disk all at once, as `fdatasync` does it,
//! they hold up what the log writes meanwhile for as long as they all take, which is some milliseconds. So they go there a
//! piece at a time, and each is waited for before the next one: what the log writes is behind one piece at most. That takes
//! the checkpoint longer. Where the log is full meanwhile, so that its writer waits for it, the rest goes at once.

use std::fs::File;
use std::io;
use std::ops::{Bound, Range};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baton_system::file::write_out;
use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};

/// How many bytes a piece has at most. A disk takes some ten microseconds longer for it than for one page.
const PIECE: usize = 64 << 10;

/// The tree's file.
#[derive(Debug)]
pub(super) struct Paced {
    file: FileBackend,
    /// The same file.
    pieces: File,
    /// Where it has been written to since all was durable.
    written: Mutex<Vec<Range<u64>>>,
    /// Whether somebody waits until all is durable.
    hurries: Arc<AtomicBool>,
}

impl Paced {
    pub(super) fn new(file: File, hurries: Arc<AtomicBool>) -> Result<Self, DatabaseError> {
        let pieces = file.try_clone().map_err(redb::StorageError::Io)?;
        Ok(Self {
            file: FileBackend::new(file)?,
            pieces,
            written: Mutex::default(),
            hurries,
        })
    }

    fn written(&self) -> MutexGuard<'_, Vec<Range<u64>>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// These ranges in their order, each as long as can be without a gap, in pieces.
fn pieces(mut ranges: Vec<Range<u64>>) -> impl Iterator<Item = Range<u64>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined.into_iter().flat_map(|range| {
        let starts = (range.start..range.end).step_by(PIECE);
        starts.map(move |start| start..range.end.min(start + PIECE as u64))
    })
}

impl StorageBackend for Paced {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let written = std::mem::take(&mut *self.written());
        for piece in pieces(written) {
            if self.hurries.load(Ordering::Relaxed) {
                break;
            }
            write_out(&self.pieces, piece)?;
        }
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)?;
        self.written().push(offset..offset + data.len() as u64);
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_gap_goes_together_and_nothing_long_at_once() {
        const LONG: u64 = PIECE as u64;
        let written = vec![
            8192..12288,
            0..4096,
            4096..8192,
            // Written twice.
            8192..12288,
            1 << 30..(1 << 30) + 2 * LONG + 1,
        ];
        let far = 1 << 30;
        let expected = [
            0..12288,
            far..far + LONG,
            far + LONG..far + 2 * LONG,
            far + 2 * LONG..far + 2 * LONG + 1,
        ];
        assert_eq!(pieces(written).collect::<Vec<_>>(), expected);
        assert_eq!(pieces(Vec::new()).count(), 0);
    }

    #[test]
    fn nothing_is_left_to_be_written_once_all_is_durable() {
        let (file, hurries) = (tempfile::tempfile(), Arc::<AtomicBool>::default());
        let paced = Paced::new(file.expect("one can be made"), hurries.clone());
        let paced = paced.expect("nobody else has it");
        paced.set_len(8192).expect("there is room");
        for is_awaited in [false, true] {
            hurries.store(is_awaited, Ordering::Relaxed);
            paced.write(4096, &[7; 4096]).expect("there is room");
            paced.sync_data().expect("it can be written");
            assert!(paced.written().is_empty());
        }
        let mut read = [0; 4096];
        paced.read(4096, &mut read).expect("it is there");
        assert_eq!(read, [7; 4096]);
    }
}
