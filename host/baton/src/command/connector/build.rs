//! `baton connector build`: a crate becomes a component.

use std::path::PathBuf;

use baton_build::{BuildOptions, Built};
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::output::{Output, print, print_json};

/// The arguments of `baton connector build`.
///
/// Takes whichever Rust toolchain this machine has that can build WebAssembly.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The folder with the connector's Cargo.toml
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// Where the component goes [default: NAME.wasm in the folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Args {
    pub(crate) fn execute(self) -> Outcome {
        let options = BuildOptions {
            out: self.out,
            ..BuildOptions::new(self.folder)
        };
        let built = tokio::task::block_in_place(|| baton_build::build(&options));
        let Built { path, digest, size } =
            built.map_err(|error| Failure::new("cannot build the connector").because(&error))?;
        match self.output {
            Output::Text => print(path.display()),
            Output::Json => print_json(&json!({ "path": path, "digest": digest, "size": size })),
        }
    }
}
