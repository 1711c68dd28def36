//! Where a connector's requests may go.
//!
//! A request is checked twice: its method and URL against the rules of the grant ([`Rules::check`]), and
//! then every address that its host name resolves to against the special ranges ([`address`]). Guests
//! follow redirects by making new requests, so that each redirect is checked like the first.

pub(crate) mod address;
pub(crate) mod client;
mod connect;
pub(crate) mod dial;
mod lookup;
mod path;
mod rewrite;
mod rule;
mod rules;
pub(crate) mod secrets;
mod target;
mod trust;

pub use lookup::Lookups;
pub use rewrite::{Rewrite, RewriteError};
pub use rule::{Rule, RuleError};
pub(crate) use rules::Rules;
pub(crate) use target::{Target, normal_host};
pub(crate) use trust::Trust;
pub use trust::{Authorities, AuthoritiesError};
