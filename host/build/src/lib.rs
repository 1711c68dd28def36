//! From a connector's crate to a component.
//!
//! A connector in Rust is an ordinary library crate with `crate-type = ["cdylib"]` and wit-bindgen. This
//! library builds it, with whichever toolchain the machine has ([`Toolchain`]), and makes the result a
//! component. It knows nothing of what the component exports or imports: looking into components is the
//! sandbox's business.
//!
//! The outcome depends on the sources and the compiler alone. No path of the machine gets into it, and the
//! same sources in another folder give the same bytes.
//!
//! - [`build`]: the one thing this crate is for
//! - [`toolchain`]: what can build components here
//! - [`dist`]: the components that ship with the host, and whether they are up to date

mod cargo;
mod component;
pub mod dist;
pub mod toolchain;

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use cargo::CargoError;
pub use component::EncodeError;
pub use toolchain::{NoToolchain, Toolchain};

/// What to build, and how.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// The folder with the connector's `Cargo.toml`.
    pub crate_dir: PathBuf,
    /// Where the component goes: a file. Its folder is created if need be. Default: `<crate name>.wasm`
    /// in `crate_dir`.
    pub out: Option<PathBuf>,
    /// What to build with. Default: [`Toolchain::detect`].
    pub toolchain: Option<Toolchain>,
    /// Where cargo keeps what it built. Default: `component` in the folder that `CARGO_TARGET_DIR`
    /// names, or else where cargo puts it by itself.
    pub target_dir: Option<PathBuf>,
    /// Refuse to build when `Cargo.lock` would have to change. Default: no.
    pub locked: bool,
}

impl BuildOptions {
    /// Builds the crate in `crate_dir`, with defaults for all else.
    pub fn new(crate_dir: impl Into<PathBuf>) -> Self {
        Self {
            crate_dir: crate_dir.into(),
            out: None,
            toolchain: None,
            target_dir: None,
            locked: false,
        }
    }
}

/// A component that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The component's file.
    pub path: PathBuf,
    /// The SHA-256 of its bytes, in hexadecimal: the digest by which the host knows it.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Why a connector could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no `Cargo.toml` where the crate should be.
    #[error("{0} holds no Cargo.toml: name the folder of a connector's crate")]
    NoCrate(PathBuf),
    /// Nothing on this machine can compile to WebAssembly.
    #[error(transparent)]
    NoToolchain(#[from] NoToolchain),
    /// Cargo could not be run, did not succeed, or built no component.
    #[error(transparent)]
    Cargo(#[from] CargoError),
    /// What cargo built is no component and cannot be made one.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A file could not be read or written.
    #[error("cannot {doing} {path}")]
    File {
        /// What was tried: "read" or "write".
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Builds a connector's crate, and writes the component.
///
/// It runs cargo, which prints its progress and the compiler's messages to standard error, and may fetch
/// the crates that the connector depends on.
///
/// # Errors
///
/// See [`BuildError`]. The component's file is written as the last step, in one go: when the build fails,
/// an earlier one is still there.
pub fn build(options: &BuildOptions) -> Result<Built, BuildError> {
    let crate_dir = &options.crate_dir;
    if !crate_dir.join("Cargo.toml").is_file() {
        return Err(BuildError::NoCrate(crate_dir.clone()));
    }
    let toolchain = match &options.toolchain {
        Some(toolchain) => toolchain.clone(),
        None => Toolchain::detect(crate_dir)?,
    };
    let artifact = cargo::build(
        crate_dir,
        &toolchain,
        options.target_dir.as_deref(),
        options.locked,
    )?;
    let module = std::fs::read(&artifact.wasm).map_err(|source| BuildError::File {
        doing: "read",
        path: artifact.wasm.clone(),
        source,
    })?;
    let component = component::encode(&module)?;

    let path = match &options.out {
        Some(out) => out.clone(),
        None => crate_dir.join(format!("{}.wasm", artifact.package)),
    };
    write(&path, &component).map_err(|source| BuildError::File {
        doing: "write",
        path: path.clone(),
        source,
    })?;
    Ok(Built {
        path,
        digest: digest(&component),
        size: component.len() as u64,
    })
}

/// The SHA-256 of `bytes`, in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Writes a file in one go: whoever reads it meanwhile sees the old or the new content.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let mut temporary = tempfile::Builder::new();
    // Readable by all, as any file that a build leaves behind; the umask still applies.
    #[cfg(unix)]
    temporary.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = temporary.tempfile_in(folder)?;
    io::Write::write_all(&mut file, bytes)?;
    file.persist(path)?;
    Ok(())
}
