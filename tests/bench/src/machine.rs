//! The machine that was measured on, and the binary that was measured.

use std::fs;
use std::process::{Command, Stdio};

use baton_tests::paths;
use serde_json::{Value, json};

/// Builds the host with the profile of this program, when cargo started it; otherwise the one beside it is
/// taken as it is.
pub(crate) fn build() -> Result<(), String> {
    let Some(cargo) = std::env::var_os("CARGO") else {
        return Ok(());
    };
    if std::env::var_os("BATON_BIN").is_some() {
        return Ok(());
    }
    let mut command = Command::new(cargo);
    command
        .args(["build", "--quiet", "--package", "baton"])
        .current_dir(paths::repository())
        .stdout(Stdio::null());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let status = command
        .status()
        .map_err(|error| format!("cannot start cargo to build the host: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err("the host could not be built".to_owned())
    }
}

/// Processors, memory and system, as far as they are known.
pub(crate) fn describe() -> Value {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let field = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        line.split_once(':')
            .map(|(_, value)| value.trim().to_owned())
    };
    json!({
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "processor": field(&cpu, "model name"),
        "memory": field(&memory, "MemTotal"),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        "optimised": !cfg!(debug_assertions),
    })
}
