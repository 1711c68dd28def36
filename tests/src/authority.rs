//! A certificate authority of the tests' own, and a certificate of it for servers on loopback.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;

/// An authority that nobody trusts by himself, and a certificate for `localhost` and `127.0.0.1`, as files in PEM.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    ///
    /// When the files can't be written.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = make(names).expect("certificates can be made");
        for (name, text) in [
            ("authority", made.0),
            ("certificate", made.1),
            ("key", made.2),
        ] {
            let path = folder.path().join(format!("{name}.pem"));
            std::fs::write(path, text).expect("the file can be written");
        }
        Self { folder }
    }

    /// The file of the authority's own certificate: what has to be trusted.
    pub fn file(&self) -> String {
        path(self.folder.path(), "authority")
    }

    /// The file of the server's certificate.
    pub fn certificate(&self) -> String {
        path(self.folder.path(), "certificate")
    }

    /// The file of the server's key.
    pub fn key(&self) -> String {
        path(self.folder.path(), "key")
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn path(folder: &Path, name: &str) -> String {
    let path = folder.join(format!("{name}.pem"));
    path.to_string_lossy().into_owned()
}

/// The authority, the certificate and its key.
fn make(names: [String; 2]) -> Result<(String, String, String), rcgen::Error> {
    let mut own = CertificateParams::new(Vec::new())?;
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    own.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority = CertifiedIssuer::self_signed(own, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    Ok((authority.pem(), certificate.pem(), key.serialize_pem()))
}
