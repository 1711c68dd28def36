//! The egress rules of a grant, together.

use std::net::IpAddr;
use std::sync::OnceLock;

use url::Host;

use super::address::{canonical, special};
use super::lookup::Lookups;
use super::rule::Rule;
use super::target::{Scheme, Target};

/// The rules of a grant, and whose lookups its requests share.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    lookups: OnceLock<Lookups>,
}

impl Rules {
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        let lookups = OnceLock::new();
        Self { rules, lookups }
    }

    /// Names are looked up with others that share these lookups, unless some have been looked up already.
    pub(crate) fn share(&self, lookups: &Lookups) {
        self.lookups.get_or_init(|| lookups.clone());
    }

    pub(super) fn lookups(&self) -> &Lookups {
        self.lookups.get_or_init(Lookups::default)
    }

    /// Checks a request's method and URL.
    ///
    /// # Errors
    ///
    /// The reason, as a sentence's part that fits after "refused: ".
    pub(crate) fn check(&self, target: &Target) -> Result<(), String> {
        if self.rules.iter().any(|rule| rule.allows(target)) {
            return Ok(());
        }
        Err(match self.rules.len() {
            0 => "the grant has no egress rules".to_owned(),
            1 => format!(
                "the grant's egress rule `{}` does not allow it",
                self.rules[0]
            ),
            count => format!("none of the grant's {count} egress rules allows it"),
        })
    }

    /// Checks an address that a request's host resolved to: special ones must be granted by address, see
    /// [`Rule::grants`].
    ///
    /// # Errors
    ///
    /// What the address is: `a loopback address`.
    pub(crate) fn check_address(
        &self,
        host: &Host,
        scheme: Scheme,
        address: IpAddr,
        port: u16,
    ) -> Result<(), &'static str> {
        match special(address) {
            None => Ok(()),
            Some(_)
                if self
                    .rules
                    .iter()
                    .any(|rule| rule.grants(host, scheme, canonical(address), port)) =>
            {
                Ok(())
            }
            Some(what) => Err(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, Uri};

    use super::*;

    /// Whether a request leaves the host, where its name resolves to 127.0.0.1.
    fn passes(rules: &[&str], method: Method, url: &str) -> bool {
        let rules = Rules::new(rules.iter().map(|rule| rule.parse().unwrap()).collect());
        let target = Target::of(&method, &url.parse::<Uri>().unwrap()).unwrap();
        let address = IpAddr::from([127, 0, 0, 1]);
        rules.check(&target).is_ok()
            && rules
                .check_address(&target.host, target.scheme, address, target.port)
                .is_ok()
    }

    #[test]
    fn the_method_and_path_of_an_address_hold_whatever_it_is_called() {
        let rules = ["http://*:*", "GET http://127.0.0.1:8099/public"];
        for host in ["127.0.0.1", "localhost"] {
            assert!(passes(
                &rules,
                Method::GET,
                &format!("http://{host}:8099/public")
            ));
        }
        for host in ["127.0.0.1", "localhost", "app.localhost", "evil.example"] {
            let url = format!("http://{host}:8099/admin");
            assert!(!passes(&rules, Method::POST, &url), "{url}");
        }
        let whole = ["http://*:*", "http://127.0.0.1:8099"];
        assert!(passes(
            &whole,
            Method::POST,
            "http://evil.example:8099/admin"
        ));
    }
}
