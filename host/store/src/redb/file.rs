//! Files: made for their user alone, and what the system says against it.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::OpenError;

pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// How to open a file for writing that, where it is made, is made for its user alone.
pub(super) fn private() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the names in a file's directory durable, where the system knows such a thing.
pub(super) fn sync_directory(file: &Path) -> io::Result<()> {
    match file.parent() {
        #[cfg(unix)]
        Some(directory) => fs::File::open(directory)?.sync_all(),
        _ => Ok(()),
    }
}

/// Makes an empty file where there is none. redb takes an empty file for a new one, but would make it
/// readable for others.
pub(super) fn make_file(path: &Path) -> io::Result<()> {
    match private().create_new(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Has what is read next of the file come from the medium. Linux takes pages that it has once failed to write for written:
/// they stay in its memory, look as if they were stored, and are lost with the power (Rebello and others, Can Applications
/// Recover from fsync Failures?, USENIX ATC 2020).
pub(super) fn forget_pages(path: &Path) -> io::Result<()> {
    let file = fs::OpenOptions::new().write(true).open(path)?;
    // What waits to be written can't be forgotten. Where it can't be written either, it can.
    let _ = file.sync_data();
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

pub(super) fn io_error(path: &Path, source: io::Error) -> OpenError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            OpenError::ReadOnly { path, source }
        }
        _ if is_full(&source) => OpenError::Full { path, source },
        _ => OpenError::Io { path, source },
    }
}

/// Whether there is no room: on the disk, in the quota, or within the process's limit for a file.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
