//! What a host under test finds in its environment.

use std::path::PathBuf;

use tokio::process::Command;

/// Takes every setting of a host out of a command's environment, so that the user's own do not change what
/// is tested, but for one: all hosts of a test run share compiled connectors, since compiling them takes
/// longer than the tests.
pub(crate) fn prepare(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BATON_") {
            command.env_remove(name);
        }
    }
    command.env("BATON_CACHE", compiled());
}

/// Beside the build output, which is thrown away with it.
fn compiled() -> PathBuf {
    let this = std::env::current_exe().expect("a process knows its own executable");
    let folder = this
        .ancestors()
        .find(|folder| folder.ends_with("debug") || folder.ends_with("release"));
    folder
        .map_or_else(std::env::temp_dir, PathBuf::from)
        .join("baton-compiled")
}
