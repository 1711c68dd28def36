//! An engine with what components of one kind share: those that workflows call, or the languages that
//! evaluate expressions.

use std::io;
use std::path::Path;

use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::cache::Cache;
use crate::capability;
use crate::engine::{self, Ticker};
use crate::inspect::Description;
use crate::sandbox::{LoadError, SandboxError};
use crate::state::State;

/// What a runtime's components are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Calls. They are bounded by time, since they wait for others.
    Calls,
    /// Expressions. They are bounded by the instructions that they execute, so that a replay on another
    /// machine comes to the same end.
    Expressions,
}

/// See the module.
pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    linker: Linker<State>,
    cache: Option<Cache>,
    _ticker: Ticker,
}

impl Runtime {
    /// Starts a runtime with room for this many instances at once, which keeps compiled components in
    /// `folder`.
    pub(crate) fn start(
        purpose: Purpose,
        instances: u32,
        folder: Option<&Path>,
    ) -> Result<Self, SandboxError> {
        let engine = engine::engine(purpose, instances).map_err(SandboxError::Engine)?;
        let mut linker = Linker::new(&engine);
        capability::link(&mut linker).map_err(SandboxError::Engine)?;
        let in_folder = |source: io::Error, folder: &Path| SandboxError::Cache {
            folder: folder.to_owned(),
            source,
        };
        let cache = folder
            .map(|folder| Cache::open(folder, &engine).map_err(|error| in_folder(error, folder)))
            .transpose()?;
        let ticker = Ticker::start(&engine).map_err(SandboxError::Thread)?;
        Ok(Self {
            engine,
            linker,
            cache,
            _ticker: ticker,
        })
    }

    /// Compiles a component or takes it from the cache, and ties its imports to the host.
    pub(crate) fn prepare(
        &self,
        bytes: &[u8],
        description: &Description,
    ) -> Result<InstancePre<State>, LoadError> {
        let component = self.compile(bytes, description)?;
        self.linker
            .instantiate_pre(&component)
            .map_err(|error| LoadError::Mismatch(format!("{error:#}")))
    }

    fn compile(&self, bytes: &[u8], description: &Description) -> Result<Component, LoadError> {
        let cached = self
            .cache
            .as_ref()
            .and_then(|cache| cache.get(&description.digest, &self.engine));
        if let Some(component) = cached {
            return Ok(component);
        }
        let component = Component::from_binary(&self.engine, bytes);
        let component = component.map_err(|error| LoadError::Compile(format!("{error:#}")))?;
        if let Some(cache) = &self.cache {
            cache.put(&description.digest, &component);
        }
        Ok(component)
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}
