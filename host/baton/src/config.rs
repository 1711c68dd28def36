//! The settings of a host: what was typed, and what it means.
//!
//! Each setting has one name, in three places: `log-format` in `baton.toml`, `--log-format` as a flag and
//! `BATON_LOG_FORMAT` in the environment. The flag wins over the environment, and that over the file.
//!
//! [`Typed`] is what the user wrote, [`Resolved`] what it means once everything is known.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use baton_engine::{EngineLimits, LifecycleEvents, Retention};
use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::failure::Failure;
use crate::processes::Processes;
use crate::retention::{self, Kept, Tenant};
use crate::sinks::Sinks;
use crate::tokens::TokenHash;

/// Where a host listens by default.
pub(crate) const LISTEN_DEFAULT: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7070);

/// The settings of a host, as typed. The comments are the help of the flags.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[command(next_help_heading = "Settings of the host")]
pub(crate) struct Typed {
    /// Where to listen, as ADDRESS:PORT; port 0 takes a free one [default: 127.0.0.1:7070]
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "BATON_LISTEN",
        hide_env_values = true
    )]
    pub(crate) listen: Option<SocketAddr>,

    /// The directory that keeps workflows, runs and connectors; it is made where it is missing
    #[arg(long, value_name = "DIR", env = "BATON_DATA", hide_env_values = true)]
    pub(crate) data: Option<PathBuf>,

    /// The directory that keeps compiled connectors; it can be deleted at any time [default: DATA/compiled]
    #[arg(long, value_name = "DIR", env = "BATON_CACHE", hide_env_values = true)]
    pub(crate) cache: Option<PathBuf>,

    /// Memory for the pages of the store, in MiB [default: 16]
    #[arg(
        long,
        value_name = "MIB",
        env = "BATON_STORE_CACHE_MIB",
        hide_env_values = true
    )]
    pub(crate) store_cache_mib: Option<u16>,

    /// How the log is written, to standard error [default: text]
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        env = "BATON_LOG_FORMAT",
        hide_env_values = true
    )]
    pub(crate) log_format: Option<LogFormat>,

    /// What is logged: `error`, `warn`, `info`, `debug` or `trace`, also by module: `info,baton_engine=debug`
    #[arg(
        long,
        value_name = "FILTER",
        env = "BATON_LOG_LEVEL",
        hide_env_values = true
    )]
    pub(crate) log_level: Option<String>,

    /// The file of the key that secrets are sealed under; see `baton secret key`
    #[arg(
        long,
        value_name = "FILE",
        env = "BATON_SECRETS_KEY_FILE",
        hide_env_values = true
    )]
    pub(crate) secrets_key_file: Option<PathBuf>,

    /// A file of certificates, in PEM: authorities that connectors trust besides those of the machine
    #[arg(
        long,
        value_name = "FILE",
        env = "BATON_CERTIFICATE_AUTHORITIES",
        hide_env_values = true
    )]
    pub(crate) certificate_authorities: Option<PathBuf>,

    /// Which events tell of runs: `off`, `workflows`, or `tasks` for both workflows and tasks [default: off]
    #[arg(
        long,
        value_enum,
        value_name = "WHICH",
        env = "BATON_LIFECYCLE_EVENTS",
        hide_env_values = true
    )]
    pub(crate) lifecycle_events: Option<Lifecycle>,

    /// How long the log of a tenant keeps events, in hours [default: 168]
    #[arg(
        long,
        value_name = "HOURS",
        env = "BATON_EVENT_LOG_HOURS",
        hide_env_values = true
    )]
    pub(crate) event_log_hours: Option<NonZeroU32>,

    /// What the log of a tenant keeps of events at most, in MiB; the oldest make room [default: 256]
    #[arg(
        long,
        value_name = "MIB",
        env = "BATON_EVENT_LOG_MIB",
        hide_env_values = true
    )]
    pub(crate) event_log_mib: Option<NonZeroU32>,

    /// How many events the log of a tenant keeps at most; the oldest make room [default: 1000000]
    #[arg(
        long,
        value_name = "COUNT",
        env = "BATON_EVENT_LOG_COUNT",
        hide_env_values = true
    )]
    pub(crate) event_log_count: Option<NonZeroU32>,

    /// How long runs are kept once they have ended, such as `30d` or `12h` [default: forever]
    #[arg(
        long,
        value_name = "TIME",
        env = "BATON_RETENTION",
        hide_env_values = true
    )]
    pub(crate) retention: Option<Kept>,

    /// What holds for single tenants; in the file alone.
    #[arg(skip)]
    #[serde(rename = "tenant")]
    pub(crate) tenants: Vec<Tenant>,

    /// Where events are delivered to; in the file alone.
    #[arg(skip)]
    #[serde(rename = "sink")]
    pub(crate) sinks: Sinks,

    /// Who may use the host: a tenant, a name and the SHA-256 of a token; see `baton token new`
    #[arg(
        long = "token-hash",
        value_name = "TENANT/NAME=SHA256",
        env = "BATON_TOKEN_HASHES",
        hide_env_values = true,
        value_delimiter = ','
    )]
    #[serde(rename = "token")]
    pub(crate) tokens: Vec<TokenHash>,

    /// Processes of the machine. In the configuration alone: what leaves the sandbox is no matter of a flag.
    #[arg(skip)]
    pub(crate) processes: Processes,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// A line of text for each event
    #[default]
    Text,
    /// An object of JSON for each event, one a line
    Json,
}

/// Which of the specification's lifecycle events are published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Lifecycle {
    /// None
    #[default]
    Off,
    /// Those of workflows
    Workflows,
    /// Those of workflows and tasks
    Tasks,
}

impl From<Lifecycle> for LifecycleEvents {
    fn from(which: Lifecycle) -> Self {
        match which {
            Lifecycle::Off => Self::Off,
            Lifecycle::Workflows => Self::Workflows,
            Lifecycle::Tasks => Self::Tasks,
        }
    }
}

/// What the log of a tenant keeps of events. What is left open is as the engine has it by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EventLog {
    /// For how long.
    hours: Option<NonZeroU32>,
    /// How many MiB.
    mib: Option<NonZeroU32>,
    /// How many.
    count: Option<NonZeroU32>,
}

impl EventLog {
    /// Sets the engine's limits.
    pub(crate) fn apply(self, limits: &mut EngineLimits) {
        if let Some(hours) = self.hours {
            limits.event_log_age = Duration::from_secs(u64::from(hours.get()) * 3600);
        }
        if let Some(mib) = self.mib {
            limits.event_log_bytes = u64::from(mib.get()) << 20;
        }
        if let Some(count) = self.count {
            limits.event_log_events = count.get().into();
        }
    }
}

/// What the settings mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// The data directory.
    pub(crate) data: PathBuf,
    /// The directory of compiled connectors.
    pub(crate) cache: PathBuf,
    /// Memory for the pages of the store, in bytes.
    pub(crate) store_cache_bytes: usize,
    /// How the log is written.
    pub(crate) log_format: LogFormat,
    /// What is logged.
    pub(crate) log_level: String,
    /// The file of the key that secrets are sealed under.
    pub(crate) secrets_key_file: Option<PathBuf>,
    /// The file of the authorities that connectors trust besides those of the machine.
    pub(crate) certificate_authorities: Option<PathBuf>,
    /// Which events tell of runs.
    pub(crate) lifecycle: LifecycleEvents,
    /// What the log of a tenant keeps of events.
    pub(crate) event_log: EventLog,
    /// How long runs are kept once they have ended.
    pub(crate) retention: Retention,
    /// Where events are delivered to.
    pub(crate) sinks: Sinks,
    /// Who may use the host.
    pub(crate) tokens: Vec<TokenHash>,
    /// Processes of the machine, and for whom.
    pub(crate) processes: Processes,
}

impl Typed {
    /// Reads a `baton.toml`.
    ///
    /// # Errors
    ///
    /// The file can't be read, is no TOML, or holds what isn't a setting; with the place.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::invalid(format!("cannot read the configuration {}", path.display()))
                .because(&error)
        })?;
        Self::parse(&path.display().to_string(), &text)
    }

    fn parse(origin: &str, text: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| {
            let failure =
                Failure::invalid(format!("the configuration is wrong: {}", error.message()));
            failure.at(origin, text, error.span().unwrap_or(0..0))
        })
    }

    /// These settings, and for what they leave open, those of `other`.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            listen: self.listen.or(other.listen),
            data: self.data.or(other.data),
            cache: self.cache.or(other.cache),
            store_cache_mib: self.store_cache_mib.or(other.store_cache_mib),
            log_format: self.log_format.or(other.log_format),
            log_level: self.log_level.or(other.log_level),
            secrets_key_file: self.secrets_key_file.or(other.secrets_key_file),
            certificate_authorities: self
                .certificate_authorities
                .or(other.certificate_authorities),
            lifecycle_events: self.lifecycle_events.or(other.lifecycle_events),
            event_log_hours: self.event_log_hours.or(other.event_log_hours),
            event_log_mib: self.event_log_mib.or(other.event_log_mib),
            event_log_count: self.event_log_count.or(other.event_log_count),
            retention: self.retention.or(other.retention),
            tenants: if self.tenants.is_empty() {
                other.tenants
            } else {
                self.tenants
            },
            sinks: if self.sinks.is_empty() {
                other.sinks
            } else {
                self.sinks
            },
            tokens: if self.tokens.is_empty() {
                other.tokens
            } else {
                self.tokens
            },
            processes: match self.processes == Processes::default() {
                true => other.processes,
                false => self.processes,
            },
        }
    }

    /// What the settings mean, with `data` and `log_level` for what they leave open.
    pub(crate) fn resolve(self, data: PathBuf, log_level: &str) -> Resolved {
        let data = self.data.unwrap_or(data);
        Resolved {
            listen: self.listen.unwrap_or(LISTEN_DEFAULT),
            cache: self.cache.unwrap_or_else(|| data.join("compiled")),
            data,
            store_cache_bytes: usize::from(self.store_cache_mib.unwrap_or(16)) << 20,
            log_format: self.log_format.unwrap_or_default(),
            log_level: self.log_level.unwrap_or_else(|| log_level.to_owned()),
            secrets_key_file: self.secrets_key_file,
            certificate_authorities: self.certificate_authorities,
            lifecycle: self.lifecycle_events.unwrap_or_default().into(),
            event_log: EventLog {
                hours: self.event_log_hours,
                mib: self.event_log_mib,
                count: self.event_log_count,
            },
            retention: retention::resolve(self.retention, &self.tenants),
            sinks: self.sinks,
            tokens: self.tokens,
            processes: self.processes,
        }
    }
}

#[cfg(test)]
mod tests {
    use annotate_snippets::Renderer;

    use super::*;
    use crate::render::failure::render_with;

    fn error(text: &str) -> String {
        let failure = Typed::parse("baton.toml", text).expect_err("the file is wrong");
        render_with(&failure, &Renderer::plain())
    }

    #[test]
    fn reads_every_setting() {
        let text = r#"
            listen = "0.0.0.0:80"
            data = "/var/lib/baton"
            cache = "/var/cache/baton"
            store-cache-mib = 64
            log-format = "json"
            log-level = "warn"
            secrets-key-file = "/etc/baton/secrets.key"
            certificate-authorities = "/etc/baton/authorities.pem"
            lifecycle-events = "workflows"
            event-log-hours = 24
            event-log-mib = 2
            event-log-count = 1000
            retention = "30d"

            [[tenant]]
            name = "acme"
            retention = "forever"

            [[sink]]
            name = "audit"
            url = "https://audit.example.org/events"
            types = ["io.serverlessworkflow.*"]
            headers = { authorization = "Bearer x" }

            [[token]]
            tenant = "acme"
            name = "ci"
            sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

            [processes]
            shell = ["acme"]
        "#;
        let resolved = Typed::parse("baton.toml", text)
            .expect("it is right")
            .resolve("other".into(), "info");
        let expected = Resolved {
            listen: "0.0.0.0:80".parse().expect("an address"),
            data: "/var/lib/baton".into(),
            cache: "/var/cache/baton".into(),
            store_cache_bytes: 64 << 20,
            log_format: LogFormat::Json,
            log_level: "warn".into(),
            secrets_key_file: Some("/etc/baton/secrets.key".into()),
            certificate_authorities: Some("/etc/baton/authorities.pem".into()),
            lifecycle: LifecycleEvents::Workflows,
            event_log: EventLog {
                hours: NonZeroU32::new(24),
                mib: NonZeroU32::new(2),
                count: NonZeroU32::new(1000),
            },
            retention: resolved.retention.clone(),
            sinks: resolved.sinks.clone(),
            tokens: resolved.tokens.clone(),
            processes: resolved.processes.clone(),
        };
        assert_eq!(resolved, expected);
        assert_eq!(resolved.tokens[0].tenant.as_str(), "acme");
        let days = Duration::from_secs(30 * 24 * 3600);
        assert_eq!(resolved.retention.default, Some(days));
        assert_eq!(resolved.retention.of(&resolved.tokens[0].tenant), None);
        assert_eq!(resolved.processes.shell[0].0.as_str(), "acme");
        assert!(!resolved.sinks.is_empty());
        let mut limits = EngineLimits::default();
        resolved.event_log.apply(&mut limits);
        assert_eq!(limits.event_log_age, Duration::from_secs(24 * 3600));
        assert_eq!(
            (limits.event_log_bytes, limits.event_log_events),
            (2 << 20, 1000)
        );
    }

    #[test]
    fn what_is_said_of_the_event_log_is_what_the_engine_does_by_itself() {
        let said = Typed {
            event_log_hours: NonZeroU32::new(168),
            event_log_mib: NonZeroU32::new(256),
            event_log_count: NonZeroU32::new(1_000_000),
            ..Typed::default()
        };
        let mut limits = EngineLimits::default();
        let resolved = said.resolve("state".into(), "info");
        resolved.event_log.apply(&mut limits);
        let expected = EngineLimits::default();
        assert_eq!(limits.event_log_age, expected.event_log_age);
        assert_eq!(limits.event_log_bytes, expected.event_log_bytes);
        assert_eq!(limits.event_log_events, expected.event_log_events);
    }

    #[test]
    fn what_is_left_open_has_a_default() {
        let resolved = Typed::default().resolve("state".into(), "info");
        assert_eq!(resolved.listen, LISTEN_DEFAULT);
        assert_eq!(resolved.cache, Path::new("state/compiled"));
        assert_eq!(resolved.store_cache_bytes, 16 << 20);
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let flag = Typed {
            log_level: Some("debug".into()),
            ..Typed::default()
        };
        let file = Typed {
            log_level: Some("warn".into()),
            store_cache_mib: Some(1),
            ..Typed::default()
        };
        let both = flag.or(file).resolve("state".into(), "info");
        assert_eq!(
            (both.log_level.as_str(), both.store_cache_bytes),
            ("debug", 1 << 20)
        );
    }

    #[test]
    fn an_unknown_setting_is_shown_in_its_place() {
        insta::assert_snapshot!(error("data = \"d\"\nlisten-on = \"127.0.0.1:1\"\n"), @r#"
        error: the configuration is wrong: unknown field `listen-on`, expected one of `listen`, `data`, `cache`, `store-cache-mib`, `log-format`, `log-level`, `secrets-key-file`, `certificate-authorities`, `lifecycle-events`, `event-log-hours`, `event-log-mib`, `event-log-count`, `retention`, `tenant`, `sink`, `token`, `processes`
         --> baton.toml:2:1
          |
        2 | listen-on = "127.0.0.1:1"
          | ^^^^^^^^^
        "#);
    }

    #[test]
    fn a_value_of_the_wrong_form_is_shown_in_its_place() {
        insta::assert_snapshot!(error("listen = \"localhost\"\n"), @r#"
        error: the configuration is wrong: invalid socket address syntax
         --> baton.toml:1:10
          |
        1 | listen = "localhost"
          |          ^^^^^^^^^^^
        "#);
        insta::assert_snapshot!(error("log-format = \"xml\"\n"), @r#"
        error: the configuration is wrong: unknown variant `xml`, expected `text` or `json`
         --> baton.toml:1:14
          |
        1 | log-format = "xml"
          |              ^^^^^
        "#);
        insta::assert_snapshot!(error("listen = 1\n"), @r##"
        error: the configuration is wrong: invalid type: integer `1`, expected socket address
         --> baton.toml:1:10
          |
        1 | listen = 1
          |          ^
        "##);
    }

    #[test]
    fn a_token_itself_is_refused_where_its_hash_belongs() {
        let text = "[[token]]\ntenant = \"acme\"\nname = \"ci\"\nsha256 = \"baton_secret\"\n";
        insta::assert_snapshot!(error(text), @r"
        error: the configuration is wrong: a token's `sha256` has 64 hex digits; `baton token new` makes a token and its hash
         --> baton.toml:1:1
          |
        1 | [[token]]
          | ^^^^^^^^^
        ");
    }
}
