//! TLS with ring and the root certificates of the machine.
//!
//! It is set up here rather than by reqwest, since reqwest's own way takes a second cryptography library
//! and reads the machine's certificates even where only http is spoken: on a machine without any, a client
//! of a host on loopback would fail.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use super::NewClientError;

/// The configuration for a client; without root certificates where it will not be `used`.
pub(super) fn config(used: bool) -> Result<ClientConfig, NewClientError> {
    let mut roots = RootCertStore::empty();
    if used {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(NewClientError::NoRoots);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(NewClientError::Tls)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
