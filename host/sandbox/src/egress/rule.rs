//! One egress rule.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Method;
use url::Host;

use super::address::{LOOPBACK, canonical, is_localhost};
use super::path;
use super::target::{Scheme, Target, normal_host};

/// What requests a grant allows: a method (any, where there is none), a scheme, a host, a port (the
/// scheme's own, where there is none) and what the path begins with.
///
/// | rule | allows |
/// |---|---|
/// | `https://api.example.org` | any method, port 443, any path |
/// | `GET https://api.example.org/v1/` | only GET, only below `/v1/` |
/// | `https://*.example.org` | every name below `example.org`, not `example.org` itself |
/// | `https://*` | every name but those of `localhost` |
/// | `https://*:*` | every name, on every port |
/// | `http://127.0.0.1:8099` | this address, which would be refused under any name; with it names that resolve to it, where another rule allows them |
/// | `http://localhost:8099` | the loopback addresses `127.0.0.1` and `::1` (RFC 6761) |
#[derive(Clone, PartialEq, Eq)]
pub struct Rule {
    text: String,
    method: Option<Method>,
    scheme: Scheme,
    host: HostPattern,
    port: Option<u16>,
    path: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    /// `*`: every name but those of `localhost`.
    Any,
    /// `*.example.org`, without the star.
    Below(String),
    Name(String),
    Address(IpAddr),
}

/// A text that is no egress rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("egress rule `{rule}`: {problem}")]
pub struct RuleError {
    /// The rule as it was given.
    pub rule: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Rule {
    /// Whether the rule allows a request, before its host is resolved.
    pub(crate) fn allows(&self, target: &Target) -> bool {
        self.method
            .as_ref()
            .is_none_or(|method| *method == target.method)
            && self.scheme == target.scheme
            && self.port.is_none_or(|port| port == target.port)
            && self.names(&target.host)
            && (self.path == "/"
                || (path::is_plain(&target.path) && path::is_below(&target.path, &self.path)))
    }

    /// Whether the rule grants a special address by naming it to requests for `host`, which resolved to it.
    ///
    /// Where the host is the address itself, or a name of `localhost`, a rule that names it has allowed the
    /// request with its method and path. Any other name was allowed by another rule, which says nothing of what
    /// may be asked of this address: then the rule must allow every request to it.
    pub(crate) fn grants(&self, host: &Host, scheme: Scheme, address: IpAddr, port: u16) -> bool {
        let by_other_name = matches!(host, Host::Domain(name) if !is_localhost(name));
        if by_other_name && !(self.method.is_none() && self.path == "/") {
            return false;
        }
        let named = match &self.host {
            HostPattern::Address(granted) => *granted == canonical(address),
            HostPattern::Name(name) => is_localhost(name) && LOOPBACK.contains(&canonical(address)),
            HostPattern::Any | HostPattern::Below(_) => false,
        };
        named && self.scheme == scheme && self.port.is_none_or(|granted| granted == port)
    }

    fn names(&self, host: &Host) -> bool {
        match (&self.host, host) {
            // Like addresses, `localhost` must be named: a pattern would let it pass by a method and a path that
            // the rule with the address does not allow.
            (HostPattern::Any, Host::Domain(name)) => !is_localhost(name),
            (HostPattern::Below(suffix), Host::Domain(name)) => {
                !is_localhost(name)
                    && name
                        .strip_suffix(suffix.as_str())
                        .is_some_and(|labels| labels.ends_with('.'))
            }
            // `localhost` and the loopback addresses stand for each other.
            (HostPattern::Name(granted), Host::Domain(name)) => granted == name,
            (HostPattern::Name(granted), host) => {
                is_localhost(granted)
                    && address(host).is_some_and(|address| LOOPBACK.contains(&address))
            }
            (HostPattern::Address(granted), Host::Domain(name)) => {
                is_localhost(name) && LOOPBACK.contains(granted)
            }
            (HostPattern::Address(granted), host) => address(host) == Some(*granted),
            (HostPattern::Any | HostPattern::Below(_), _) => false,
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (method, url) = match text.split_once(' ') {
            None => (None, text),
            Some((method, url)) => (Some(parse_method(method)?), url.trim_start()),
        };
        if url.contains(char::is_whitespace) {
            return Err("it must be a URL, with at most a method before it".to_owned());
        }
        let (scheme, rest) = url.split_once("://").ok_or(
            "it has no scheme: write `https://` before the host, as in `https://api.example.org`",
        )?;
        let scheme = Scheme::from_name(scheme).ok_or_else(|| {
            format!("`{scheme}` is no scheme that can be granted: use https or http")
        })?;
        let (authority, path) = rest
            .find('/')
            .map_or((rest, "/"), |slash| rest.split_at(slash));
        if let Some(mark) = rest
            .chars()
            .find(|mark| matches!(mark, '?' | '#' | '@' | '\\'))
        {
            let what = if mark == '@' {
                "a user name"
            } else {
                "a query, a fragment or a backslash"
            };
            return Err(format!("it must not have {what}: rules end with the path"));
        }
        if path.contains('*') {
            return Err("a path cannot have a `*`: it is a prefix already".to_owned());
        }
        if !path::is_plain(path) {
            return Err("its path must not have `.` or `..` as a segment".to_owned());
        }
        let (host, port) = split_port(authority)?;
        let port = parse_port(port, scheme)?;
        let host = parse_host(host)?;
        Ok(Self {
            text: text.to_owned(),
            method,
            scheme,
            host,
            port,
            path: path.to_owned(),
        })
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::parse(text.trim()).map_err(|problem| RuleError {
            rule: text.to_owned(),
            problem,
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({})", self.text)
    }
}

fn address(host: &Host) -> Option<IpAddr> {
    match host {
        Host::Ipv4(address) => Some((*address).into()),
        Host::Ipv6(address) => Some((*address).into()),
        Host::Domain(_) => None,
    }
}

fn parse_method(text: &str) -> Result<Method, String> {
    let token = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    let method = Method::from_bytes(text.as_bytes()).ok().filter(|_| token);
    method.ok_or_else(|| {
        format!("`{text}` is no method: write it in capitals, as in `GET https://…`")
    })
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(end) = authority.find(']') {
        let (host, rest) = authority.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(format!("`{authority}` is no host")),
        };
    }
    if authority.starts_with('[') {
        return Err(format!("`{authority}` is no host"));
    }
    match authority.split_once(':') {
        Some((_, port)) if port.contains(':') => Err(format!(
            "an IPv6 address stands in brackets: `[{authority}]`"
        )),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((authority, None)),
    }
}

fn parse_port(port: Option<&str>, scheme: Scheme) -> Result<Option<u16>, String> {
    match port {
        None => Ok(Some(scheme.default_port())),
        Some("*") => Ok(None),
        Some(port) => match port.parse() {
            Ok(0) | Err(_) => Err(format!(
                "`{port}` is no port: give a number from 1 to 65535, or `*`"
            )),
            Ok(port) => Ok(Some(port)),
        },
    }
}

fn parse_host(host: &str) -> Result<HostPattern, String> {
    let wrong =
        |host: &str| format!("`{host}` is no host: give a name, a name below `*.`, or an address");
    if host == "*" {
        return Ok(HostPattern::Any);
    }
    if let Some(suffix) = host.strip_prefix("*.") {
        return match normal_host(suffix) {
            Some(Host::Domain(name)) if !suffix.contains('*') => Ok(HostPattern::Below(name)),
            _ => Err(wrong(host)),
        };
    }
    if host.contains('*') {
        return Err(
            "a `*` in a host stands for whole labels at its beginning: `*.example.org`".to_owned(),
        );
    }
    match normal_host(host).ok_or_else(|| wrong(host))? {
        Host::Domain(name) => Ok(HostPattern::Name(name)),
        Host::Ipv4(address) => Ok(HostPattern::Address(address.into())),
        Host::Ipv6(address) => Ok(HostPattern::Address(address.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &str, request: &str) -> bool {
        let rule: Rule = rule.parse().unwrap();
        let (method, url) = request.split_once(' ').unwrap_or(("GET", request));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        url.parse()
            .ok()
            .and_then(|uri| Target::of(&method, &uri).ok())
            .is_some_and(|target| rule.allows(&target))
    }

    #[test]
    fn rules_allow_what_they_say() {
        for (rule, request) in [
            ("https://api.example.org", "https://api.example.org"),
            (
                "https://api.example.org",
                "POST https://api.example.org/any/path?q=1",
            ),
            ("https://api.example.org", "https://API.Example.ORG:443/"),
            ("https://api.example.org", "https://api.example.org./"),
            ("https://API.example.org.", "https://api.example.org/"),
            ("https://api.example.org:443/", "https://api.example.org/x"),
            (
                "GET https://api.example.org/v1/",
                "GET https://api.example.org/v1/users",
            ),
            ("https://api.example.org/v1", "https://api.example.org/v1"),
            ("https://*.example.org", "https://a.example.org"),
            ("https://*.example.org", "https://a.b.example.org/x"),
            ("https://*", "https://anything.example"),
            ("http://*:*", "http://anything.example:8080"),
            ("http://127.0.0.1:8099", "http://127.0.0.1:8099/x"),
            ("http://127.0.0.1:8099", "http://127.1:8099/x"),
            ("http://127.0.0.1:8099", "http://localhost:8099/x"),
            ("http://localhost:8099", "http://127.0.0.1:8099/x"),
            ("http://localhost:8099", "http://[::1]:8099/x"),
            ("http://[::1]:8099", "http://localhost:8099/x"),
            ("http://[0:0:0:0:0:0:0:1]:8099", "http://[::1]:8099/x"),
            ("http://127.0.0.1:8099", "http://[::ffff:127.0.0.1]:8099/x"),
        ] {
            assert!(allows(rule, request), "{rule} allows {request}");
        }
    }

    #[test]
    fn rules_allow_nothing_else() {
        for (rule, request) in [
            ("https://api.example.org", "http://api.example.org"),
            ("https://api.example.org", "https://api.example.org:8443"),
            ("https://api.example.org", "https://example.org"),
            (
                "https://api.example.org",
                "https://api.example.org.evil.test",
            ),
            (
                "https://api.example.org",
                "https://api.example.org@evil.test/",
            ),
            (
                "https://api.example.org",
                "https://user:pw@api.example.org/",
            ),
            (
                "GET https://api.example.org/v1/",
                "POST https://api.example.org/v1/users",
            ),
            (
                "GET https://api.example.org/v1/",
                "get https://api.example.org/v1/users",
            ),
            ("https://api.example.org/v1/", "https://api.example.org/v2/"),
            ("https://api.example.org/v1", "https://api.example.org/v10"),
            (
                "https://api.example.org/v1/",
                "https://api.example.org/v1/../v2/",
            ),
            (
                "https://api.example.org/v1/",
                "https://api.example.org/v1/%2e%2e/v2/",
            ),
            (
                "https://api.example.org/v1/",
                "https://api.example.org/v1/..%2fv2/",
            ),
            (
                "https://api.example.org/v1/",
                "https://api.example.org//v1/x",
            ),
            (
                "https://api.example.org/v1/",
                "https://api.example.org/V1/x",
            ),
            (
                "https://api.example.org/v1/",
                "https://api.example.org/%761/x",
            ),
            ("https://*.example.org", "https://example.org"),
            ("https://*.example.org", "https://evilexample.org"),
            ("https://*.example.org", "https://example.org.evil.test"),
            ("https://*", "https://1.2.3.4"),
            ("https://*", "https://[2606:4700::1]"),
            ("http://*", "http://2130706433"),
            ("http://*", "http://0x7f.1"),
            ("http://127.0.0.1:8099", "http://127.0.0.1:8098/x"),
            ("http://127.0.0.1:8099", "http://127.0.0.2:8099/x"),
            ("http://localhost:8099", "http://127.0.0.2:8099/x"),
            ("http://10.0.0.1", "http://localhost"),
            ("http://*:*", "http://localhost:8099"),
            ("http://*:*", "http://app.localhost"),
            ("http://*.localhost", "http://app.localhost"),
        ] {
            assert!(!allows(rule, request), "{rule} must not allow {request}");
        }
    }

    #[test]
    fn addresses_are_granted_by_address() {
        let host = Host::Domain("evil.example".to_owned());
        let grants = |rule: &str, address: &str, port| {
            rule.parse::<Rule>().unwrap().grants(
                &host,
                Scheme::Http,
                address.parse().unwrap(),
                port,
            )
        };
        assert!(grants("http://10.0.0.5:80", "10.0.0.5", 80));
        assert!(grants("http://10.0.0.5", "::ffff:10.0.0.5", 80));
        assert!(grants("http://localhost:8080", "127.0.0.1", 8080));
        assert!(grants("http://localhost:8080", "::1", 8080));
        assert!(grants("http://127.0.0.1:*", "127.0.0.1", 9));
        assert!(!grants("http://10.0.0.5", "10.0.0.5", 81));
        assert!(!grants("http://10.0.0.5", "10.0.0.6", 80));
        assert!(!grants("https://10.0.0.5", "10.0.0.5", 443));
        assert!(!grants("http://internal.example.org", "10.0.0.5", 80));
        assert!(!grants("http://*:*", "127.0.0.1", 80));
        assert!(!grants("http://localhost", "127.0.0.2", 80));
    }

    #[test]
    fn a_rule_for_some_requests_grants_its_address_under_no_other_name() {
        let grants = |rule: &str, host: &str| {
            rule.parse::<Rule>().unwrap().grants(
                &normal_host(host).unwrap(),
                Scheme::Http,
                LOOPBACK[0],
                8099,
            )
        };
        for rule in [
            "GET http://127.0.0.1:8099",
            "http://127.0.0.1:8099/public",
            "GET http://localhost:8099/public",
        ] {
            assert!(
                grants(rule, "127.0.0.1") && grants(rule, "localhost"),
                "{rule}"
            );
            assert!(!grants(rule, "evil.example"), "{rule}");
        }
        assert!(grants("http://127.0.0.1:8099/", "evil.example"));
    }

    #[test]
    fn wrong_rules_say_what_is_wrong() {
        for (rule, expected) in [
            ("", "it has no scheme"),
            ("api.example.org", "it has no scheme"),
            ("ftp://x", "`ftp` is no scheme that can be granted"),
            ("get https://x", "`get` is no method"),
            ("GET POST https://x", "it must be a URL"),
            ("https://", "`` is no host"),
            ("https://a b", "`https://a` is no method"),
            ("https://a.*.org", "a `*` in a host"),
            ("https://*x.org", "a `*` in a host"),
            ("https://*.*", "is no host"),
            ("https://*.1.2.3.4", "is no host"),
            ("https://x:0", "`0` is no port"),
            ("https://x:99999", "`99999` is no port"),
            ("https://x:", "`` is no port"),
            ("https://::1", "stands in brackets"),
            ("https://[::1", "is no host"),
            ("https://u@x", "must not have a user name"),
            ("https://x/?q", "must not have a query"),
            ("https://x?q", "must not have a query"),
            ("https://x/a/../b", "must not have `.` or `..`"),
            ("https://x/*", "a path cannot have a `*`"),
        ] {
            let error = rule.parse::<Rule>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("egress rule `{rule}`: ")) && error.contains(expected),
                "{error}"
            );
        }
    }
}
