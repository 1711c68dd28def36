//! Basic (RFC 7617) and Bearer (RFC 6750): a header and no more.

use super::{Environment, UserPassword};
use crate::SendError;

/// The value of `Authorization`.
pub(super) fn basic(policy: &UserPassword, host: &impl Environment) -> Result<String, SendError> {
    let credentials = host.basic(&policy.username, &policy.password)?;
    Ok(format!("Basic {credentials}"))
}

/// The value of `Authorization`.
pub(super) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}
