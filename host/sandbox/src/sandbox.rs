//! The sandbox itself: made once for a host, shared by everything in it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::capability::Capability;
use crate::connector::Connector;
use crate::egress::{Authorities, Rewrite, Trust};
use crate::inspect::{Description, InspectError, inspect};
use crate::language::Language;
use crate::runtime::{Purpose, Runtime};
use crate::types::nearest;

/// How a sandbox is made.
#[derive(Debug, Default)]
pub struct Settings {
    /// How many calls may run at once, over all grants. More wait. Default ([`None`]) 512: each takes some
    /// 8 GiB of address space, of which there are 128 TiB, and little memory before it is used.
    pub calls: Option<u32>,
    /// How many calls whose items are wanted may go on at once besides, over all grants. More wait. Default
    /// ([`None`]) 256.
    pub subscriptions: Option<u32>,
    /// How many instances of expression languages may be warm at once. More are an error. Default ([`None`])
    /// 256.
    pub evaluators: Option<u32>,
    /// A folder for compiled components, which belongs to the host alone. Without one they are compiled at
    /// every start.
    pub cache: Option<PathBuf>,
    /// Authorities whose certificates are trusted besides those of the machine. Default: none.
    pub authorities: Authorities,
    /// Origins whose requests go elsewhere. **For testing only.**
    pub testing_rewrite: Option<Rewrite>,
}

const CALLS: u32 = 512;
const SUBSCRIPTIONS: u32 = 256;
const EVALUATORS: u32 = 256;

/// The engines with everything that components share.
pub struct Sandbox {
    pub(crate) connectors: Runtime,
    pub(crate) languages: Runtime,
    pub(crate) calls: Semaphore,
    pub(crate) subscriptions: Semaphore,
    pub(crate) evaluators: Arc<Semaphore>,
    pub(crate) rewrite: Option<Arc<Rewrite>>,
    pub(crate) trust: Arc<Trust>,
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The machine does not give what the engine needs.
    #[error("the WebAssembly engine does not start: {0:#}")]
    Engine(wasmtime::Error),
    /// The ticker has no thread.
    #[error("the sandbox gets no thread: {0}")]
    Thread(#[source] io::Error),
    /// The cache's folder cannot be made.
    #[error("the folder for compiled components, {}, cannot be used: {source}", folder.display())]
    Cache {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Why a component does not load.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is none, or cannot be described.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// It imports an interface that the host does not have.
    #[error("the component imports `{name}`, which this host does not have{help}")]
    UnknownImport {
        /// The interface in full.
        name: String,
        /// What to do about it, with the punctuation before it.
        help: String,
    },
    /// It imports an interface that the host has, in a form that the host does not have.
    #[error("the component's imports do not fit this host: {0}")]
    Mismatch(String),
    /// It exports no function.
    #[error(
        "the component exports no function: a connector exports at least one interface with functions"
    )]
    NoFunctions,
    /// It exports functions, and none of them can be called.
    #[error("none of the component's functions can be called; the first, `{function}`: {reason}")]
    NothingCallable {
        /// The first function.
        function: String,
        /// Why it cannot be called.
        reason: String,
    },
    /// It is no expression language.
    #[error("the component is no expression language: {0}")]
    NoLanguage(String),
    /// The engine refuses it.
    #[error("the component does not compile: {0}")]
    Compile(String),
}

impl Sandbox {
    /// Makes a sandbox.
    ///
    /// # Errors
    ///
    /// Says what the machine does not give.
    pub fn new(settings: Settings) -> Result<Arc<Self>, SandboxError> {
        let calls = settings.calls.unwrap_or(CALLS);
        let subscriptions = settings.subscriptions.unwrap_or(SUBSCRIPTIONS);
        let instances = calls.saturating_add(subscriptions);
        let evaluators = settings.evaluators.unwrap_or(EVALUATORS);
        let folder = settings.cache.as_deref();
        Ok(Arc::new(Self {
            connectors: Runtime::start(Purpose::Calls, instances, folder)?,
            languages: Runtime::start(Purpose::Expressions, evaluators, folder)?,
            calls: Semaphore::new(calls as usize),
            subscriptions: Semaphore::new(subscriptions as usize),
            evaluators: Arc::new(Semaphore::new(evaluators as usize)),
            rewrite: settings.testing_rewrite.map(Arc::new),
            trust: Arc::new(Trust::new(settings.authorities)),
        }))
    }

    /// Loads a connector: checks its imports, and compiles it or takes it from the cache.
    ///
    /// Compiling takes some hundred milliseconds for a component of one megabyte, on all processors: call
    /// this where it may block.
    ///
    /// # Errors
    ///
    /// Says what the bytes are instead of a component, which import the host does not have, or why no
    /// function can be called.
    pub fn load(self: &Arc<Self>, bytes: &[u8]) -> Result<Connector, LoadError> {
        let description = inspect(bytes)?;
        check_imports(&description, |_| true)?;
        check_functions(&description)?;
        let pre = self.connectors.prepare(bytes, &description)?;
        Ok(Connector::new(Arc::clone(self), description, pre))
    }

    /// Loads an expression language: a component that exports `baton:expression/evaluator` and imports
    /// nothing that could make two evaluations differ.
    ///
    /// # Errors
    ///
    /// Like [`Sandbox::load`]; and where the component does not export the interface, or imports more.
    pub fn load_language(self: &Arc<Self>, bytes: &[u8]) -> Result<Language, LoadError> {
        let description = inspect(bytes)?;
        let deterministic = [Capability::Inert, Capability::Clock, Capability::Random];
        check_imports(&description, |capability| {
            deterministic.contains(&capability)
        })?;
        let pre = self.languages.prepare(bytes, &description)?;
        Language::new(Arc::clone(self), description, pre)
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("connectors", &self.connectors)
            .finish_non_exhaustive()
    }
}

fn check_imports(
    description: &Description,
    allowed: impl Fn(Capability) -> bool,
) -> Result<(), LoadError> {
    let problem = description.imports.iter().find_map(|import| match import.capability {
        None => Some(unknown_import(&import.name)),
        Some(capability) if !allowed(capability) => Some(LoadError::NoLanguage(format!(
            "it imports `{}`, and an expression language may import nothing that could make two evaluations differ",
            import.name
        ))),
        Some(_) => None,
    });
    problem.map_or(Ok(()), Err)
}

fn unknown_import(name: &str) -> LoadError {
    let bare = name.split_once('@').map_or(name, |(bare, _)| bare);
    let help = nearest(bare, Capability::interfaces())
        .map(|near| format!("; it has `{near}`"))
        .unwrap_or_default();
    LoadError::UnknownImport {
        name: name.to_owned(),
        help,
    }
}

fn check_functions(description: &Description) -> Result<(), LoadError> {
    let Some(first) = description.functions.first() else {
        return Err(LoadError::NoFunctions);
    };
    if description
        .functions
        .iter()
        .any(|function| function.signature.is_ok())
    {
        return Ok(());
    }
    let reason = first.signature.as_ref().err().cloned().unwrap_or_default();
    Err(LoadError::NothingCallable {
        function: first.to_string(),
        reason,
    })
}
