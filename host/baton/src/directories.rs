//! Where files go that the user gave no place for (XDG Base Directory Specification 0.8).

use std::path::PathBuf;

use crate::failure::Failure;

/// The data directory of `baton dev`: `$XDG_STATE_HOME/baton/dev`, by default `~/.local/state/baton/dev`.
///
/// Of the user rather than of the current directory, so that a host finds its runs again from wherever it
/// is started, and leaves nothing behind in the folders of others.
///
/// # Errors
///
/// There is no home directory.
pub(crate) fn dev_data() -> Result<PathBuf, Failure> {
    base("XDG_STATE_HOME", ".local/state")
        .map(|base| base.join("baton/dev"))
        .ok_or_else(|| {
            Failure::invalid("there is no home directory to keep the data in")
                .help("name a directory: --data DIR")
        })
}

/// The directory of compiled connectors for hosts that have no data directory of their own:
/// `$XDG_CACHE_HOME/baton/compiled`, by default `~/.cache/baton/compiled`. None where there is no home.
pub(crate) fn compiled() -> Option<PathBuf> {
    base("XDG_CACHE_HOME", ".cache").map(|base| base.join("baton/compiled"))
}

/// The directory that a variable names, if it is an absolute path, or else the one below home.
fn base(variable: &str, below_home: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    named.or_else(|| {
        std::env::home_dir()
            .filter(|home| home.is_absolute())
            .map(|home| home.join(below_home))
    })
}
