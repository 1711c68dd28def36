//! The authorities that connectors trust besides those of the machine.

use std::path::Path;

use baton_sandbox::Authorities;

use crate::failure::Failure;

/// Reads a file of certificates in PEM; without one, there are none.
///
/// # Errors
///
/// The file can't be read, or holds what is no certificate.
pub(crate) fn read(path: Option<&Path>) -> Result<Authorities, Failure> {
    let Some(path) = path else {
        return Ok(Authorities::default());
    };
    let failed = || {
        Failure::invalid(format!(
            "the certificate authorities in {} can't be used",
            path.display()
        ))
    };
    let pem = std::fs::read(path).map_err(|error| failed().because(&error))?;
    Authorities::from_pem(&pem).map_err(|error| failed().because(&error))
}
