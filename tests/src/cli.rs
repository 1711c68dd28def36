//! One run of the binary's command line.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use crate::{environment, paths, threads};

/// How long a command may take before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Ran {
    /// Expects an exit code.
    ///
    /// # Panics
    ///
    /// When it ended with another, showing both outputs.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "no JSON on stdout: {error}\nstdout:\n{}\nstderr:\n{}",
                self.stdout, self.stderr
            )
        })
    }
}

/// Runs `baton` with these arguments in the repository's root folder, without a terminal.
///
/// # Panics
///
/// When it cannot be started; when it takes longer than two minutes, with what it has printed by then and what its threads
/// are at.
pub async fn baton<A: AsRef<OsStr>>(arguments: &[A]) -> Ran {
    finish(&mut Command::new(paths::baton()), arguments).await
}

/// The same by way of another program, which is given the command line of `baton` as its last arguments.
///
/// # Panics
///
/// As [`baton`].
pub async fn under<A: AsRef<OsStr>>(program: &[&str], arguments: &[A]) -> Ran {
    finish(
        Command::new(program[0])
            .args(&program[1..])
            .arg(paths::baton()),
        arguments,
    )
    .await
}

async fn finish<A: AsRef<OsStr>>(command: &mut Command, arguments: &[A]) -> Ran {
    environment::prepare(command);
    command.args(arguments).current_dir(paths::repository());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().expect("the binary starts");
    let id = child.id().unwrap_or_default();
    let mut stdout = child.stdout.take().expect("it is piped");
    let mut stderr = child.stderr.take().expect("it is piped");
    let (mut result, mut told) = (Vec::new(), Vec::new());
    let ended = tokio::time::timeout(PATIENCE, async {
        tokio::try_join!(
            child.wait(),
            stdout.read_to_end(&mut result),
            stderr.read_to_end(&mut told),
        )
    });
    let ended = ended.await;
    let [stdout, stderr] = [result, told].map(|it| String::from_utf8_lossy(&it).into_owned());
    let Ok(ended) = ended else {
        let threads = threads::of(id);
        panic!(
            "`baton` did not end within {PATIENCE:?}\nits threads:\n{threads}stdout:\n{stdout}\nstderr:\n{stderr}"
        );
    };
    let (status, ..) = ended.expect("it can be waited for");
    Ran {
        code: status.code(),
        stdout,
        stderr,
    }
}
