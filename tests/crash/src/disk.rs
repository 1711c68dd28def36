//! A filesystem of its own for a host, in memory, that can be made as small as what is on it and large again: a disk that
//! is full. It is mounted in a namespace of its own (user_namespaces(7)), which needs no rights where the system lets
//! anybody have one.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Mounts it, says so, and keeps the namespace until standard input ends.
const MOUNT: &str = r#"mount -t tmpfs -o size=4g tmpfs "$0" && echo mounted && exec cat"#;

/// Makes it as small as what is on it, and a little larger each time that this is refused, since more has come between the
/// look and the change.
const SHRINK: &str = r#"
room=16
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
    used=$(df -k --output=used "$0" | tail -n 1)
    mount -o "remount,size=$((used + room))k" "$0" && exit
    room=$((room * 2))
done
exit 1"#;

/// Makes it large again.
const GROW: &str = r#"mount -o remount,size=4g "$0""#;

/// The filesystem. It is there for as long as this is, and for programs that are started by way of
/// [`Disk::program`].
#[derive(Debug)]
pub struct Disk {
    folder: TempDir,
    keeper: Child,
}

impl Disk {
    /// Mounts one.
    ///
    /// # Errors
    ///
    /// What was said where the system does not let us.
    ///
    /// # Panics
    ///
    /// When no temporary directory can be made.
    pub fn mount() -> Result<Self, String> {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let mut keeper = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let mut said = String::new();
        let output = keeper.stdout.take().expect("it is a pipe");
        let read = BufReader::new(output).read_line(&mut said);
        if read.is_ok() && said == "mounted\n" {
            return Ok(Self { folder, keeper });
        }
        let ended = keeper.wait_with_output().map_err(|it| it.to_string())?;
        Err(String::from_utf8_lossy(&ended.stderr).trim().to_owned())
    }

    /// Where it is mounted. Others than the programs that are started by way of [`Disk::program`] see an empty
    /// directory there.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program, and its arguments, by which another one is started that sees the filesystem.
    pub fn program(&self) -> Vec<String> {
        let namespace = format!("--target={}", self.keeper.id());
        ["nsenter", "--user", "--mount", "--preserve-credentials"]
            .map(str::to_owned)
            .into_iter()
            .chain([namespace, "--".to_owned()])
            .collect()
    }

    /// Leaves no room on it.
    ///
    /// # Panics
    ///
    /// When it can't be made smaller.
    pub fn shrink(&self) {
        self.run(SHRINK);
    }

    /// Leaves as much room on it as anybody needs.
    ///
    /// # Panics
    ///
    /// When it can't be made larger.
    pub fn grow(&self) {
        self.run(GROW);
    }

    fn run(&self, script: &str) {
        let program = self.program();
        let ended = Command::new(&program[0])
            .args(&program[1..])
            .args(["sh", "-c", script])
            .arg(self.path())
            .output()
            .expect("the program that has mounted it is there");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "the disk can't be changed: {said}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Its standard input ends with it, and that would end it as well; this way nothing of it is left behind.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
