//! `baton:connector/tcp`: connections, to the `host:port` pairs of the grant.

use std::io::Cursor;
use std::sync::Arc;

use tokio::io::AsyncReadExt as _;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::pipe::{AsyncReadStream, AsyncWriteStream};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

use super::refusals::Refusals;
use super::{Capability, Moments, Preparation};
use crate::bindings::baton::connector::tcp::{self, Error, Security};
use crate::egress::dial::{self, Bounded, DialError, Filling};
use crate::egress::{Rules, Trust};
use crate::limits::{TCP_CONNECTIONS_MAX, TCP_UNSENT_BYTES_MAX};
use crate::outcome::Refusal;
use crate::quota::{Quota, Renewals};
use crate::secret::{Destination, Keyring};
use crate::state::State;
use crate::{GrantError, GrantSpec};

/// The capability.
pub(crate) struct Tcp;

/// The connections of a call.
pub(crate) struct Connections {
    rules: Arc<Rules>,
    keyring: Keyring,
    bytes_max: u64,
    renewals: Renewals,
    trust: Arc<Trust>,
    opened: usize,
    refusals: Refusals,
}

impl Connections {
    /// Whether the call has made a connection, or wanted to.
    pub(crate) fn is_used(&self) -> bool {
        self.opened > 0 || !self.refusals.is_empty()
    }

    /// What the call was refused.
    pub(crate) fn refusals(&self) -> Refusals {
        self.refusals.clone()
    }

    fn refuse(&mut self, request: String, reason: &str, rule: Option<String>) -> Error {
        let way_out = rule
            .as_ref()
            .map(|rule| format!("; it takes the grant `tcp: [\"{rule}\"]`"));
        let message = format!("{reason}{}", way_out.unwrap_or_default());
        self.refusals.note(Refusal {
            capability: Capability::Tcp,
            request,
            reason: message.clone(),
            // It is no rule of egress.
            rule: None,
        });
        Error::Denied(message)
    }
}

impl Moments for Tcp {
    const INTERFACES: &'static [&'static str] = &["baton:connector/tcp"];
    type Granted = Arc<Rules>;
    type Prepared = Connections;

    fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
        tcp::add_to_linker::<State, Self>(linker, |state| View {
            table: &mut state.table,
            connections: &mut state.capabilities.tcp,
        })
    }

    fn configure(spec: &GrantSpec) -> Result<Arc<Rules>, GrantError> {
        let rules = spec.tcp.iter().enumerate().map(|(index, text)| {
            dial::rule(text).map_err(|source| GrantError::Tcp { index, source })
        });
        Ok(Arc::new(Rules::new(rules.collect::<Result<_, _>>()?)))
    }

    fn prepare(granted: &Arc<Rules>, call: &Preparation<'_>) -> Connections {
        Connections {
            rules: Arc::clone(granted),
            keyring: call.keyring.clone(),
            bytes_max: call.limits.response as u64,
            renewals: call.renewals.clone(),
            trust: Arc::clone(call.trust),
            opened: 0,
            refusals: Refusals::default(),
        }
    }
}

/// What the function works on.
pub(crate) struct View<'a> {
    table: &'a mut ResourceTable,
    connections: &'a mut Connections,
}

impl HasData for Tcp {
    type Data<'a> = View<'a>;
}

/// Both directions of a connection.
type Streams = (Resource<DynInputStream>, Resource<DynOutputStream>);

impl tcp::Host for View<'_> {
    async fn connect(
        &mut self,
        host: String,
        port: u16,
        security: Security,
    ) -> wasmtime::Result<Result<Streams, Error>> {
        let connections = &mut *self.connections;
        let request = format!("TCP {host}:{port}");
        if connections.opened >= TCP_CONNECTIONS_MAX {
            let reason = format!("a call may make {TCP_CONNECTIONS_MAX} connections at most");
            return Ok(Err(connections.refuse(request, &reason, None)));
        }
        let Some((target, uri)) = dial::target(&host, port) else {
            return Ok(Err(connections.refuse(request, "this is no host", None)));
        };
        connections.opened += 1;
        let security = match security {
            Security::Plain => dial::Security::Plain,
            Security::Tls => dial::Security::Tls,
            Security::TlsAfterGreeting => dial::Security::TlsAfterGreeting,
        };
        let dialled = dial::dial(
            &connections.rules,
            &target,
            &uri,
            security,
            &connections.trust,
        );
        let dialled = match dialled.await {
            Ok(dialled) => dialled,
            Err(DialError::Denied { reason, rule }) => {
                return Ok(Err(connections.refuse(request, &reason, Some(rule))));
            }
            Err(DialError::Unreachable(why)) => return Ok(Err(Error::Unreachable(why))),
            Err(DialError::Insecure(why)) => return Ok(Err(Error::Insecure(why))),
        };
        let (reader, writer) = tokio::io::split(dialled.connection);
        let reader = Bounded {
            reader: Cursor::new(dialled.greeting).chain(reader),
            quota: Quota::new(connections.bytes_max, &connections.renewals),
        };
        let to = Destination {
            host: target.host,
            port,
        };
        let writer = Filling::new(writer, connections.keyring.clone(), to);
        let input: DynInputStream = Box::new(AsyncReadStream::new(reader));
        let output: DynOutputStream = Box::new(AsyncWriteStream::new(TCP_UNSENT_BYTES_MAX, writer));
        Ok(Ok((self.table.push(input)?, self.table.push(output)?)))
    }
}
