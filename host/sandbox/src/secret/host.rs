//! The hosts that a secret is bound to.

use std::fmt;
use std::str::FromStr;

use url::Host;

use crate::egress::normal_host;

/// Hosts that a secret may be sent to: a name (`api.example.org`), all names below one (`*.example.org`), or an
/// address (`127.0.0.1`, `[::1]`), each with a port (`:8080`) or, without one, at every port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    name: Name,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Exactly(Host),
    /// Any name that ends with a dot and this.
    Below(String),
}

/// A text that is no pattern of hosts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no host: {reason}; write it like `api.example.org`, `*.example.org` or `127.0.0.1:8080`"
)]
pub struct HostPatternError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Where something goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl HostPattern {
    /// Whether what goes there may hold the secret.
    pub(crate) fn allows(&self, to: &Destination) -> bool {
        let name = match (&self.name, &to.host) {
            (Name::Exactly(host), other) => host == other,
            (Name::Below(domain), Host::Domain(name)) => name
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            (Name::Below(_), _) => false,
        };
        name && self.port.is_none_or(|port| port == to.port)
    }
}

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        let wrong = |reason| HostPatternError {
            text: text.to_owned(),
            reason,
        };
        if text.contains("://") {
            return Err(wrong("it has a scheme, and only hosts and ports count"));
        }
        if text.contains(['/', '?', '#', '@']) {
            return Err(wrong("it has more than a host and a port"));
        }
        let (name, port) = match text.rsplit_once(':') {
            // The colons of an IPv6 address are within brackets.
            Some((name, port)) if !port.ends_with(']') => {
                let port = port
                    .parse()
                    .map_err(|_| wrong("its port is no number from 0 to 65535"))?;
                (name, Some(port))
            }
            _ => (text, None),
        };
        let (domain, is_below) = match name.strip_prefix("*.") {
            Some(domain) => (domain, true),
            None => (name, false),
        };
        if domain.contains('*') {
            return Err(wrong("a `*` stands at its beginning alone, before a dot"));
        }
        let host = normal_host(domain).ok_or_else(|| wrong("it is no name or address"))?;
        let name = match (is_below, host) {
            (false, host) => Name::Exactly(host),
            (true, Host::Domain(domain)) if domain.contains('.') => Name::Below(domain),
            (true, Host::Domain(_)) => {
                return Err(wrong("`*.` stands before a domain of two names at least"));
            }
            (true, _) => return Err(wrong("`*.` stands before a domain")),
        };
        Ok(Self { name, port })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Name::Exactly(host) => write!(f, "{host}")?,
            Name::Below(domain) => write!(f, "*.{domain}")?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, host: &str, port: u16) -> bool {
        let to = Destination {
            host: normal_host(host).unwrap(),
            port,
        };
        pattern.parse::<HostPattern>().unwrap().allows(&to)
    }

    #[test]
    fn a_pattern_allows_its_hosts_alone() {
        for (pattern, host, port) in [
            ("api.example.org", "API.example.org.", 443),
            ("api.example.org:8443", "api.example.org", 8443),
            ("*.example.org", "a.b.example.org", 80),
            ("127.0.0.1:8080", "127.0.0.1", 8080),
            ("[::1]:8080", "[::1]", 8080),
            ("[::1]", "[::1]", 9),
        ] {
            assert!(allows(pattern, host, port), "{pattern} {host}:{port}");
        }
        for (pattern, host, port) in [
            ("api.example.org", "example.org", 443),
            ("api.example.org", "api.example.org.evil.test", 443),
            ("api.example.org:8443", "api.example.org", 443),
            ("*.example.org", "example.org", 443),
            ("*.example.org", "evilexample.org", 443),
            ("127.0.0.1:8080", "127.0.0.1", 8081),
            ("127.0.0.1", "localhost", 80),
        ] {
            assert!(!allows(pattern, host, port), "{pattern} {host}:{port}");
        }
    }

    #[test]
    fn what_is_no_host_says_why() {
        for (text, reason) in [
            ("https://a.example", "it has a scheme"),
            ("a.example/x", "more than a host and a port"),
            ("a.example:many", "its port is no number"),
            ("*.org", "two names at least"),
            ("*", "at its beginning alone"),
            ("a*.example.org", "at its beginning alone"),
            ("*.*.example.org", "at its beginning alone"),
            ("*.127.0.0.1", "before a domain"),
            ("", "no name or address"),
        ] {
            let error = text.parse::<HostPattern>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn a_pattern_is_shown_as_it_is_written() {
        for text in [
            "api.example.org",
            "*.example.org:8443",
            "127.0.0.1:8080",
            "[::1]:8080",
        ] {
            assert_eq!(text.parse::<HostPattern>().unwrap().to_string(), text);
        }
    }
}
