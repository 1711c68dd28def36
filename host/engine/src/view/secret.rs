//! Secrets, as the engine shows them: all but their values.

use baton_workflow::Timestamp;

/// A secret of a tenant, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretView {
    /// The name.
    pub name: String,
    /// The hosts that it may be sent to.
    pub hosts: Vec<String>,
    /// The names of its members, where it is an object.
    pub members: Option<Vec<String>>,
    /// The members that are no secret.
    pub public: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its value or hosts were last given.
    pub updated_at: Timestamp,
}
