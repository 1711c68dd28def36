//! Compiled components on disk, keyed by the component's digest and the engine that compiled it.
//!
//! The folder belongs to the host: whoever can write to it can run code in the host's process. A file that
//! is cut short or damaged is found by its checksum, and the component is compiled again.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::Digest;

/// The length of the checksum at a file's beginning.
const CHECKSUM_BYTES: usize = 32;

/// A folder of compiled components.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    /// What tells apart what other versions or settings of the engine have compiled.
    engine: String,
}

impl Cache {
    /// Opens a folder, and makes it where there is none.
    pub(crate) fn open(folder: &Path, engine: &Engine) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut hasher = StableHasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine = hex::encode(&hasher.0.finalize()[..8]);
        Ok(Self {
            folder: folder.to_owned(),
            engine,
        })
    }

    /// A compiled component, if it is there and whole.
    pub(crate) fn get(&self, digest: &Digest, engine: &Engine) -> Option<Component> {
        let file = fs::read(self.path(digest)).ok()?;
        let (checksum, compiled) = file.split_first_chunk::<CHECKSUM_BYTES>()?;
        if Sha256::digest(compiled)[..] != checksum[..] {
            tracing::warn!(%digest, "a compiled component in the cache is damaged; it is compiled again");
            return None;
        }
        deserialize(engine, compiled)
    }

    /// Keeps a compiled component. Where that fails, it is compiled again next time.
    pub(crate) fn put(&self, digest: &Digest, component: &Component) {
        let written = component
            .serialize()
            .map_err(io::Error::other)
            .and_then(|compiled| {
                let path = self.path(digest);
                let draft = self.draft(digest);
                write(&draft, &compiled)
                    .and_then(|()| fs::rename(&draft, &path))
                    .inspect_err(|_| {
                        // What is left of it is of no use; that it cannot be removed changes nothing.
                        let _ = fs::remove_file(&draft);
                    })
            });
        if let Err(error) = written {
            tracing::warn!(%digest, %error, "a compiled component could not be kept in the cache");
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!(
            "{}-{}.cwasm",
            hex::encode(digest.as_bytes()),
            self.engine
        ))
    }

    /// A name that nobody else writes to, in this process or another.
    fn draft(&self, digest: &Digest) -> PathBuf {
        static DRAFTS: AtomicU64 = AtomicU64::new(0);
        let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
        let digest = hex::encode(digest.as_bytes());
        self.folder
            .join(format!("{digest}-{}-{number}.draft", process::id()))
    }
}

fn write(path: &Path, compiled: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(&Sha256::digest(compiled))?;
    file.write_all(compiled)
}

#[expect(
    unsafe_code,
    reason = "a compiled component is native code, which nothing can check"
)]
fn deserialize(engine: &Engine, compiled: &[u8]) -> Option<Component> {
    // SAFETY: the bytes come from `Component::serialize` of an engine of the same version and settings: the
    // file's name says so, its checksum says that it is whole, wasmtime checks the version again, and the
    // folder is the host's own.
    let component = unsafe { Component::deserialize(engine, compiled) };
    component
        .inspect_err(
            |error| tracing::warn!(%error, "a compiled component in the cache is of no use"),
        )
        .ok()
}

/// A hasher whose results are the same in every process.
struct StableHasher(Sha256);

impl Hasher for StableHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
