//! Connections over TCP to where a grant allows, and what is done to the bytes on the way.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Method, Uri};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::connect::{ConnectError, connect};
use super::rule::{Rule, RuleError};
use super::rules::Rules;
use super::target::Target;
use super::trust::{Trust, distrust};
use crate::limits::{CONNECT_TIMEOUT, GREETING_BYTES_MAX};
use crate::quota::Quota;
use crate::secret::{Destination, Encoding, Keyring, Used};

/// A connection, whatever secures it.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// How a connection is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    /// Not at all.
    Plain,
    /// By TLS from the beginning.
    Tls,
    /// By TLS, once the other side has said a line in clear text.
    TlsAfterGreeting,
}

/// A connection that has been made.
pub(crate) struct Dialled {
    pub(crate) connection: Box<dyn Connection>,
    /// What the other side has said in clear text.
    pub(crate) greeting: Vec<u8>,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum DialError {
    /// The grant does not have it, or its address is a special one. What would have to be granted.
    Denied { reason: String, rule: String },
    /// Nobody answered.
    Unreachable(String),
    /// There was no agreement on TLS.
    Insecure(String),
}

/// Reads what a grant says of connections: `host:port`, the host as in an egress rule.
///
/// # Errors
///
/// The text is no such pair.
pub(crate) fn rule(text: &str) -> Result<Rule, RuleError> {
    let wrong = |problem: &str| RuleError {
        rule: text.to_owned(),
        problem: problem.to_owned(),
    };
    let (host, port) = text
        .rsplit_once(':')
        .ok_or_else(|| wrong("it has no port: write it like `broker.example.org:4222`"))?;
    let is_port = port == "*" || port.parse::<u16>().is_ok_and(|port| port > 0);
    if !is_port || host.contains(['/', '@', ' ']) {
        return Err(wrong(
            "it is no host and port: write it like `broker.example.org:4222`",
        ));
    }
    let rule = format!("http://{text}").parse::<Rule>();
    rule.map_err(|error| wrong(&error.problem))
}

/// Where a connection goes, as rules compare it.
pub(crate) fn target(host: &str, port: u16) -> Option<(Target, Uri)> {
    let host = match host.contains(':') && !host.starts_with('[') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    let uri: Uri = format!("http://{host}:{port}/").parse().ok()?;
    let target = Target::of(&Method::GET, &uri).ok()?;
    Some((target, uri))
}

/// Connects to a target.
///
/// # Errors
///
/// See [`DialError`].
pub(crate) async fn dial(
    rules: &Rules,
    target: &Target,
    uri: &Uri,
    security: Security,
    trust: &Trust,
) -> Result<Dialled, DialError> {
    let place = format!("{}:{}", target.host, target.port);
    rules.check(target).map_err(|_| DialError::Denied {
        reason: format!("the grant has no connection to {place}"),
        rule: place.clone(),
    })?;
    let mut stream = connect(rules, uri).await.map_err(|error| match error {
        ConnectError::Refused { address, what } => DialError::Denied {
            reason: format!(
                "the host's address {address} is {what}, which must be granted by address"
            ),
            rule: std::net::SocketAddr::new(address, target.port).to_string(),
        },
        other => DialError::Unreachable(format!("{place}: {other}")),
    })?;
    let mut greeting = Vec::new();
    match security {
        Security::Plain => {
            let connection = Box::new(stream);
            return Ok(Dialled {
                connection,
                greeting,
            });
        }
        Security::Tls => {}
        Security::TlsAfterGreeting => {
            let said = timeout(CONNECT_TIMEOUT, line(&mut stream)).await;
            let failed = |why: String| DialError::Unreachable(format!("{place}: {why}"));
            greeting = match said {
                Ok(Ok(line)) => line,
                Ok(Err(error)) => return Err(failed(error.to_string())),
                Err(_) => return Err(failed("it says nothing in time".to_owned())),
            };
        }
    }
    let insecure = |why: String| DialError::Insecure(format!("{place}: {why}"));
    let host = target.host.to_string();
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
        .map_err(|error| insecure(error.to_string()))?;
    let mut config = ClientConfig::clone(trust.config());
    // What is spoken inside is the connector's affair.
    config.alpn_protocols.clear();
    let connector = TlsConnector::from(Arc::new(config));
    match timeout(CONNECT_TIMEOUT, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(Dialled {
            connection: Box::new(stream),
            greeting,
        }),
        Ok(Err(error)) => Err(insecure(
            distrust(&error).unwrap_or_else(|| error.to_string()),
        )),
        Err(_) => Err(insecure("no agreement on TLS in time".to_owned())),
    }
}

/// The first line that the other side says, and not a byte more: what follows is TLS.
async fn line(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        if line.len() >= GREETING_BYTES_MAX {
            return Err(io::Error::other("its greeting is longer than it may be"));
        }
        line.push(stream.read_u8().await?);
    }
    Ok(line)
}

/// What comes in, up to a limit.
pub(crate) struct Bounded<R> {
    pub(crate) reader: R,
    pub(crate) quota: Quota,
}

impl<R: AsyncRead + Unpin> AsyncRead for Bounded<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.reader).poll_read(cx, buf))?;
        let came = (buf.filled().len() - before) as u64;
        if !self.quota.take(came) {
            // Where reading fails, nothing may have been read.
            buf.set_filled(before);
            return Poll::Ready(Err(io::Error::other(
                "the connection brought more than the limit `response` of the grant",
            )));
        }
        Poll::Ready(Ok(()))
    }
}

/// What goes out, with secrets filled in where a placeholder is within one write.
pub(crate) struct Filling<W> {
    writer: W,
    keyring: Keyring,
    to: Destination,
    /// What has been filled in and not been written yet.
    pending: Zeroizing<Vec<u8>>,
    written: usize,
}

impl<W> Filling<W> {
    pub(crate) fn new(writer: W, keyring: Keyring, to: Destination) -> Self {
        Self {
            writer,
            keyring,
            to,
            pending: Zeroizing::default(),
            written: 0,
        }
    }
}

impl<W: AsyncWrite + Unpin> Filling<W> {
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.pending.len() {
            let rest = &self.pending[self.written..];
            match ready!(Pin::new(&mut self.writer).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        self.pending = Zeroizing::default();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Filling<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_drain(cx))?;
        let mut used = Used::default();
        let filled = self
            .keyring
            .fill(bytes, Encoding::Raw, &self.to, &mut used)
            .map_err(|error| io::Error::other(format!("refused: {error}")))?;
        match filled {
            None => Pin::new(&mut self.writer).poll_write(cx, bytes),
            Some(filled) => {
                self.pending = filled;
                // Taken as a whole; what is left of it goes out before anything else.
                if let Poll::Ready(Err(error)) = self.poll_drain(cx) {
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(Ok(bytes.len()))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.writer).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Renewals;

    #[test]
    fn a_rule_is_a_host_and_a_port() {
        for text in [
            "broker.example.org:4222",
            "127.0.0.1:4222",
            "[::1]:4222",
            "localhost:1",
            "*.example.org:443",
        ] {
            rule(text).unwrap_or_else(|error| panic!("{error}"));
        }
        for text in [
            "broker",
            "broker:",
            "broker:0",
            "broker:99999",
            "http://broker:1",
            "a/b:1",
            "u@a:1",
            ":1",
            "GET a:1",
        ] {
            rule(text).expect_err(text);
        }
    }

    #[tokio::test]
    async fn what_is_not_granted_is_denied_with_the_rule_that_would_allow_it() {
        let rules =
            |texts: &[&str]| Rules::new(texts.iter().map(|text| rule(text).expect(text)).collect());
        let denied = async |granted: &[&str], host: &str| {
            let (target, uri) = target(host, 9).expect("a target");
            let trust = Trust::default();
            match dial(&rules(granted), &target, &uri, Security::Plain, &trust).await {
                Err(DialError::Denied { rule, .. }) => rule,
                Err(other) => panic!("{other:?}"),
                Ok(_) => panic!("it is connected"),
            }
        };
        assert_eq!(denied(&[], "a.test").await, "a.test:9");
        assert_eq!(denied(&["a.test:10"], "a.test").await, "a.test:9");
        assert_eq!(denied(&["127.0.0.2:9"], "localhost").await, "localhost:9");
        assert_eq!(denied(&["127.0.0.1:9"], "::1").await, "[::1]:9");
    }

    #[tokio::test]
    async fn more_than_the_limit_is_an_error() {
        let mut bounded = Bounded {
            reader: &b"12345"[..],
            quota: Quota::new(4, &Renewals::default()),
        };
        let mut all = Vec::new();
        let error = bounded.read_to_end(&mut all).await.expect_err("too long");
        assert!(error.to_string().contains("`response`"), "{error}");
    }
}
