//! Builds the components that ship with the host: `cargo run -p baton-build [--all] [PLUGIN...]`.
//!
//! Without names it builds those whose sources have changed since they were built, with `--all` every one.

use std::path::Path;
use std::process::ExitCode;

use baton_build::dist;

fn main() -> ExitCode {
    let mut plugins: Vec<String> = std::env::args().skip(1).collect();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let outcome = std::fs::canonicalize(&repository)
        .map_err(|source| dist::DistError::File {
            path: repository,
            source,
        })
        .and_then(|repository| {
            if plugins.is_empty() {
                plugins = stale(&repository)?;
            } else if plugins.iter().any(|name| name == "--all") {
                plugins = dist::PLUGINS.map(str::to_owned).to_vec();
            }
            build(&repository, &plugins)
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("error: {error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                eprint!(": {error}");
                cause = error.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

fn stale(repository: &Path) -> Result<Vec<String>, dist::DistError> {
    let stale = dist::check(repository)?;
    if stale.is_empty() {
        println!("all components in plugins/dist are up to date");
    }
    Ok(stale.into_iter().map(dist::Stale::into_plugin).collect())
}

fn build(repository: &Path, plugins: &[String]) -> Result<(), dist::DistError> {
    for plugin in plugins {
        let built = dist::rebuild(repository, plugin)?;
        let kib = built.size.div_ceil(1024);
        println!(
            "plugins/dist/{plugin}.wasm  {kib} KiB  sha256:{}",
            built.digest
        );
    }
    Ok(())
}
