//! The workflow language's own `run: container` (dsl-reference, "Container Process"), as a connector.
//!
//! It speaks the command line of `docker`, which `podman` has too.
//!
//! - [`run()`]: a container from its description to its end
//! - [`engine`]: the command lines
//! - [`removal`]: removing what has ended long ago
//! - `component`: the contract; on WebAssembly only

#[cfg(target_arch = "wasm32")]
mod component;
pub mod engine;
pub mod removal;
mod run;

pub use run::{Failure, Kind, run};

/// A container to run.
#[derive(Clone, Debug, Default)]
pub struct Container {
    /// The image.
    pub image: String,
    /// The container's name.
    pub name: String,
    /// A command of the container's own shell; what the image has where there is none.
    pub command: Option<String>,
    /// Arguments of the command, or of what the image has.
    pub arguments: Vec<String>,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// Ports of the machine, and of the container.
    pub ports: Vec<(String, String)>,
    /// Volumes or folders of the machine, and where they are in the container.
    pub volumes: Vec<(String, String)>,
    /// Standard input.
    pub stdin: Option<String>,
    /// When it is removed.
    pub cleanup: Cleanup,
    /// When its image is pulled.
    pub pull: Pull,
    /// Whether to leave it to itself once it has started.
    pub detached: bool,
    /// The same for each time that this container is run, and for no other.
    pub key: String,
}

/// When a container is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cleanup {
    /// At its end.
    Always,
    /// Never.
    #[default]
    Never,
    /// So many milliseconds after its end, or later.
    Eventually(u64),
}

/// When an image is pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pull {
    /// When it is not there.
    #[default]
    Missing,
    /// Each time.
    Always,
    /// Never.
    Never,
}
