//! Files, beyond what the standard library does.

use std::fs::File;
use std::io::{ErrorKind, Result};
use std::ops::Range;

/// Has some bytes of a file that have been written go to its disk, and waits until they are there. They are durable only once
/// the file has been synced: the disk may still have them in a memory of its own. What it would be to write then is done
/// already. Elsewhere than on Linux, and where a file system can't do it, nothing happens.
///
/// # Errors
///
/// Where they can't be written. As after a sync that fails, what the file holds there is not known then
/// (sync_file_range(2)).
pub fn write_out(file: &File, bytes: Range<u64>) -> Result<()> {
    match sync_file_range(file, bytes) {
        Err(error) if is_unsupported(&error) => Ok(()),
        done => done,
    }
}

fn is_unsupported(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unsupported | ErrorKind::InvalidInput | ErrorKind::NotSeekable
    )
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no library in the tree has this call")]
fn sync_file_range(file: &File, bytes: Range<u64>) -> Result<()> {
    use std::os::fd::AsRawFd as _;

    let offset = |at: u64| i64::try_from(at).map_err(|_| ErrorKind::InvalidInput);
    let (start, end) = (offset(bytes.start)?, offset(bytes.end)?);
    // Of none, the call takes all to be meant.
    if start >= end {
        return Ok(());
    }
    let all = libc::SYNC_FILE_RANGE_WAIT_BEFORE
        | libc::SYNC_FILE_RANGE_WRITE
        | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    // SAFETY: it has the numbers of an open file and of bytes, and changes nothing in memory.
    match unsafe { libc::sync_file_range(file.as_raw_fd(), start, end - start, all) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

#[cfg(not(target_os = "linux"))]
fn sync_file_range(_file: &File, _bytes: Range<u64>) -> Result<()> {
    Err(ErrorKind::Unsupported.into())
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write as _;
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn where_it_can_not_be_done_nothing_happens() {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        writer.write_all(b"some").expect("it has room");
        write_out(&File::from(OwnedFd::from(reader)), 0..4).expect("nothing happens");
    }
}
