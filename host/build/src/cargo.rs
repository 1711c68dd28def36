//! Running cargo on a connector's crate.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;

use crate::Toolchain;
use crate::toolchain::command;

/// Why cargo gave no WebAssembly.
#[derive(Debug, thiserror::Error)]
pub enum CargoError {
    /// The command could not be started.
    #[error("cannot run `{program}`")]
    Start {
        /// The command.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The crate does not compile. The compiler's messages are on standard error.
    #[error("the connector in {0} does not compile: see the compiler's messages above")]
    Failed(PathBuf),
    /// The crate compiles, and is no `cdylib`.
    #[error(
        "the crate in {0} builds no WebAssembly library: it needs\n\
         \u{20} [lib]\n\
         \u{20} crate-type = [\"cdylib\"]\n\
         in its Cargo.toml"
    )]
    NoLibrary(PathBuf),
}

/// What cargo built.
pub(crate) struct Artifact {
    /// The name of the package.
    pub(crate) package: String,
    /// A component, or a core module with the component's types in a section.
    pub(crate) wasm: PathBuf,
}

/// How much of an instance's memory is for its stack, in bytes. The stack stands first, at the bottom
/// of the memory, so that overflowing it is a trap and never a write into something else.
const STACK_BYTES: u32 = 1024 * 1024;

/// Builds the library of the crate in `crate_dir`, optimised.
pub(crate) fn build(
    crate_dir: &Path,
    toolchain: &Toolchain,
    target_dir: Option<&Path>,
    locked: bool,
) -> Result<Artifact, CargoError> {
    let mut cargo = command(crate_dir, toolchain.cargo());
    cargo
        .args([
            "build",
            "--release",
            "--lib",
            "--message-format=json-render-diagnostics",
        ])
        .args(["--target", toolchain.target()])
        .env("RUSTC", toolchain.rustc())
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            flags(crate_dir, toolchain).join("\u{1f}"),
        )
        .stdout(Stdio::piped());
    if locked {
        cargo.arg("--locked");
    }
    if let Some(target_dir) = target_dir {
        cargo.arg("--target-dir").arg(target_dir);
    } else if let Some(surrounding) = std::env::var_os("CARGO_TARGET_DIR") {
        // A folder below it: under `cargo run` the surrounding build may hold its lock.
        cargo
            .arg("--target-dir")
            .arg(Path::new(&surrounding).join("component"));
    }
    if let Toolchain::BuildStd { linker, .. } = toolchain {
        cargo
            .args(["-Z", "build-std=std,panic_abort"])
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    }

    let output = cargo
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .map_err(|source| CargoError::Start {
            program: toolchain.cargo().to_owned(),
            source,
        })?;
    if !output.status.success() {
        return Err(CargoError::Failed(crate_dir.to_owned()));
    }
    artifact(crate_dir, &output.stdout).ok_or_else(|| CargoError::NoLibrary(crate_dir.to_owned()))
}

/// Flags that keep the machine's paths out of the outcome, and the stack where it belongs.
fn flags(crate_dir: &Path, toolchain: &Toolchain) -> Vec<String> {
    let mut flags = vec![
        "-Clink-arg=--stack-first".to_owned(),
        format!("-Clink-arg=-zstack-size={STACK_BYTES}"),
    ];
    if matches!(toolchain, Toolchain::BuildStd { .. }) {
        // `getrandom` knows no source of random numbers on `wasm32-unknown-unknown`. With this, a crate that
        // gets it by way of another says itself where they come from: from `wasi:random`.
        flags.push("--cfg=getrandom_backend=\"custom\"".to_owned());
    }
    // The compiler takes the last one that fits: what is nearer to the root comes first.
    let mut renamed: Vec<(PathBuf, &str)> = Vec::new();
    if let Some(home) = cargo_home() {
        renamed.push((home.clone(), "cargo"));
        renamed.push((home.join("git/checkouts"), "crates"));
        let registries = std::fs::read_dir(home.join("registry/src"));
        for registry in registries.into_iter().flatten().filter_map(Result::ok) {
            renamed.push((registry.path(), "crates"));
        }
    }
    if let Some(source) = toolchain.source_of_std(crate_dir) {
        renamed.push((source.join("library"), "std"));
        renamed.push((source, "rust"));
    }
    // The same flags for all crates of a workspace: cargo builds anew when flags change.
    renamed.push((workspace(crate_dir, toolchain), "."));
    for (path, name) in renamed {
        let real = std::fs::canonicalize(&path)
            .ok()
            .filter(|real| *real != path);
        for path in [Some(path), real].into_iter().flatten() {
            flags.push(format!("--remap-path-prefix={}={name}", path.display()));
        }
    }
    flags
}

/// Where cargo keeps the sources of crates.
fn cargo_home() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
}

/// The folder of the workspace that the crate belongs to, or its own.
fn workspace(crate_dir: &Path, toolchain: &Toolchain) -> PathBuf {
    let output = command(crate_dir, toolchain.cargo())
        .args(["locate-project", "--workspace", "--message-format=plain"])
        .stderr(Stdio::null())
        .output();
    let manifest = output
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    manifest
        .and_then(|manifest| Path::new(manifest.trim_end()).parent().map(Path::to_owned))
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| crate_dir.to_owned())
}

/// The last library for WebAssembly in cargo's messages that belongs to the crate.
fn artifact(crate_dir: &Path, messages: &[u8]) -> Option<Artifact> {
    #[derive(Deserialize)]
    struct Message {
        reason: String,
        manifest_path: Option<PathBuf>,
        target: Option<Target>,
        #[serde(default)]
        filenames: Vec<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }

    let manifest = std::fs::canonicalize(crate_dir.join("Cargo.toml")).ok()?;
    let messages = messages.split(|byte| *byte == b'\n');
    messages
        .filter_map(|line| serde_json::from_slice::<Message>(line).ok())
        .filter(|message| message.reason == "compiler-artifact")
        .filter(|message| {
            let path = message.manifest_path.as_ref();
            path.and_then(|path| std::fs::canonicalize(path).ok())
                .as_ref()
                == Some(&manifest)
        })
        .filter_map(|message| {
            let is_wasm = |file: &PathBuf| file.extension().is_some_and(|end| end == "wasm");
            let wasm = message.filenames.into_iter().find(is_wasm)?;
            Some(Artifact {
                package: message.target?.name.replace('_', "-"),
                wasm,
            })
        })
        .next_back()
}
