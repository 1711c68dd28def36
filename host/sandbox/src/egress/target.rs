//! Where a request goes, in one form.

use std::fmt;

use http::{Method, Uri};
use url::Host;

use super::path;

/// The scheme of a request or a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    pub(crate) const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| scheme.name().eq_ignore_ascii_case(name))
    }
}

/// Where a request goes: parsed and normalised, so that rules compare like with like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) method: Method,
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) path: String,
}

impl Target {
    /// Reads a request's target.
    ///
    /// # Errors
    ///
    /// Says why the URL is none that this host sends requests to. A user name or password within the URL
    /// is refused, since they are read differently by different programs.
    pub(crate) fn of(method: &Method, uri: &Uri) -> Result<Self, &'static str> {
        let scheme = uri.scheme_str().and_then(Scheme::from_name);
        let scheme = scheme.ok_or("its scheme is neither http nor https")?;
        let authority = uri.authority().ok_or("its URL names no host")?;
        if authority.as_str().contains('@') {
            return Err(
                "its URL carries a user name or password: send an Authorization header instead",
            );
        }
        let host = normal_host(authority.host()).ok_or("its host is no name or address")?;
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None if authority.as_str().ends_with(':') || authority.as_str() == authority.host() => {
                scheme.default_port()
            }
            None => return Err("its port is no number from 0 to 65535"),
        };
        let path = if uri.path().is_empty() {
            "/"
        } else {
            uri.path()
        };
        Ok(Self {
            method: method.clone(),
            scheme,
            host,
            port,
            path: path.to_owned(),
        })
    }

    /// The target as a URL's text, without the query, which may carry secrets.
    pub(crate) fn url(&self) -> String {
        let Self {
            scheme, host, path, ..
        } = self;
        format!("{}://{host}{}{path}", scheme.name(), self.port_suffix())
    }

    /// The narrowest rule of the usual form that allows this: its method, host and folder.
    pub(crate) fn rule(&self) -> String {
        let folder = self.path.rfind('/').map_or("/", |end| &self.path[..=end]);
        // A folder that no rule would match is no help; the whole host is.
        let folder = if path::is_plain(&self.path) {
            folder
        } else {
            "/"
        };
        let Self {
            method,
            scheme,
            host,
            ..
        } = self;
        format!(
            "{method} {}://{host}{}{folder}",
            scheme.name(),
            self.port_suffix()
        )
    }

    /// The rule that allows an address that this target's name resolves to.
    pub(crate) fn address_rule(&self, address: std::net::IpAddr) -> String {
        let host = match address {
            std::net::IpAddr::V4(address) => Host::<String>::Ipv4(address),
            std::net::IpAddr::V6(address) => Host::Ipv6(address),
        };
        format!("{}://{host}{}", self.scheme.name(), self.port_suffix())
    }

    fn port_suffix(&self) -> String {
        if self.port == self.scheme.default_port() {
            String::new()
        } else {
            format!(":{}", self.port)
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url())
    }
}

/// A host in one form: lower case, Unicode names as Punycode, IPv4 in any of its notations as four decimal
/// numbers (URL Standard, section 3.5), no trailing dot, IPv4 that is mapped into IPv6 as IPv4.
pub(crate) fn normal_host(text: &str) -> Option<Host> {
    let text = text.strip_suffix('.').unwrap_or(text);
    match Host::parse(text).ok()? {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            (!name.is_empty()).then(|| Host::Domain(name.to_owned()))
        }
        Host::Ipv6(address) => match address.to_ipv4_mapped() {
            Some(address) => Some(Host::Ipv4(address)),
            None => Some(Host::Ipv6(address)),
        },
        Host::Ipv4(address) => Some(Host::Ipv4(address)),
    }
}
