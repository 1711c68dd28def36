//! The supervisor of a process: the whole program of a process of its own.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use rustix::process::{
    Gid, Pid, Resource, Rlimit, Signal, Uid, WaitOptions, getpid, getppid, kill_process,
    kill_process_group, set_child_subreaper, set_parent_process_death_signal, setrlimit, setsid,
    waitpid,
};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::orders::{Orders, of_the_program};

/// How long a process has to clean up after itself, from SIGTERM on.
const GRACE: Duration = Duration::from_secs(2);

/// The exit code of a supervisor that could not do what it was told, as shells have it for a program that
/// could not be started.
const NOT_STARTED: u8 = 126;

/// What signals are added to where an exit code has to stand for one, as shells do.
const SIGNALLED: i32 = 128;

/// Runs a program under the limits that the arguments say, and ends as it ends: with its exit code, or by its
/// signal. Ends it, and all that it has started, on SIGTERM and when the host is gone.
///
/// The arguments are what the host adds to [`super::ProcessRules::supervisor`].
#[must_use]
pub fn supervise(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Some(orders) = Orders::read(arguments) else {
        eprintln!("this command is the host's own, for the processes that it runs");
        return ExitCode::from(NOT_STARTED);
    };
    close_inherited();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime.and_then(|runtime| runtime.block_on(run(&orders))) {
        Ok(status) => end_as(status),
        Err(error) => {
            eprintln!("cannot start {}: {error}", orders.program.display());
            ExitCode::from(NOT_STARTED)
        }
    }
}

/// Closes what this process has inherited besides its three streams: the program that it starts is to have nothing
/// of the host's.
fn close_inherited() {
    let Ok(open) = fs::read_dir("/proc/self/fd") else {
        return;
    };
    let descriptors: Vec<i32> = open
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor > 2)
        .collect();
    for descriptor in descriptors {
        // That of the list itself is closed already.
        let _ = nix::unistd::close(descriptor);
    }
}

async fn run(orders: &Orders) -> io::Result<ExitStatus> {
    let mut terminated = signal(SignalKind::terminate())?;
    // Out of reach of the keyboard that the host is started from, and told when the host is gone.
    let _ = setsid();
    set_parent_process_death_signal(Some(Signal::TERM))?;
    set_child_subreaper(Some(getpid()))?;
    if getppid()
        .map(Pid::as_raw_nonzero)
        .map(|pid| pid.get().unsigned_abs())
        != Some(orders.host)
    {
        return Err(io::Error::other("the host is gone"));
    }
    if orders.user.is_some() {
        // What becomes somebody else does not become more again, by a program that runs as its owner (setuid). The command
        // line of a container engine, which stays who it is, may need such programs.
        nix::sys::prctl::set_no_new_privs()?;
    }
    let folder = Folder::make(orders)?;
    limit(orders)?;
    let mut child = start(orders, &folder.0)?;
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    leave_streams()?;
    let status = tokio::select! {
        status = child.wait() => status,
        _ = terminated.recv() => terminate(&mut child, group).await,
    };
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    end_orphans();
    status
}

/// The folder of a process, removed with all that is in it.
struct Folder(PathBuf);

impl Folder {
    fn make(orders: &Orders) -> io::Result<Self> {
        let path = orders
            .folder
            .join(format!("baton-process-{}", std::process::id()));
        let mut builder = fs::DirBuilder::new();
        // What a supervisor of the same number has left that was killed.
        let _ = fs::remove_dir_all(&path);
        builder.mode(0o700).create(&path)?;
        let folder = Self(path);
        if let Some(user) = orders.user {
            let (uid, gid) = (Uid::from_raw(user.uid()), Gid::from_raw(user.gid()));
            rustix::fs::chown(&folder.0, Some(uid), Some(gid))?;
        }
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Sets the limits on this process, so that what it starts has them from its first moment on.
fn limit(orders: &Orders) -> io::Result<()> {
    let mut limits = vec![
        (Resource::Cpu, orders.cpu),
        (Resource::Core, 0),
        (Resource::Nofile, orders.files),
        (Resource::Fsize, orders.file_size),
    ];
    limits.extend(orders.memory.map(|bytes| (Resource::Data, bytes)));
    // The kernel counts the processes of a user, whoever started them.
    limits.extend(orders.user.map(|_| (Resource::Nproc, orders.processes)));
    for (resource, most) in limits {
        // At its maximum of computing a process is killed: the signal that says why comes a second before.
        let is_cpu = matches!(resource, Resource::Cpu);
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most + u64::from(is_cpu)),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

fn start(orders: &Orders, folder: &Path) -> io::Result<Child> {
    let mut command = Command::new(&orders.program);
    command
        .args(&orders.arguments)
        .env_clear()
        .envs(of_the_program(std::env::vars_os()))
        .env("HOME", folder)
        .current_dir(folder)
        .process_group(0);
    if let Some(user) = orders.user {
        // Further groups are dropped with it.
        command.uid(user.uid()).gid(user.gid());
    }
    command.spawn()
}

/// Lets go of the streams that the program has now, so that they are closed when the program closes them.
fn leave_streams() -> io::Result<()> {
    let nothing = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    rustix::stdio::dup2_stderr(&nothing)?;
    Ok(())
}

/// Asks the program to end, and ends it.
async fn terminate(child: &mut Child, group: Option<Pid>) -> io::Result<ExitStatus> {
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::TERM);
    }
    match tokio::time::timeout(GRACE, child.wait()).await {
        Ok(status) => status,
        Err(_) => {
            if let Some(group) = group {
                let _ = kill_process_group(group, Signal::KILL);
            }
            child.wait().await
        }
    }
}

/// Ends what has left the program's group: without a parent, it has become a child of this process.
fn end_orphans() {
    while let Some(orphans) = children().filter(|orphans| !orphans.is_empty()) {
        for orphan in orphans {
            let _ = kill_process(orphan, Signal::KILL);
            let _ = waitpid(Some(orphan), WaitOptions::empty());
        }
    }
}

/// The children of this process, which has one thread (proc_pid_task(5)).
fn children() -> Option<Vec<Pid>> {
    let id = std::process::id();
    let listed = fs::read_to_string(format!("/proc/self/task/{id}/children")).ok()?;
    let ids = listed.split_whitespace().filter_map(|id| id.parse().ok());
    Some(ids.filter_map(Pid::from_raw).collect())
}

/// Ends this process in the way in which the program has ended.
fn end_as(status: ExitStatus) -> ExitCode {
    if let Some(signal) = status.signal() {
        if let Some(named) = Signal::from_named_raw(signal) {
            let _ = kill_process(getpid(), named);
        }
        // The signal was SIGTERM, which this process listens to.
        return ExitCode::from(u8::try_from(SIGNALLED + signal).unwrap_or(u8::MAX));
    }
    let code = status.code().unwrap_or_default();
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
