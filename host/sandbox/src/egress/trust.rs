//! Whom the host trusts: the certificate authorities of all connections over TLS.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};

/// Certificates of authorities that are trusted besides those of the machine.
#[derive(Debug, Clone, Default)]
pub struct Authorities(Vec<CertificateDer<'static>>);

/// A text that holds no certificates of authorities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthoritiesError {
    /// It is no PEM (RFC 7468), or a certificate in it is none.
    #[error("certificate {number} of it is none: {why}")]
    Invalid {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
    /// There is no certificate in it.
    #[error("there is no certificate in it: `-----BEGIN CERTIFICATE-----` begins one")]
    Empty,
}

impl Authorities {
    /// Reads certificates in PEM, one after the other.
    ///
    /// # Errors
    ///
    /// One of them is none, or there is none at all.
    pub fn from_pem(pem: &[u8]) -> Result<Self, AuthoritiesError> {
        let mut all = Vec::new();
        // A certificate that could not be used would be missed only when somebody shows one of its.
        let mut known = RootCertStore::empty();
        for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(pem)) {
            let invalid = |why: String| AuthoritiesError::Invalid { number, why };
            let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
            let added = known.add(certificate.clone());
            added.map_err(|error| invalid(error.to_string()))?;
            all.push(certificate);
        }
        match all.is_empty() {
            true => Err(AuthoritiesError::Empty),
            false => Ok(Self(all)),
        }
    }
}

/// The TLS settings of all clients, made when they are needed first.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    authorities: Authorities,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Trust {
    pub(crate) fn new(authorities: Authorities) -> Self {
        Self {
            authorities,
            config: OnceLock::new(),
        }
    }

    /// TLS 1.2 and 1.3; the roots that the system trusts, or those of the Mozilla programme where the system has none,
    /// and the authorities that were given.
    pub(super) fn config(&self) -> &Arc<ClientConfig> {
        self.config.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
            roots.add_parsable_certificates(self.authorities.0.iter().cloned());
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let mut config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .expect("ring supports TLS 1.2 and 1.3")
                .with_root_certificates(roots)
                .with_no_client_auth();
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            Arc::new(config)
        })
    }
}

/// The error of TLS behind one of a connection, however often it has been wrapped.
pub(super) fn of_tls(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    match inner.downcast_ref::<io::Error>() {
        Some(wrapped) => of_tls(wrapped),
        None => inner.downcast_ref(),
    }
}

/// Why TLS says no to the other side's certificate, and what to do; none where it is about something else.
pub(super) fn distrust(error: &io::Error) -> Option<String> {
    let rustls::Error::InvalidCertificate(why) = of_tls(error)? else {
        return None;
    };
    let help = match why {
        // The second is what another authority of the same name comes to.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "; where its authority is your own, an operator has the host trust it (`certificate-authorities`)"
        }
        _ => "",
    };
    Some(format!("its certificate is not trusted: {why}{help}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        let error = |pem: &str| {
            Authorities::from_pem(pem.as_bytes())
                .expect_err("none")
                .to_string()
        };
        assert!(error("hello").starts_with("there is no certificate"));
        let block = |body: &str| {
            format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        };
        assert!(error(&block("aGVsbG8=")).starts_with("certificate 1 of it is none: "));
        assert!(error(&block("?")).starts_with("certificate 1 of it is none: "));
    }
}
