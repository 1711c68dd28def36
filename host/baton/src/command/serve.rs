//! `baton serve`: a host for many.

use std::path::PathBuf;

use crate::config::Typed;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::listen::Listening;
use crate::secrets::{self, from_environment};
use crate::{authorities, host, logging};

/// The arguments of `baton serve`.
///
/// Each client shows a token, which says the tenant that it belongs to. The host speaks plain HTTP: put a
/// proxy that speaks TLS in front of it where the network is not your own.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The configuration; flags and the environment go before what it says
    #[arg(
        long,
        value_name = "FILE",
        env = "BATON_CONFIG",
        hide_env_values = true
    )]
    config: Option<PathBuf>,

    #[command(flatten)]
    settings: Typed,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let file = match &self.config {
            Some(path) => Typed::read(path)?,
            None => Typed::default(),
        };
        let typed = self.settings.or(file);
        let Some(data) = typed.data.clone() else {
            return Err(Failure::invalid("there is no data directory").help(
                "name one: `data = \"/var/lib/baton\"` in the configuration, --data DIR or BATON_DATA",
            ));
        };
        let settings = typed.resolve(data, "info");
        if settings.tokens.is_empty() {
            return Err(Failure::invalid("there is no token, so that nobody could use this host").help(
                "make one with `baton token new --tenant acme --name ci`, and put the lines that it prints into the \
                 configuration; for a host without tokens on this machine there is `baton dev`",
            ));
        }
        let tenants = settings.tokens.iter().map(|token| &token.tenant);
        settings.sinks.check(tenants)?;
        logging::start(settings.log_format, &settings.log_level, std::io::stderr)?;

        let listening = Listening::bind(settings.listen).await?;
        let keys = secrets::keys(
            settings.secrets_key_file.as_deref(),
            from_environment().as_deref(),
        )?;
        let engine = host::open(host::Options {
            secrets: keys,
            data: Some(settings.data),
            cache: Some(settings.cache),
            store_cache_bytes: Some(settings.store_cache_bytes),
            authorities: authorities::read(settings.certificate_authorities.as_deref())?,
            processes: settings.processes.allowed()?,
            lifecycle: settings.lifecycle,
            event_log: settings.event_log,
            retention: settings.retention,
            ..host::Options::default()
        })?;
        settings.sinks.start(&engine)?;
        listening.announce();
        listening.serve(engine, settings.tokens).await?;
        Ok(Exit::Done)
    }
}
