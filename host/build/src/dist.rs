//! The components that ship with the host: `plugins/dist`, built from `plugins`.
//!
//! They are kept built in the repository, so that running the host needs no toolchain for WebAssembly.
//! `digests.toml` beside them says of which sources each was built. [`check`] tells when a source has
//! changed since, and [`rebuild`] builds what has.

mod lock;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{BuildError, BuildOptions, Built, NoToolchain, Toolchain, build};

/// The connectors that ship with the host, by their folder below `plugins`.
pub const PLUGINS: [&str; 12] = [
    "a2a",
    "asyncapi",
    "container",
    "grpc",
    "http",
    "javascript",
    "jq",
    "mcp",
    "openapi",
    "python",
    "scim",
    "shell",
];

/// The file that says of which sources each component was built.
const DIGESTS: &str = "digests.toml";

/// What `digests.toml` says of one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The digest of the sources that it was built of.
    pub sources: String,
    /// The digest of the component.
    pub component: String,
    /// The compiler that built it, for information.
    pub compiler: String,
}

/// In what a component is not what its sources would give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// It was never built.
    #[error("plugins/dist/{0}.wasm is not there: run `cargo run -p baton-build`")]
    Missing(String),
    /// Its sources have changed since.
    #[error(
        "the sources of plugins/{0} have changed since plugins/dist/{0}.wasm was built: \
         run `cargo run -p baton-build`"
    )]
    SourcesChanged(String),
    /// The file is another one than was recorded.
    #[error("plugins/dist/{0}.wasm is not the file that was built: run `cargo run -p baton-build`")]
    ComponentChanged(String),
}

impl Stale {
    /// The name of the plugin.
    pub fn into_plugin(self) -> String {
        match self {
            Self::Missing(name) | Self::SourcesChanged(name) | Self::ComponentChanged(name) => name,
        }
    }
}

/// Why the shipped components could not be looked at or built.
#[derive(Debug, thiserror::Error)]
pub enum DistError {
    /// A source or a component could not be read or written.
    #[error("cannot use {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// `digests.toml` is not what this program writes.
    #[error("{path} is no list of digests")]
    Digests {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        source: toml::de::Error,
    },
    /// There is nothing to build with.
    #[error(transparent)]
    NoToolchain(#[from] NoToolchain),
    /// A plugin does not build.
    #[error("cannot build plugins/{plugin}")]
    Build {
        /// Which.
        plugin: String,
        /// Why.
        source: Box<BuildError>,
    },
}

/// What a plugin may have besides its manifest and `src`.
const FURTHER: [&str; 3] = ["build.rs", "library", "wit"];

/// The digest of all that a plugin's component is built of: the contracts, the workspace's manifest but for the lists of
/// its members, the plugin's own manifest and sources, those of its neighbours that it depends on, and what the lock says of
/// its dependencies.
///
/// # Errors
///
/// Where a source cannot be read.
pub fn sources(repository: &Path, plugin: &str) -> Result<String, DistError> {
    let mut files = Vec::new();
    list(&repository.join("wit"), &mut files)?;
    let plugins = repository.join("plugins");
    let mut folders = vec![plugins.join(plugin)];
    folders.extend(neighbours(&plugins.join(plugin))?);
    for folder in folders {
        files.push(folder.join("Cargo.toml"));
        list(&folder.join("src"), &mut files)?;
        for further in FURTHER {
            let path = folder.join(further);
            if path.is_dir() {
                list(&path, &mut files)?;
            } else if path.is_file() {
                files.push(path);
            }
        }
    }

    // By name, so that neither the order of a folder's listing nor where the repository lies matters.
    let mut named: BTreeMap<String, PathBuf> = BTreeMap::new();
    for file in files {
        let name = file.strip_prefix(repository).unwrap_or(&file);
        named.insert(name.to_string_lossy().replace('\\', "/"), file);
    }
    let mut hash = Sha256::new();
    let mut part = |name: &str, content: &[u8]| {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    };
    for (name, file) in named {
        part(&name, &read(&file)?);
    }
    part("workspace", workspace(&plugins)?.as_bytes());
    for line in lock::closure(&plugins, plugin)? {
        part("locked", line.as_bytes());
    }
    Ok(hex::encode(hash.finalize()))
}

/// Which of the shipped components are not what their sources would give.
///
/// # Errors
///
/// Where a source or a component cannot be read.
pub fn check(repository: &Path) -> Result<Vec<Stale>, DistError> {
    let records = records(repository)?;
    let mut stale = Vec::new();
    for plugin in PLUGINS {
        let path = component(repository, plugin);
        match records.get(plugin) {
            Some(record) if path.is_file() => {
                if record.sources != sources(repository, plugin)? {
                    stale.push(Stale::SourcesChanged(plugin.to_owned()));
                } else if record.component != crate::digest(&read(&path)?) {
                    stale.push(Stale::ComponentChanged(plugin.to_owned()));
                }
            }
            _ => stale.push(Stale::Missing(plugin.to_owned())),
        }
    }
    Ok(stale)
}

/// Builds one of the shipped components, and records of what.
///
/// # Errors
///
/// Where it cannot be built or written.
pub fn rebuild(repository: &Path, plugin: &str) -> Result<Built, DistError> {
    let crate_dir = repository.join("plugins").join(plugin);
    let sources = sources(repository, plugin)?;
    let toolchain = Toolchain::build_std(&crate_dir)?;
    let compiler = toolchain
        .version(&crate_dir)
        .unwrap_or_else(|| "unknown".to_owned());
    let options = BuildOptions {
        out: Some(component(repository, plugin)),
        toolchain: Some(toolchain),
        locked: true,
        ..BuildOptions::new(crate_dir)
    };
    let built = build(&options).map_err(|source| DistError::Build {
        plugin: plugin.to_owned(),
        source: Box::new(source),
    })?;

    let mut records = records(repository)?;
    let record = Record {
        sources,
        component: built.digest.clone(),
        compiler,
    };
    records.insert(plugin.to_owned(), record);
    let path = digests(repository);
    let text = format!(
        "# Of which sources each component here was built. Written by `cargo run -p baton-build`.\n\n{}",
        toml::to_string(&records).expect("a table of tables of strings can be written")
    );
    crate::write(&path, text.as_bytes()).map_err(|source| DistError::File { path, source })?;
    Ok(built)
}

/// The workspace's manifest without the lists of its members: another plugin changes nothing for this one.
fn workspace(plugins: &Path) -> Result<String, DistError> {
    let path = plugins.join("Cargo.toml");
    let text = String::from_utf8_lossy(&read(&path)?).into_owned();
    let mut manifest: toml::Table =
        toml::from_str(&text).map_err(|source| DistError::Digests { path, source })?;
    if let Some(toml::Value::Table(workspace)) = manifest.get_mut("workspace") {
        workspace.remove("members");
        workspace.remove("default-members");
    }
    Ok(manifest.to_string())
}

/// Where a shipped component lies.
fn component(repository: &Path, plugin: &str) -> PathBuf {
    repository
        .join("plugins/dist")
        .join(format!("{plugin}.wasm"))
}

fn digests(repository: &Path) -> PathBuf {
    repository.join("plugins/dist").join(DIGESTS)
}

fn records(repository: &Path) -> Result<BTreeMap<String, Record>, DistError> {
    let path = digests(repository);
    match std::fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).map_err(|source| DistError::Digests { path, source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(source) => Err(DistError::File { path, source }),
    }
}

/// The folders of those crates beside `crate_dir` that its manifest depends on by path.
fn neighbours(crate_dir: &Path) -> Result<Vec<PathBuf>, DistError> {
    let path = crate_dir.join("Cargo.toml");
    let text = String::from_utf8_lossy(&read(&path)?).into_owned();
    let manifest: toml::Table =
        toml::from_str(&text).map_err(|source| DistError::Digests { path, source })?;
    let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
    let paths = dependencies
        .into_iter()
        .flatten()
        .filter_map(|(_, it)| it.get("path")?.as_str());
    Ok(paths
        .map(|path| {
            crate_dir
                .parent()
                .unwrap_or(crate_dir)
                .join(path.trim_start_matches("../"))
        })
        .collect())
}

fn read(path: &Path) -> Result<Vec<u8>, DistError> {
    std::fs::read(path).map_err(|source| DistError::File {
        path: path.to_owned(),
        source,
    })
}

/// All files below `folder`.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), DistError> {
    let broken = |source| DistError::File {
        path: folder.to_owned(),
        source,
    };
    for entry in std::fs::read_dir(folder).map_err(broken)? {
        let path = entry.map_err(broken)?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
