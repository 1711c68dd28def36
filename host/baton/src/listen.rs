//! A host's socket: bound, announced, served until somebody asks to stop.

use std::net::SocketAddr;

use baton_engine::{Engine, TenantId};
use baton_server::{Authenticator, ServerSettings, Tokens};
use tokio::net::TcpListener;

use crate::failure::Failure;
use crate::signal::Interrupts;
use crate::tokens::TokenHash;

/// A socket that is bound and not yet served.
///
/// It is bound before the store is opened: a port that is taken costs no recovery, and requests that come
/// meanwhile wait in the socket's queue.
pub(crate) struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    interrupts: Interrupts,
}

impl Listening {
    /// Binds the address.
    ///
    /// # Errors
    ///
    /// It is taken, or not of this machine.
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, Failure> {
        let bound = TcpListener::bind(address)
            .await
            .and_then(|listener| Ok((listener.local_addr()?, listener)));
        match bound {
            Ok((address, listener)) => Ok(Self {
                listener,
                address,
                interrupts: Interrupts::new()?,
            }),
            Err(error) => {
                let failure = Failure::new(format!("cannot listen on {address}")).because(&error);
                Err(match error.kind() {
                    std::io::ErrorKind::AddrInUse => {
                        failure.help("another process has the port, maybe another host; choose one with --listen")
                    }
                    _ => failure.help("choose another address with --listen"),
                })
            }
        }
    }

    /// Where the host is reached from this machine.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Says on standard error where the host listens, in a line that programs can read:
    /// `listening on http://127.0.0.1:7070`.
    pub(crate) fn announce(&self) {
        eprintln!("listening on {}", self.url());
    }

    /// Serves the engine until Ctrl-C or `SIGTERM`, and then closes it. Without tokens, everyone is the
    /// tenant `default`.
    ///
    /// # Errors
    ///
    /// Two tokens are one.
    pub(crate) async fn serve(
        mut self,
        engine: Engine,
        tokens: Vec<TokenHash>,
    ) -> Result<(), Failure> {
        let settings = ServerSettings::new(authenticator(tokens)?);
        let stop = async move { self.interrupts.next().await };
        baton_server::serve(self.listener, engine.clone(), settings, stop).await;
        engine.shutdown().await;
        Ok(())
    }
}

/// Who may ask.
fn authenticator(tokens: Vec<TokenHash>) -> Result<Authenticator, Failure> {
    if tokens.is_empty() {
        return Ok(Authenticator::Open {
            tenant: TenantId::default(),
        });
    }
    let mut known = Tokens::new();
    for TokenHash {
        tenant,
        name,
        digest,
        operator,
    } in tokens
    {
        let added = match operator {
            true => known.add_operator(digest, tenant, name),
            false => known.add(digest, tenant, name),
        };
        added.map_err(|error| Failure::invalid(&error))?;
    }
    Ok(Authenticator::Tokens(known))
}
