//! The egress rules of a grant, together.

use std::net::IpAddr;

use super::address::{canonical, special};
use super::rule::Rule;
use super::target::{Scheme, Target};

/// The rules of a grant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// Checks a request's method and URL.
    ///
    /// # Errors
    ///
    /// The reason, as a sentence's part that fits after "refused: ".
    pub(crate) fn check(&self, target: &Target) -> Result<(), String> {
        if self.0.iter().any(|rule| rule.allows(target)) {
            return Ok(());
        }
        Err(match self.0.len() {
            0 => "the grant has no egress rules".to_owned(),
            1 => format!("the grant's egress rule `{}` does not allow it", self.0[0]),
            count => format!("none of the grant's {count} egress rules allows it"),
        })
    }

    /// Checks an address that a request's host resolved to: special ones must be granted by name.
    ///
    /// # Errors
    ///
    /// What the address is: `a loopback address`.
    pub(crate) fn check_address(
        &self,
        scheme: Scheme,
        address: IpAddr,
        port: u16,
    ) -> Result<(), &'static str> {
        match special(address) {
            None => Ok(()),
            Some(_)
                if self
                    .0
                    .iter()
                    .any(|rule| rule.grants(scheme, canonical(address), port)) =>
            {
                Ok(())
            }
            Some(what) => Err(what),
        }
    }
}
