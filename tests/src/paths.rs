//! Where things are: the repository, the binary under test, the servers, the specification.

use std::path::{Path, PathBuf};

/// The repository's root folder.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("the crate is in the folder tests/")
        .to_owned()
}

/// A file of the repository, by its path from the root.
pub fn file(path: &str) -> PathBuf {
    repository().join(path)
}

/// The host's binary: `BATON_BIN`, or the one that was built beside this test.
///
/// # Panics
///
/// When there is none; the message says how to build it.
pub fn baton() -> PathBuf {
    if let Some(path) = std::env::var_os("BATON_BIN") {
        return path.into();
    }
    let this = std::env::current_exe().expect("a process knows its own executable");
    // target/debug/deps/suite-0123 for a test, target/release/baton-bench for the load generator.
    let beside = this
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("baton"));
    beside.clone().find(|path| path.is_file()).unwrap_or_else(|| {
        panic!(
            "the host's binary is in none of {:?}: build it with `cargo build --workspace --all-targets`, \
             or let `bash tests/run` do so, or name it in BATON_BIN",
            beside.collect::<Vec<_>>()
        )
    })
}

/// The folder of the specification: `BATON_SPEC`, or `../shared/spec` beside the repository; none when it
/// is not there.
pub fn specification() -> Option<PathBuf> {
    let folder = std::env::var_os("BATON_SPEC")
        .map_or_else(|| repository().join("../shared/spec"), PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// A tool that `tests/run` installs: the path in `variable`, or its place in the cache.
///
/// # Panics
///
/// When it is not there; the message says what to do.
pub(crate) fn installed(variable: &str, place: &str) -> PathBuf {
    let path = std::env::var_os(variable).map_or_else(|| cache().join(place), PathBuf::from);
    assert!(
        path.is_file(),
        "{} is not installed: run `bash tests/run` once, which installs it, or name it in {variable}",
        path.display()
    );
    path
}

/// Node.js, as the search path has it.
///
/// # Panics
///
/// When it is not installed.
pub fn node() -> PathBuf {
    program("BATON_NODE", "node")
}

/// A program that `tests/run` installs for the whole machine: the path in `variable`, or where the search path has
/// it, or where Debian puts servers.
///
/// # Panics
///
/// When it is not there; the message says what to do.
pub(crate) fn program(variable: &str, name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return path.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|candidate| Path::is_file(candidate))
        .unwrap_or_else(|| {
            panic!("{name} is not installed: run `bash tests/run` once, which installs it, or name it in {variable}")
        })
}

/// The cache folder that outlasts a checkout; the same rule as in `tests/run`.
fn cache() -> PathBuf {
    let variable = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    variable("BATON_TESTS_CACHE").unwrap_or_else(|| {
        variable("XDG_CACHE_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".cache")))
            .unwrap_or_else(std::env::temp_dir)
            .join("baton")
    })
}
