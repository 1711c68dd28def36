//! Connections to where the rules allow, and to nowhere else.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tower_service::Service;
use url::Host;

use super::address::{LOOPBACK, is_localhost};
use super::lookup::Lookups;
use super::rules::Rules;
use super::target::{Scheme, normal_host};
use crate::limits::CONNECT_TIMEOUT;

tokio::task_local! {
    /// How long the request that asks for a connection is willing to wait for it.
    pub(super) static PATIENCE: Duration;
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// Every address of the host is a special one that no rule grants.
    #[error("{address} is {what}")]
    Refused {
        /// The first address that was refused.
        address: IpAddr,
        /// What it is.
        what: &'static str,
    },
    /// The URL has no host.
    #[error("the URL has no host")]
    NoHost,
    /// The host's name does not resolve.
    #[error("the host's name does not resolve: {0}")]
    Resolve(#[source] io::Error),
    /// The other side did not accept.
    #[error("no connection: {0}")]
    Connect(#[source] io::Error),
    /// It took longer than the request is willing to wait.
    #[error("no connection in time")]
    TimedOut,
}

/// Makes TCP connections, after checking every address.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) rules: Arc<Rules>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let rules = Arc::clone(&self.rules);
        Box::pin(async move { connect(&rules, &uri).await.map(TokioIo::new) })
    }
}

/// A connector that makes connections within the time that the request is willing to wait, all that belongs to them
/// included.
#[derive(Debug, Clone)]
pub(super) struct InTime<C>(pub(super) C);

impl<C> Service<Uri> for InTime<C>
where
    C: Service<Uri, Error = BoxError>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let deadline = Instant::now() + patience();
        let connection = self.0.call(uri);
        Box::pin(async move {
            let late = |_| Err(ConnectError::TimedOut.into());
            timeout_at(deadline, connection).await.unwrap_or_else(late)
        })
    }
}

/// How long the request is willing to wait for a connection.
fn patience() -> Duration {
    let asked = PATIENCE.try_with(|patience| *patience);
    asked.unwrap_or(CONNECT_TIMEOUT)
}

/// Connects to the host of a URI, within the time that the request is willing to wait.
pub(super) async fn connect(rules: &Rules, uri: &Uri) -> Result<TcpStream, ConnectError> {
    let deadline = Instant::now() + patience();
    let scheme = uri
        .scheme_str()
        .and_then(Scheme::from_name)
        .ok_or(ConnectError::NoHost)?;
    let host = uri
        .host()
        .and_then(normal_host)
        .ok_or(ConnectError::NoHost)?;
    let port = uri.port_u16().unwrap_or_else(|| scheme.default_port());
    let addresses = timeout_at(deadline, resolve(&host, port, rules.lookups()))
        .await
        .map_err(|_| ConnectError::TimedOut)??;
    let allowed = allowed(rules, &host, scheme, &addresses)?;
    let mut last = ConnectError::TimedOut;
    for (tried, address) in allowed.iter().enumerate() {
        // Each address gets its share of the time that is left, so that one that does not answer leaves
        // some for the next.
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(allowed.len() - tried).unwrap_or(u32::MAX);
        match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Requests are small and answered at once; waiting to fill a packet only delays them.
                stream.set_nodelay(true).map_err(ConnectError::Connect)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = ConnectError::Connect(error),
            Err(_) => last = ConnectError::TimedOut,
        }
    }
    Err(last)
}

async fn resolve(
    host: &Host,
    port: u16,
    lookups: &Lookups,
) -> Result<Vec<SocketAddr>, ConnectError> {
    let literal = |address: IpAddr| vec![SocketAddr::new(address, port)];
    match host {
        Host::Ipv4(address) => Ok(literal((*address).into())),
        Host::Ipv6(address) => Ok(literal((*address).into())),
        Host::Domain(name) if is_localhost(name) => Ok(LOOPBACK
            .into_iter()
            .map(|address| SocketAddr::new(address, port))
            .collect()),
        Host::Domain(name) => {
            let addresses = lookups.addresses(name, port).await;
            let addresses = addresses.map_err(ConnectError::Resolve)?;
            if addresses.is_empty() {
                return Err(ConnectError::Resolve(io::Error::other("it has no address")));
            }
            Ok(addresses)
        }
    }
}

/// Leaves the addresses that may be connected to.
fn allowed(
    rules: &Rules,
    host: &Host,
    scheme: Scheme,
    addresses: &[SocketAddr],
) -> Result<Vec<SocketAddr>, ConnectError> {
    let mut allowed = Vec::new();
    let mut refused = ConnectError::NoHost;
    for address in addresses.iter().rev() {
        match rules.check_address(host, scheme, address.ip(), address.port()) {
            Ok(()) => allowed.push(*address),
            Err(what) => {
                refused = ConnectError::Refused {
                    address: address.ip(),
                    what,
                }
            }
        }
    }
    allowed.reverse();
    if allowed.is_empty() {
        Err(refused)
    } else {
        Ok(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(rules: &[&str]) -> Rules {
        Rules::new(rules.iter().map(|rule| rule.parse().unwrap()).collect())
    }

    #[tokio::test]
    async fn localhost_never_asks_a_resolver() {
        let addresses = resolve(
            &Host::Domain("app.localhost".to_owned()),
            80,
            &Lookups::default(),
        )
        .await
        .unwrap();
        assert_eq!(
            addresses,
            ["127.0.0.1:80".parse().unwrap(), "[::1]:80".parse().unwrap()]
        );
    }

    #[test]
    fn only_granted_addresses_are_left() {
        let addresses =
            ["127.0.0.1:80", "[::1]:80", "1.1.1.1:80"].map(|address| address.parse().unwrap());
        let host = Host::Domain("example.org".to_owned());
        let left =
            |granted: &[&str]| allowed(&rules(granted), &host, Scheme::Http, &addresses).unwrap();
        assert_eq!(left(&[]), [addresses[2]]);
        assert_eq!(left(&["http://127.0.0.1"]), [addresses[0], addresses[2]]);
        assert_eq!(left(&["http://localhost"]), addresses);
    }

    #[test]
    fn a_host_with_no_granted_address_is_refused() {
        let addresses = ["10.0.0.1:80", "[::1]:80"].map(|address| address.parse().unwrap());
        let host = Host::Domain("example.org".to_owned());
        let error = allowed(&rules(&["http://*"]), &host, Scheme::Http, &addresses).unwrap_err();
        assert_eq!(error.to_string(), "10.0.0.1 is a private address");
    }
}
