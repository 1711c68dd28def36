//! The HTTP client of a grant: its connections are pooled, and lead only to where its rules allow.
//!
//! Over TLS, the server chooses between HTTP/2 and HTTP/1.1 (ALPN). In clear text it is HTTP/1.1, but for gRPC,
//! which is HTTP/2 and nothing else: there it is spoken from the first byte on (RFC 9113, section 3.3).

use std::error::Error as StdError;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderMap};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{Client as Pooled, Error as PooledError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use wasmtime_wasi_http::{Error, WasiBody};

use super::connect::{ConnectError, Connector, InTime, PATIENCE};
use super::rules::Rules;
use super::target::Scheme;
use super::trust::{Trust, distrust, of_tls};
use crate::limits::{
    CONNECT_TIMEOUT, HTTP2_PING_INTERVAL, HTTP2_PING_TIMEOUT, IDLE_CONNECTION_TIMEOUT,
    IDLE_CONNECTIONS_MAX,
};

/// The pooled client of a grant. Nothing is set up before the first request.
pub(crate) struct Client {
    rules: Arc<Rules>,
    plain: OnceLock<Pooled<Connector, WasiBody>>,
    plain_http2: OnceLock<Pooled<Connector, WasiBody>>,
    secure: OnceLock<Pooled<InTime<HttpsConnector<Connector>>, WasiBody>>,
}

/// Why a request got no answer.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The host resolves to a special address that no rule grants.
    Refused { address: IpAddr, what: &'static str },
    /// Its certificate is not trusted; why, and what to do.
    Untrusted(String),
    /// Anything else, as `wasi:http` names it.
    Failed(Error),
}

impl Client {
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        Self {
            rules,
            plain: OnceLock::new(),
            plain_http2: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Sends a request whose URL has been checked, and waits for the head of the answer. `trust` is the sandbox's,
    /// the same for all requests.
    pub(crate) async fn send(
        &self,
        request: Request<WasiBody>,
        connect_timeout: Option<Duration>,
        trust: &Trust,
    ) -> Result<Response<Incoming>, SendError> {
        let patience = connect_timeout.unwrap_or(CONNECT_TIMEOUT);
        let scheme = request.uri().scheme_str().and_then(Scheme::from_name);
        let answer = PATIENCE.scope(patience, async {
            match scheme {
                Some(Scheme::Https) => self.secure(trust).request(request).await,
                _ if is_grpc(request.headers()) => self.plain_http2().request(request).await,
                _ => self.plain().request(request).await,
            }
        });
        answer.await.map_err(|error| classify(&error))
    }

    fn plain(&self) -> &Pooled<Connector, WasiBody> {
        self.plain.get_or_init(|| builder().build(self.connector()))
    }

    fn plain_http2(&self) -> &Pooled<Connector, WasiBody> {
        self.plain_http2
            .get_or_init(|| builder().http2_only(true).build(self.connector()))
    }

    fn secure(&self, trust: &Trust) -> &Pooled<InTime<HttpsConnector<Connector>>, WasiBody> {
        self.secure.get_or_init(|| {
            let config = trust.config().clone();
            let connector = HttpsConnector::from((self.connector(), config));
            builder().build(InTime(connector))
        })
    }

    fn connector(&self) -> Connector {
        Connector {
            rules: Arc::clone(&self.rules),
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

fn builder() -> hyper_util::client::legacy::Builder {
    let mut builder = Pooled::builder(TokioExecutor::new());
    builder
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_CONNECTION_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        // Many requests share a connection: one that has died silently must not take them all along.
        .http2_keep_alive_interval(HTTP2_PING_INTERVAL)
        .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT);
    builder
}

/// Whether a request is one of gRPC (gRPC over HTTP/2, "Content-Type").
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE);
    content_type.is_some_and(|it| it.as_bytes().starts_with(b"application/grpc"))
}

/// Finds what was wrong at the bottom of the client's error.
fn classify(error: &PooledError) -> SendError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(error) = current.downcast_ref::<ConnectError>() {
            return connect_error(error);
        }
        if let Some(error) = current.downcast_ref::<Error>() {
            // The guest's own body failed, and says how.
            return SendError::Failed(Error::InternalError(Some(error.to_string())));
        }
        if let Some(error) = current.downcast_ref::<io::Error>() {
            return match distrust(error) {
                Some(why) => SendError::Untrusted(why),
                None => SendError::Failed(io_error(error)),
            };
        }
        if let Some(error) = current.downcast_ref::<hyper::Error>()
            && error.source().is_none()
        {
            return SendError::Failed(hyper_error(error));
        }
        cause = current.source();
    }
    SendError::Failed(Error::HttpProtocolError)
}

fn connect_error(error: &ConnectError) -> SendError {
    SendError::Failed(match error {
        ConnectError::Refused { address, what } => {
            return SendError::Refused {
                address: *address,
                what,
            };
        }
        ConnectError::NoHost => Error::HttpRequestUriInvalid,
        ConnectError::Resolve(error) => Error::DnsError {
            rcode: Some(error.to_string()),
            info_code: None,
        },
        ConnectError::Connect(error) => io_error(error),
        ConnectError::TimedOut => Error::ConnectionTimeout,
    })
}

fn io_error(error: &io::Error) -> Error {
    if let Some(error) = of_tls(error) {
        return tls_error(error);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Error::ConnectionTerminated,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Error::DestinationIpUnroutable
        }
        _ => Error::DestinationUnavailable,
    }
}

fn tls_error(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Error::TlsCertificateError
        }
        rustls::Error::AlertReceived(alert) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        _ => Error::TlsProtocolError,
    }
}

/// What `wasi:http` calls an error of the HTTP protocol itself.
pub(crate) fn hyper_error(error: &hyper::Error) -> Error {
    if let Some(error) = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
    {
        return io_error(error);
    }
    if error.is_timeout() {
        Error::HttpResponseTimeout
    } else if error.is_incomplete_message() {
        Error::HttpResponseIncomplete
    } else if error.is_closed() || error.is_canceled() {
        Error::ConnectionTerminated
    } else {
        Error::HttpProtocolError
    }
}
