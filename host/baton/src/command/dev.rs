//! `baton dev`: a host for its user alone, with nothing to set up.

use crate::config::Typed;
use crate::directories;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::grants::GrantFlags;
use crate::listen::Listening;
use crate::processes::ProcessFlags;
use crate::secrets::{self, from_environment};
use crate::{authorities, host, logging};

/// The arguments of `baton dev`.
///
/// Everyone on this machine can use it, without a token, as the tenant `default`. So it listens on a
/// loopback address and refuses any other.
#[derive(clap::Args, Debug)]
#[command(mut_arg("tokens", |argument| argument.hide(true)))]
#[command(mut_arg("data", |argument| argument.help(
    "The directory that keeps workflows, runs and connectors [default: $XDG_STATE_HOME/baton/dev, or \
     ~/.local/state/baton/dev]"
)))]
pub(crate) struct Args {
    #[command(flatten)]
    settings: Typed,

    #[command(flatten)]
    grants: GrantFlags,

    #[command(flatten)]
    processes: ProcessFlags,

    #[command(flatten)]
    testing: super::Testing,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        if !self.settings.tokens.is_empty() {
            return Err(Failure::invalid("`baton dev` knows no tokens")
                .help("a host with tokens is `baton serve`"));
        }
        let data = match &self.settings.data {
            Some(data) => data.clone(),
            None => directories::dev_data()?,
        };
        let settings = self.settings.resolve(data, "warn,baton=info");
        if !settings.listen.ip().is_loopback() {
            let failure = Failure::invalid(format!(
                "`baton dev` does not listen on {}: it asks for no token, and others could reach it there",
                settings.listen
            ));
            return Err(
                failure.help("listen on 127.0.0.1, or start a host for many with `baton serve`")
            );
        }
        logging::start(settings.log_format, &settings.log_level, std::io::stderr)?;

        let listening = Listening::bind(settings.listen).await?;
        let keys = secrets::keys(
            settings.secrets_key_file.as_deref(),
            from_environment().as_deref(),
        )?;
        let engine = host::open(host::Options {
            secrets: keys,
            makes_secrets_key: true,
            data: Some(settings.data.clone()),
            cache: Some(settings.cache.clone()),
            store_cache_bytes: Some(settings.store_cache_bytes),
            lifecycle: settings.lifecycle,
            event_log: settings.event_log,
            retention: settings.retention,
            grants: self.grants.by_connector(),
            authorities: authorities::read(settings.certificate_authorities.as_deref())?,
            processes: self.processes.settings().allowed()?,
            testing_rewrite: self.testing.rewrite,
            ..host::Options::default()
        })?;
        listening.announce();
        welcome(&listening.url(), &settings.data.display().to_string());
        listening.serve(engine, Vec::new()).await?;
        Ok(Exit::Done)
    }
}

fn welcome(url: &str, data: &str) {
    anstream::eprintln!(
        "
  A Baton host for you alone, on this machine. Its data is in {data}

  In another terminal:
    baton workflow publish workflows/hello.yaml
    baton runs start demo/hello --input '{{\"name\":\"Ada\"}}' --watch
    curl {url}/openapi.json

  Ctrl-C stops it; what is under way goes on at the next start.
"
    );
}
