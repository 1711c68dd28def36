//! A process that was started here and is stopped here.

use std::fs;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::environment;

/// A running process with its output. It is killed when this value is dropped, and by the kernel when the
/// test process dies before that.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: Arc<Mutex<String>>,
}

impl Process {
    /// Starts a program with the given arguments and additional environment variables.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start<A: AsRef<std::ffi::OsStr>>(
        program: &Path,
        arguments: &[A],
        variables: &[(&str, &str)],
    ) -> Self {
        let name = program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut command = bound_to_this_process(program);
        environment::prepare(&mut command);
        command.args(arguments).envs(variables.iter().copied());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let output = Arc::default();
        collect(
            child.stdout.take().expect("stdout is piped"),
            Arc::clone(&output),
        );
        collect(
            child.stderr.take().expect("stderr is piped"),
            Arc::clone(&output),
        );
        Self {
            name,
            child,
            output,
        }
    }

    /// What it has written so far, both streams in the order of arrival.
    pub fn output(&self) -> String {
        self.output
            .lock()
            .expect("no holder of this lock panics")
            .clone()
    }

    /// The exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child
            .try_wait()
            .expect("the child is ours to wait for")
    }

    /// Its process id.
    ///
    /// # Panics
    ///
    /// When it has ended.
    pub fn id(&self) -> u32 {
        self.child
            .id()
            .unwrap_or_else(|| panic!("{} has ended; it said:\n{}", self.name, self.output()))
    }

    /// SIGKILL: no chance to finish anything. Returns when the process is gone.
    pub async fn kill9(&mut self) {
        self.child
            .kill()
            .await
            .expect("a child of ours can be killed");
    }

    /// SIGTERM, and waits for the end.
    pub async fn terminate(&mut self) -> ExitStatus {
        kill_process(self.pid(), Signal::TERM).expect("a child of ours can be signalled");
        self.child
            .wait()
            .await
            .expect("the child is ours to wait for")
    }

    /// Lets it write files up to this size only, in bytes; any size with none. It must have been started with
    /// SIGXFSZ ignored, so that a larger one is an error of the write, as on a full disk.
    pub fn limit_file_size(&self, bytes: Option<u64>) {
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(Some(self.pid()), Resource::Fsize, limit).expect("a child of ours can be limited");
    }

    /// The most memory that it has had in use so far, in bytes (`VmHWM`).
    pub fn peak_memory(&self) -> u64 {
        self.status_kib("VmHWM:") * 1024
    }

    /// The memory that it has in use now, in bytes (`VmRSS`).
    pub fn memory(&self) -> u64 {
        self.status_kib("VmRSS:") * 1024
    }

    /// The processor time that it has used so far, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        /// The kernel counts in ticks of 10 ms (`USER_HZ`, proc(5)).
        const TICKS_A_SECOND: f64 = 100.0;
        let stat = self.proc("stat");
        // The name in parentheses may have spaces; the fields after it are counted from the third on.
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let ticks: f64 = fields[11..13]
            .iter()
            .map(|field| field.parse::<f64>().expect("proc(5): a number"))
            .sum();
        ticks / TICKS_A_SECOND
    }

    /// The nicenesses of its threads that have this name, as long as the system keeps names: 15 bytes (Linux only).
    pub fn nicenesses(&self, thread: &str) -> Vec<i32> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.id()));
        let threads = threads.expect("the process is running, on Linux");
        let of_thread = |id: &str| {
            // One that has just ended has none.
            let stat = fs::read_to_string(format!("/proc/{}/task/{id}/stat", self.id())).ok()?;
            let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
            // The fields after the name are counted from the third on, and the niceness is the 19th (proc(5)).
            let niceness = rest.split_whitespace().nth(16)?.parse().ok()?;
            (name == thread).then_some(niceness)
        };
        let ids = threads.flatten().map(|it| it.file_name());
        ids.filter_map(|id| of_thread(id.to_str()?)).collect()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.id().cast_signed()).expect("a process id is not zero")
    }

    fn status_kib(&self, key: &str) -> u64 {
        let status = self.proc("status");
        let line = status
            .lines()
            .find(|line| line.starts_with(key))
            .expect("proc(5): the key is there");
        line[key.len()..]
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .expect("proc(5): a number of kB")
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.id()))
            .expect("the process is running, on Linux")
    }
}

/// A command whose process gets SIGKILL when the thread that starts it ends: `setpriv` (util-linux) sets
/// that up and becomes the program, so that the process id is the program's own. Elsewhere than on
/// Linux the process is stopped only when its [`Process`] is dropped.
fn bound_to_this_process(program: &Path) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    if !setpriv.is_file() {
        return Command::new(program);
    }
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

fn collect(stream: impl AsyncRead + Unpin + Send + 'static, into: Arc<Mutex<String>>) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut all = into.lock().expect("no holder of this lock panics");
            all.push_str(&line);
            all.push('\n');
        }
    });
}
