//! What can compile to WebAssembly on this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A way to compile a Rust crate to WebAssembly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// A toolchain with the target `wasm32-wasip2`, which makes components by itself.
    Wasip2 {
        /// The command `cargo`.
        cargo: PathBuf,
        /// The command `rustc`.
        rustc: PathBuf,
    },
    /// A toolchain with the source of the standard library, which is built along for
    /// `wasm32-unknown-unknown`.
    BuildStd {
        /// The command `cargo`.
        cargo: PathBuf,
        /// The command `rustc`.
        rustc: PathBuf,
        /// A linker for WebAssembly: `rust-lld`, or LLVM's `wasm-ld`.
        linker: PathBuf,
    },
}

/// This machine has nothing that compiles Rust to WebAssembly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no Rust toolchain here can build WebAssembly components: {missing}\n\
     get one in either of two ways:\n\
     \u{20} with rustup:             rustup target add wasm32-wasip2\n\
     \u{20} with Debian's packages:  apt-get install rustc-web cargo-web rust-web-src lld"
)]
pub struct NoToolchain {
    /// What each toolchain that was looked at lacks.
    missing: String,
}

/// Where commands may be, in the order in which they are tried: first what the user's `PATH` says, then
/// what the distribution has installed beside it.
const CANDIDATES: [(&str, &str); 2] = [("cargo", "rustc"), ("/usr/bin/cargo", "/usr/bin/rustc")];

impl Toolchain {
    /// The first that this machine has, as seen from `folder` (a `rust-toolchain.toml` there counts):
    /// one with `wasm32-wasip2`, or else one with the standard library's source.
    ///
    /// # Errors
    ///
    /// Where there is neither.
    pub fn detect(folder: &Path) -> Result<Self, NoToolchain> {
        for (cargo, rustc) in CANDIDATES {
            if has_target(folder, rustc, "wasm32-wasip2") {
                return Ok(Self::Wasip2 {
                    cargo: cargo.into(),
                    rustc: rustc.into(),
                });
            }
        }
        Self::build_std(folder)
    }

    /// The first that has the standard library's source and a linker. What ships with the host is built
    /// with it, since it leaves components without any import but those that the crate asked for.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn build_std(folder: &Path) -> Result<Self, NoToolchain> {
        let mut missing = Vec::new();
        for (cargo, rustc) in CANDIDATES {
            let Some(sysroot) = sysroot(folder, rustc) else {
                missing.push(format!("there is no `{rustc}`"));
                continue;
            };
            if !source_of_std(&sysroot).join("library/std").is_dir() {
                missing.push(format!(
                    "`{rustc}` has neither the target wasm32-wasip2 nor the standard library's source"
                ));
                continue;
            }
            let Some(linker) = linker(folder, &sysroot) else {
                missing.push(
                    "there is no linker for WebAssembly (`rust-lld` or `wasm-ld`)".to_owned(),
                );
                continue;
            };
            return Ok(Self::BuildStd {
                cargo: cargo.into(),
                rustc: rustc.into(),
                linker,
            });
        }
        missing.dedup();
        Err(NoToolchain {
            missing: missing.join(", and "),
        })
    }

    /// The target that it compiles for.
    pub fn target(&self) -> &'static str {
        match self {
            Self::Wasip2 { .. } => "wasm32-wasip2",
            Self::BuildStd { .. } => "wasm32-unknown-unknown",
        }
    }

    /// The command `cargo`.
    pub fn cargo(&self) -> &Path {
        match self {
            Self::Wasip2 { cargo, .. } | Self::BuildStd { cargo, .. } => cargo,
        }
    }

    /// The command `rustc`.
    pub fn rustc(&self) -> &Path {
        match self {
            Self::Wasip2 { rustc, .. } | Self::BuildStd { rustc, .. } => rustc,
        }
    }

    /// The compiler's release, as it names itself: `rustc 1.96.0 (ac68faa20 2026-05-25)`.
    pub fn version(&self, folder: &Path) -> Option<String> {
        answer(folder, self.rustc(), &["--version"])
    }

    /// Where the standard library's source is, if it is compiled along or was for the target.
    pub(crate) fn source_of_std(&self, folder: &Path) -> Option<PathBuf> {
        sysroot(folder, self.rustc()).map(|sysroot| source_of_std(&sysroot))
    }
}

/// A command that sees of the environment only what is meant for it.
///
/// Under `cargo run` or `cargo test` the environment is full of settings for the crate that is running,
/// and rustup has fixed a toolchain: none of it should reach another crate's build. What says where to
/// fetch from stays.
pub(crate) fn command(folder: &Path, program: impl AsRef<std::ffi::OsStr>) -> Command {
    const KEPT: [&str; 6] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTRIES_",
        "CARGO_REGISTRY_",
        "CARGO_SOURCE_",
    ];
    let foreign = |name: &str| {
        let cargo = name.starts_with("CARGO") && !KEPT.iter().any(|kept| name.starts_with(kept));
        let rust = [
            "RUSTC",
            "RUSTDOC",
            "RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
            "RUST_RECURSION_COUNT",
        ];
        cargo || rust.iter().any(|prefix| name.starts_with(prefix))
    };
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    for name in std::env::vars_os().map(|(name, _): (OsString, OsString)| name) {
        if name.to_str().is_some_and(foreign) {
            command.env_remove(name);
        }
    }
    if std::env::var_os("CARGO").is_some() {
        // Cargo names the running toolchain's libraries there, which are not those of another.
        command
            .env_remove("LD_LIBRARY_PATH")
            .env_remove("DYLD_FALLBACK_LIBRARY_PATH");
    }
    command
}

fn has_target(folder: &Path, rustc: &str, target: &str) -> bool {
    answer(
        folder,
        rustc,
        &["--print", "target-libdir", "--target", target],
    )
    .is_some_and(|libraries| Path::new(&libraries).is_dir())
}

fn sysroot(folder: &Path, rustc: impl AsRef<std::ffi::OsStr>) -> Option<PathBuf> {
    answer(folder, rustc, &["--print", "sysroot"]).map(PathBuf::from)
}

fn source_of_std(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib/src/rust")
}

/// `rust-lld` of the toolchain, or of the one that the `PATH` names, or LLVM's own.
fn linker(folder: &Path, toolchain: &Path) -> Option<PathBuf> {
    let sysroots = [Some(toolchain.to_owned()), sysroot(folder, "rustc")];
    let of_rust = sysroots.into_iter().flatten().find_map(|sysroot| {
        let hosts = std::fs::read_dir(sysroot.join("lib/rustlib")).ok()?;
        hosts
            .filter_map(Result::ok)
            .map(|host| host.path().join("bin/rust-lld"))
            .find(|linker| linker.is_file())
    });
    of_rust.or_else(|| {
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders)
            .flat_map(|folder| ["rust-lld", "wasm-ld"].map(|name| folder.join(name)))
            .find(|linker| linker.is_file())
    })
}

/// What a command prints, without the end of the line; nothing where it fails.
fn answer(
    folder: &Path,
    program: impl AsRef<std::ffi::OsStr>,
    arguments: &[&str],
) -> Option<String> {
    let output = command(folder, program)
        .args(arguments)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}
