//! A stand-in for the command line of a container engine.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

/// A program named `docker` in a folder of its own. It stands for the contract of the command line: it takes the
/// arguments of `docker run`, writes each invocation down, and runs on the machine itself what is to be run in the
/// container. There is no image: `hello-world` says hello, and any other has the machine's programs.
#[derive(Debug)]
pub struct Docker {
    folder: TempDir,
}

/// The program. What it is asked stands in `asked` beside it, an argument a line.
const PROGRAM: &str = r#"#!/bin/sh
folder=$(dirname "$0")
for it in "$@"; do echo "$it"; done > "$folder/asked.$1"
[ "$1" = run ] || exit 0
entrypoint=
while [ "$1" != -- ]; do
  case $1 in
    --entrypoint=*) entrypoint=${1#--entrypoint=} ;;
    --env=*) export "${1#--env=}" ;;
  esac
  shift
done
image=$2
shift 2
[ "$image" != hello-world ] || exec echo 'Hello from Docker!'
exec $entrypoint "$@"
"#;

impl Docker {
    /// Puts it into a new folder.
    ///
    /// # Panics
    ///
    /// Where none can be made.
    #[allow(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let program = folder.path().join("docker");
        std::fs::write(&program, PROGRAM).expect("a new file can be written");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, executable).expect("its owner may say who runs it");
        Self { folder }
    }

    /// The folders to look programs up in, with `:` between them: its own goes first.
    pub fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.folder.path().display())
    }

    /// The arguments of the last invocation of a command, `run` and the like, itself included.
    ///
    /// # Panics
    ///
    /// Where there was none.
    pub fn asked(&self, command: &str) -> Vec<String> {
        let file = self.folder.path().join(format!("asked.{command}"));
        lines(&file)
    }
}

fn lines(file: &Path) -> Vec<String> {
    let text =
        std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.lines().map(str::to_owned).collect()
}
