//! The host's log, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::LogFormat;
use crate::failure::Failure;

/// Sets the log up, once in the life of the process. It goes to `stderr`, which is standard error, however it is written to.
///
/// # Errors
///
/// The filter is none.
pub(crate) fn start(
    format: LogFormat,
    filter: &str,
    stderr: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> Result<(), Failure> {
    let filter = EnvFilter::builder().parse(filter).map_err(|error| {
        let failure =
            Failure::invalid(format!("`{filter}` is no filter for the log")).because(&error);
        failure.help(
            "give a level, `info` for example, or levels by module: `info,baton_engine=debug`",
        )
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr);
    let is_plain = !std::io::stderr().is_terminal()
        || std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
    let outcome = match format {
        LogFormat::Text => builder.with_ansi(!is_plain).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // Only a second call can fail, and then the log is there already.
    debug_assert!(outcome.is_ok());
    Ok(())
}
