//! Where a service is.

use calls::Failure;
use calls::arguments::{not, text};
use calls::endpoint::{Endpoint, policy};
use calls::value::uri;
use outgoing::authentication::Policy;
use prost_reflect::MethodDescriptor;
use serde_json::Value;

/// The argument `service`, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name of the service.
    pub service: String,
    /// Scheme, host and port.
    origin: String,
    policy: Option<Policy>,
}

impl Target {
    /// Reads the argument.
    ///
    /// # Errors
    ///
    /// `validation` where it is none; `configuration` for a way of authentication that is not supported.
    pub fn read(argument: &Value) -> Result<Self, Failure> {
        let Value::Object(members) = argument else {
            return Err(not("service", "an object with `name` and `host`", argument));
        };
        let host = text("service", members, "host")?;
        let port = match members.get("port") {
            None | Some(Value::Null) => None,
            Some(port) => Some(
                port.as_u64()
                    .and_then(|port| u16::try_from(port).ok())
                    .ok_or_else(|| not("service.port", "a number up to 65535", port))?,
            ),
        };
        let (scheme, host) = match host.split_once("://") {
            Some((scheme, host)) => (scheme, host),
            None if matches!(port, None | Some(443)) => ("https", host),
            None => ("http", host),
        };
        let host = host.trim_end_matches('/');
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let origin = format!("{scheme}://{host}{port}");
        let read = uri("service.host", &origin)?;
        if !read.path().as_str().is_empty() || read.query().is_some() {
            let detail = format!("service.host: expected a host, and found {host:?}");
            return Err(Failure::validation(detail));
        }
        Ok(Self {
            service: text("service", members, "name")?.to_owned(),
            origin,
            policy: policy("service.authentication", members.get("authentication"))?,
        })
    }

    /// Where a method is.
    ///
    /// # Errors
    ///
    /// `validation` where the method's name makes no URI.
    pub fn endpoint(&self, method: &MethodDescriptor) -> Result<Endpoint, Failure> {
        let service = method.parent_service().full_name();
        let text = format!("{}/{service}/{}", self.origin, method.name());
        Ok(Endpoint {
            uri: uri("method", &text)?,
            policy: self.policy.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tls_is_for_443_and_what_asks_for_it() {
        for (service, origin) in [
            (json!({"name": "a.B", "host": "x.test"}), "https://x.test"),
            (
                json!({"name": "a.B", "host": "x.test", "port": 443}),
                "https://x.test:443",
            ),
            (
                json!({"name": "a.B", "host": "x.test", "port": 5011}),
                "http://x.test:5011",
            ),
            (
                json!({"name": "a.B", "host": "https://x.test", "port": 8443}),
                "https://x.test:8443",
            ),
            (
                json!({"name": "a.B", "host": "http://x.test/"}),
                "http://x.test",
            ),
            (
                json!({"name": "a.B", "host": "[::1]", "port": 1}),
                "http://[::1]:1",
            ),
        ] {
            assert_eq!(Target::read(&service).expect("a target").origin, origin);
        }
        for service in [
            json!([]),
            json!({"name": "a"}),
            json!({"host": "a"}),
            json!({"name": "a", "host": "a", "port": 65536}),
            json!({"name": "a", "host": "a/b"}),
            json!({"name": "a", "host": "ftp://a"}),
            json!({"name": "a", "host": "u:p@a"}),
        ] {
            Target::read(&service).expect_err("no target");
        }
    }
}
