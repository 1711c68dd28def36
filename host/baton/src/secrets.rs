//! The master keys that a host seals secrets under: where they come from.

use std::io::Write;
use std::path::Path;

use baton_engine::MasterKeys;

use crate::failure::Failure;

/// The file of the key that `baton dev` makes, in its data directory.
const FILE_NAME: &str = "secrets.key";

/// The keys that the settings name: from a file, or else as text from the environment.
///
/// # Errors
///
/// The file can't be read, or there is no key in it.
pub(crate) fn keys(file: Option<&Path>, text: Option<&str>) -> Result<Option<MasterKeys>, Failure> {
    match (file, text) {
        (Some(file), _) => read(file).map(Some),
        (None, Some(text)) => parse("BATON_SECRETS_KEY", text).map(Some),
        (None, None) => Ok(None),
    }
}

/// Keys as text, where the environment has them: `BATON_SECRETS_KEY`. It is no flag, since those can be seen by
/// everybody on the machine.
pub(crate) fn from_environment() -> Option<String> {
    std::env::var("BATON_SECRETS_KEY").ok()
}

/// The key in a data directory, made where there is none.
///
/// # Errors
///
/// It can't be read or made.
pub(crate) fn own_key(data: &Path) -> Result<MasterKeys, Failure> {
    let file = data.join(FILE_NAME);
    if let Some(keys) = kept_key(data)? {
        return Ok(keys);
    }
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot make the key of secrets {}", file.display())).because(&error)
    };
    let text = MasterKeys::text_of(rand::random());
    std::fs::create_dir_all(data).map_err(failed)?;
    // Only its user may read it, from the first moment on, and nobody finds half of it under its name.
    let mut made = tempfile::NamedTempFile::new_in(data).map_err(failed)?;
    writeln!(made, "{}", text.as_str()).map_err(failed)?;
    made.as_file().sync_all().map_err(failed)?;
    match made.persist_noclobber(&file) {
        Ok(_) => {}
        // Another process has made one meanwhile.
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            return read(&file);
        }
        Err(error) => return Err(failed(error.error)),
    }
    // What is sealed under a key must not outlive it.
    #[cfg(unix)]
    std::fs::File::open(data)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    parse(&file.display().to_string(), &text)
}

/// The key in a data directory, where there is one.
///
/// # Errors
///
/// It can't be read.
pub(crate) fn kept_key(data: &Path) -> Result<Option<MasterKeys>, Failure> {
    let file = data.join(FILE_NAME);
    match file.exists() {
        true => read(&file).map(Some),
        false => Ok(None),
    }
}

fn read(file: &Path) -> Result<MasterKeys, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::invalid(format!("cannot read the key of secrets {}", file.display()))
            .because(&error)
    })?;
    parse(&file.display().to_string(), &text)
}

fn parse(origin: &str, text: &str) -> Result<MasterKeys, Failure> {
    MasterKeys::parse(text).map_err(|error| {
        Failure::invalid(format!("{origin} holds no key of secrets")).because(&error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_user_alone() {
        let data = tempfile::tempdir().expect("a directory");
        assert!(kept_key(data.path()).expect("read").is_none());
        own_key(data.path()).expect("made");
        let file = data.path().join(FILE_NAME);
        let first = std::fs::read_to_string(&file).expect("a key");
        own_key(data.path()).expect("read");
        assert_eq!(std::fs::read_to_string(&file).expect("a key"), first);
        let files = std::fs::read_dir(data.path()).expect("a directory");
        assert_eq!(files.count(), 1, "nothing is left of making it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&file)
                .expect("there")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
