//! What a connector may do besides computing.
//!
//! A capability is a file here with the same three moments, those of [`Moments`]:
//!
//! 1. **link** at start: its interfaces are put into the linker, once for the host;
//! 2. **configure** by grant: what the tenant granted is parsed and checked, once for a grant;
//! 3. **prepare** for a call: the state of one call is made.
//!
//! [`Granted`] and [`Prepared`] list them all. To add one: write its file, and add it to the enum, the two
//! structs and the table of interfaces below; the compiler names the places.

pub(crate) mod cache;
pub(crate) mod call;
pub(crate) mod clock;
pub(crate) mod config;
pub(crate) mod http;
pub(crate) mod inert;
pub(crate) mod items;
pub(crate) mod log;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod refusals;
pub(crate) mod secrets;
pub(crate) mod tcp;

use std::fmt;

use serde::{Deserialize, Serialize};
use wasmtime::component::Linker;

use crate::egress::{Rewrite, Trust};
use crate::outcome::Refusal;
use crate::quota::Renewals;
use crate::secret::Keyring;
use crate::state::State;
use crate::{CallContext, GrantError, GrantSpec, Limits};

/// A group of interfaces that is granted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Outgoing HTTP requests, to where the grant's egress rules allow.
    Http,
    /// Lines for the run's log. Always granted.
    Log,
    /// The connector's settings.
    Config,
    /// The time. Always granted; a call that reads it is impure.
    Clock,
    /// Random numbers, seeded from the call's identity. Always granted.
    Random,
    /// Which call this is, and heartbeats. Always granted.
    Call,
    /// Secrets, by placeholder, as far as they are granted by name.
    Secrets,
    /// A memory from one call to the next. Always granted; a call that reads it is impure.
    Cache,
    /// Connections over TCP, to the `host:port` pairs of the grant.
    Tcp,
    /// Processes of the host's machine, where the operator has turned them on.
    Process,
    /// The items of a call that goes on, such as messages of a subscription. Always granted; a call that hands
    /// one over is impure.
    Items,
    /// The rest of WASI, where nothing can be had: no environment, files or sockets. Always there.
    Inert,
}

/// The interfaces of each capability, without versions.
const INTERFACES: [(Capability, &[&str]); 12] = [
    (Capability::Http, http::Http::INTERFACES),
    (Capability::Log, log::Log::INTERFACES),
    (Capability::Config, config::Config::INTERFACES),
    (Capability::Clock, clock::Clock::INTERFACES),
    (Capability::Random, random::Random::INTERFACES),
    (Capability::Call, call::Call::INTERFACES),
    (Capability::Secrets, secrets::Secrets::INTERFACES),
    (Capability::Cache, cache::Cache::INTERFACES),
    (Capability::Tcp, tcp::Tcp::INTERFACES),
    (Capability::Process, process::Process::INTERFACES),
    (Capability::Items, items::Items::INTERFACES),
    (Capability::Inert, inert::Inert::INTERFACES),
];

impl Capability {
    /// The name, as in a description or a history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Log => "log",
            Self::Config => "config",
            Self::Clock => "clock",
            Self::Random => "random",
            Self::Call => "call",
            Self::Secrets => "secrets",
            Self::Cache => "cache",
            Self::Tcp => "tcp",
            Self::Process => "process",
            Self::Items => "items",
            Self::Inert => "inert",
        }
    }

    /// Whether importing it asks for something that an operator would want to know about.
    #[must_use]
    pub const fn is_requested(self) -> bool {
        !matches!(self, Self::Call | Self::Cache | Self::Items | Self::Inert)
    }

    /// The capability of an interface, with or without its version.
    pub(crate) fn of(interface: &str) -> Option<Self> {
        let name = interface
            .split_once('@')
            .map_or(interface, |(name, _)| name);
        INTERFACES
            .into_iter()
            .find(|(_, interfaces)| interfaces.contains(&name))
            .map(|(capability, _)| capability)
    }

    /// All interfaces that the host has, without versions.
    pub(crate) fn interfaces() -> impl Iterator<Item = &'static str> {
        INTERFACES
            .into_iter()
            .flat_map(|(_, interfaces)| interfaces.iter().copied())
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The three moments of a capability.
pub(crate) trait Moments {
    /// The interfaces it provides, without versions.
    const INTERFACES: &'static [&'static str];
    /// What a grant gives.
    type Granted;
    /// The state of a call.
    type Prepared;

    /// At start: puts the interfaces into the linker.
    fn link(linker: &mut Linker<State>) -> wasmtime::Result<()>;

    /// By grant: parses and checks what is granted.
    fn configure(spec: &GrantSpec) -> Result<Self::Granted, GrantError>;

    /// For a call: makes its state.
    fn prepare(granted: &Self::Granted, call: &Preparation<'_>) -> Self::Prepared;
}

/// What there is to know when a call is prepared.
pub(crate) struct Preparation<'a> {
    pub(crate) context: &'a CallContext,
    pub(crate) limits: &'a Limits,
    /// The call's log, which more than one capability writes to.
    pub(crate) journal: &'a log::Journal,
    /// When the host ends the call.
    pub(crate) deadline: tokio::time::Instant,
    pub(crate) rewrite: Option<&'a std::sync::Arc<Rewrite>>,
    /// What the call may use of secrets: shared by all capabilities that let something out.
    pub(crate) keyring: &'a Keyring,
    /// How often the call's bounds have begun anew.
    pub(crate) renewals: &'a Renewals,
    /// Whom the host trusts.
    pub(crate) trust: &'a std::sync::Arc<Trust>,
}

/// All capabilities, as a grant gives them. What needs no configuration is not listed.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) http: <http::Http as Moments>::Granted,
    pub(crate) config: <config::Config as Moments>::Granted,
    pub(crate) secrets: <secrets::Secrets as Moments>::Granted,
    pub(crate) cache: <cache::Cache as Moments>::Granted,
    pub(crate) tcp: <tcp::Tcp as Moments>::Granted,
    pub(crate) process: <process::Process as Moments>::Granted,
}

/// All capabilities, as a call has them.
pub(crate) struct Prepared {
    pub(crate) http: <http::Http as Moments>::Prepared,
    pub(crate) log: <log::Log as Moments>::Prepared,
    pub(crate) config: <config::Config as Moments>::Prepared,
    pub(crate) clock: <clock::Clock as Moments>::Prepared,
    pub(crate) random: <random::Random as Moments>::Prepared,
    pub(crate) call: <call::Call as Moments>::Prepared,
    pub(crate) secrets: <secrets::Secrets as Moments>::Prepared,
    pub(crate) cache: <cache::Cache as Moments>::Prepared,
    pub(crate) tcp: <tcp::Tcp as Moments>::Prepared,
    pub(crate) process: <process::Process as Moments>::Prepared,
    pub(crate) items: <items::Items as Moments>::Prepared,
    pub(crate) inert: <inert::Inert as Moments>::Prepared,
}

pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    inert::Inert::link(linker)?;
    http::Http::link(linker)?;
    log::Log::link(linker)?;
    config::Config::link(linker)?;
    clock::Clock::link(linker)?;
    random::Random::link(linker)?;
    call::Call::link(linker)?;
    secrets::Secrets::link(linker)?;
    cache::Cache::link(linker)?;
    tcp::Tcp::link(linker)?;
    process::Process::link(linker)?;
    items::Items::link(linker)
}

impl Granted {
    pub(crate) fn configure(spec: &GrantSpec) -> Result<Self, GrantError> {
        Ok(Self {
            http: http::Http::configure(spec)?,
            config: config::Config::configure(spec)?,
            secrets: secrets::Secrets::configure(spec)?,
            cache: cache::Cache::configure(spec)?,
            tcp: tcp::Tcp::configure(spec)?,
            process: process::Process::configure(spec)?,
        })
    }
}

impl Prepared {
    pub(crate) fn prepare(granted: &Granted, call: &Preparation<'_>) -> Self {
        Self {
            http: http::Http::prepare(&granted.http, call),
            log: log::Log::prepare(&(), call),
            config: config::Config::prepare(&granted.config, call),
            clock: clock::Clock::prepare(&(), call),
            random: random::Random::prepare(&(), call),
            call: call::Call::prepare(&(), call),
            secrets: secrets::Secrets::prepare(&granted.secrets, call),
            cache: cache::Cache::prepare(&granted.cache, call),
            tcp: tcp::Tcp::prepare(&granted.tcp, call),
            process: process::Process::prepare(&granted.process, call),
            items: items::Items::prepare(&(), call),
            inert: inert::Inert::prepare(&(), call),
        }
    }

    /// Whether the call has used nothing that could differ next time.
    pub(crate) fn is_pure(&self) -> bool {
        !(self.http.is_used()
            || self.config.is_used()
            || self.clock.is_used()
            || self.call.is_used()
            || self.secrets.is_used()
            || self.cache.is_used()
            || self.tcp.is_used()
            || self.process.is_used()
            || self.items.is_used())
    }

    /// What the call was refused, by any of them.
    pub(crate) fn refusals(&self) -> Vec<Refusal> {
        let mut refusals = self.secrets.refusals();
        refusals.append(self.http.refusals());
        refusals.append(self.tcp.refusals());
        refusals.append(self.process.refusals());
        refusals.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_belong_to_one_capability_each() {
        let mut all: Vec<_> = Capability::interfaces().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn capabilities_are_found_with_and_without_a_version() {
        assert_eq!(
            Capability::of("wasi:http/outgoing-handler@0.2.12"),
            Some(Capability::Http)
        );
        assert_eq!(
            Capability::of("wasi:http/outgoing-handler"),
            Some(Capability::Http)
        );
        assert_eq!(Capability::of("wasi:http/incoming-handler@0.2.12"), None);
        assert_eq!(Capability::of("acme:thing/http"), None);
    }
}
