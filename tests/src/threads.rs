//! What the threads of a process are at, for a test that has waited for it in vain.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A line for each thread: its name, its state and what it waits for in the kernel (`proc_pid_stat(5)`,
/// `proc_pid_wchan(5)`). Nothing where the system does not tell.
pub(crate) fn of(process: u32) -> String {
    let mut lines = String::new();
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    for task in tasks.into_iter().flatten().flatten() {
        let [name, stat, waits_for] = ["comm", "stat", "wchan"].map(|it| read(&task.path(), it));
        // Behind its name, which may have anything in it.
        let state = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().next());
        let _ = writeln!(lines, "  {name}: {}, {waits_for}", state.unwrap_or("?"));
    }
    lines
}

fn read(task: &Path, what: &str) -> String {
    let text = fs::read_to_string(task.join(what)).unwrap_or_default();
    text.trim().to_owned()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn each_thread_has_a_line() {
        let threads = super::of(std::process::id());
        let this = std::fs::read_to_string("/proc/thread-self/comm").expect("it has a name");
        let line = format!("  {}: R, ", this.trim());
        assert!(threads.lines().any(|it| it.starts_with(&line)), "{threads}");
    }
}
