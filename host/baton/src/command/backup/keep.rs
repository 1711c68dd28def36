//! Keeping a backup: it is read as whoever restores it will read it, and what was read is kept.

use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use baton_store::backup::{BackupError, BackupHeader, BackupReader, Contents};
use tempfile::NamedTempFile;

use super::source::Parts;
use crate::failure::Failure;

/// How many bytes are written at a time.
const BUFFER: usize = 256 << 10;

/// Where a backup is kept.
pub(super) enum Target {
    /// Standard output.
    Stdout,
    /// A file. It is written beside its place, and put there when it is whole.
    File(PathBuf, NamedTempFile),
}

impl Target {
    /// What was asked for; by default a file in the current directory, with the time in its name.
    ///
    /// # Errors
    ///
    /// It is a terminal, or there is no room for a file.
    pub(super) fn of(to: Option<PathBuf>) -> Result<Self, Failure> {
        let path = match to {
            Some(path) if path == Path::new("-") => return Self::stdout(),
            Some(path) => path,
            None => {
                let now = jiff::Timestamp::now();
                PathBuf::from(format!("baton-{}.backup", now.strftime("%Y%m%dT%H%M%SZ")))
            }
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        // For its user alone, as the store is.
        let file = tempfile::Builder::new()
            .prefix(".baton-")
            .suffix(".backup")
            .tempfile_in(folder)
            .map_err(|error| cannot_write(&path, &error))?;
        Ok(Self::File(path, file))
    }

    fn stdout() -> Result<Self, Failure> {
        if io::stdout().is_terminal() {
            let failure = Failure::invalid("a backup is nothing for a terminal");
            return Err(failure.help("send it to a file, `--to FILE`, or to another program"));
        }
        Ok(Self::Stdout)
    }
}

/// Keeps a backup, if it is one and whole: where, what it says about itself, and what it holds.
pub(super) fn keep(
    parts: Parts,
    target: Target,
) -> Result<(Option<PathBuf>, BackupHeader, Contents), Failure> {
    match target {
        Target::Stdout => {
            let (header, contents) = copy(parts, &mut io::stdout().lock(), Path::new("<stdout>"))?;
            Ok((None, header, contents))
        }
        Target::File(path, mut file) => {
            let (header, contents) = copy(parts, &mut file, &path)?;
            let in_place = || {
                file.as_file().sync_all()?;
                file.persist(&path).map_err(|error| error.error)
            };
            in_place().map_err(|error| cannot_write(&path, &error))?;
            Ok((Some(path), header, contents))
        }
    }
}

/// Writes what is read, and reads it to its end.
fn copy(
    parts: Parts,
    to: &mut impl Write,
    path: &Path,
) -> Result<(BackupHeader, Contents), Failure> {
    let mut tee = Tee {
        from: parts,
        to,
        failed: None,
    };
    let read = read(BufReader::with_capacity(BUFFER, &mut tee));
    match (tee.failed, read) {
        (Some(error), _) => Err(cannot_write(path, &error)),
        (None, Err(error)) => Err(Failure::of(&error)),
        (None, Ok(read)) => match to.flush() {
            Ok(()) => Ok(read),
            Err(error) => Err(cannot_write(path, &error)),
        },
    }
}

fn read(source: impl Read) -> Result<(BackupHeader, Contents), BackupError> {
    let mut backup = BackupReader::open(source)?;
    while backup.next_pair()?.is_some() {}
    Ok((backup.header().clone(), backup.contents()))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write the backup to {}", path.display())).because(error)
}

/// Writes all that is read through it.
struct Tee<'w, R, W> {
    from: R,
    to: &'w mut W,
    /// Why it can't be written.
    failed: Option<io::Error>,
}

impl<R: Read, W: Write> Read for Tee<'_, R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.from.read(buffer)?;
        if let Err(error) = self.to.write_all(&buffer[..length]) {
            let kind = error.kind();
            self.failed = Some(error);
            return Err(kind.into());
        }
        Ok(length)
    }
}
