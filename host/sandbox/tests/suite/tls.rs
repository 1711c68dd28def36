//! TLS, against servers whose certificates an authority of the tests has signed.

use std::convert::Infallible;
use std::sync::Arc;

use baton_sandbox::{Authorities, AuthoritiesError, FailureKind, Outcome, Sandbox, Settings};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::egress::get_in;

/// An authority that nobody knows of.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A sandbox that trusts it.
    fn sandbox(&self) -> Arc<Sandbox> {
        let settings = Settings {
            authorities: Authorities::from_pem(self.pem().as_bytes()).unwrap(),
            ..Settings::default()
        };
        Sandbox::new(settings).unwrap()
    }

    /// A server on loopback that shows a certificate for a name and speaks these protocols; its port.
    async fn serve(&self, certificate: Certificate, protocols: &[&str]) -> u16 {
        let mut params = CertificateParams::new(vec![certificate.name.to_owned()]).unwrap();
        if certificate.expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2020, 2, 1);
        }
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.0).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![signed.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Who does not trust the certificate goes away.
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    let (stream, service) = (TokioIo::new(stream), service_fn(answer));
                    if is_http2 {
                        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                        drop(server.serve_connection(stream, service).await);
                    } else {
                        let server = hyper::server::conn::http1::Builder::new();
                        drop(server.serve_connection(stream, service).await);
                    }
                });
            }
        });
        port
    }
}

/// What a server shows.
struct Certificate {
    name: &'static str,
    expired: bool,
}

const GOOD: Certificate = Certificate {
    name: "localhost",
    expired: false,
};

/// Answers with the version of HTTP that is spoken.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = json!({ "version": format!("{:?}", request.version()) });
    let response = Response::builder().header("content-type", "application/json");
    Ok(response.body(Full::from(body.to_string())).unwrap())
}

async fn get(sandbox: &Arc<Sandbox>, port: u16) -> Outcome {
    let grant = json!({ "egress": [format!("https://localhost:{port}")] });
    get_in(sandbox, &format!("https://localhost:{port}/"), grant).await
}

fn version(outcome: Outcome) -> Value {
    outcome.result.unwrap()["version"].clone()
}

#[tokio::test]
async fn the_server_chooses_the_version_of_http() {
    let authority = Authority::new();
    let sandbox = authority.sandbox();
    let both = authority.serve(GOOD, &["h2", "http/1.1"]).await;
    assert_eq!(version(get(&sandbox, both).await), "HTTP/2.0");
    let old = authority.serve(GOOD, &["http/1.1"]).await;
    assert_eq!(version(get(&sandbox, old).await), "HTTP/1.1");
    let silent = authority.serve(GOOD, &[]).await;
    assert_eq!(version(get(&sandbox, silent).await), "HTTP/1.1");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_ends_the_call_and_says_why() {
    let (authority, other) = (Authority::new(), Authority::new());
    let elsewhere = Certificate {
        name: "example.org",
        expired: false,
    };
    let old = Certificate {
        name: "localhost",
        expired: true,
    };
    for (sandbox, certificate, expected) in [
        (other.sandbox(), GOOD, "(`certificate-authorities`)"),
        (authority.sandbox(), elsewhere, "example.org"),
        (authority.sandbox(), old, "expired"),
    ] {
        let port = authority.serve(certificate, &["h2"]).await;
        let failure = get(&sandbox, port).await.result.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Communication, "{failure}");
        let detail = failure.detail.unwrap_or_default();
        assert!(
            detail.starts_with("localhost: its certificate is not trusted: "),
            "{detail}"
        );
        assert!(detail.contains(expected), "{detail}");
    }
}

#[test]
fn authorities_are_certificates() {
    let both = format!("{}{}", Authority::new().pem(), Authority::new().pem());
    Authorities::from_pem(both.as_bytes()).unwrap();
    let error = Authorities::from_pem(b"").unwrap_err();
    assert_eq!(error, AuthoritiesError::Empty);
}
