//! Where to send something (dsl-reference, "Endpoint"), and how to authenticate there.

use outgoing::authentication::{Authenticated, Environment, Policy};
use outgoing::{Request, Uri};
use serde_json::Value;

use crate::Failure;
use crate::arguments::not;
use crate::value::uri;

/// Where to send something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// An absolute URI of HTTP.
    pub uri: Uri<String>,
    /// How to authenticate there, where that is said.
    pub policy: Option<Policy>,
}

impl Endpoint {
    /// Reads an endpoint: a URI, or an object with `uri` and `authentication`. `name` is the argument's.
    ///
    /// # Errors
    ///
    /// `validation` where it is neither; `configuration` for a way of authentication that is not supported.
    pub fn read(name: &str, value: &Value) -> Result<Self, Failure> {
        match value {
            Value::String(text) => Ok(Self {
                uri: uri(name, text)?,
                policy: None,
            }),
            Value::Object(members) => {
                let text = crate::arguments::text(name, members, "uri")?;
                let known = |key: &&String| *key != "uri" && *key != "authentication";
                if let Some(unknown) = members.keys().find(known) {
                    return Err(Failure::validation(format!(
                        "{name}: it has the unknown key `{unknown}`: there are `uri` and `authentication`"
                    )));
                }
                let authentication = members.get("authentication");
                Ok(Self {
                    uri: uri(&format!("{name}.uri"), text)?,
                    policy: policy(&format!("{name}.authentication"), authentication)?,
                })
            }
            other => Err(not(name, "a URI, or an object with `uri`", other)),
        }
    }

    /// The network, as this endpoint is to be spoken to: with its credentials, which go nowhere else.
    #[must_use]
    pub fn network<'a, N, E: Environment>(
        &self,
        network: &'a N,
        host: &'a E,
    ) -> Authenticated<'a, N, E> {
        Authenticated::new(self.policy.clone(), network, host)
    }

    /// A request to the endpoint, yet without its credentials.
    #[must_use]
    pub fn request(
        &self,
        method: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Request {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Request {
            method: method.to_owned(),
            uri: self.uri.clone(),
            headers: headers.iter().map(owned).collect(),
            body,
        }
    }
}

/// Reads an authentication (dsl-reference, "Authentication"). What is wrong is said without showing any part of the
/// credentials. `name` is the argument's.
///
/// # Errors
///
/// `validation` where it is none; `configuration` for a way that is not supported.
pub fn policy(name: &str, value: Option<&Value>) -> Result<Option<Policy>, Failure> {
    let given = value.filter(|value| !value.is_null());
    let policy = given.map(|value| Policy::read(value, name)).transpose()?;
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_endpoint_says_why() {
        for (value, expected) in [
            (
                json!(1),
                "server: expected a URI, or an object with `uri`, and found a number",
            ),
            (json!({}), "server: it has no `uri`"),
            (
                json!({"uri": "http://a", "url": "http://b"}),
                "server: it has the unknown key `url`",
            ),
            (
                json!("file:///a"),
                "server: \"file:///a\" is a file, and a run has no files",
            ),
            (json!("ftp://a"), "neither http nor https"),
            (json!("http:///x"), "names no host"),
            (json!("http://u:p@a/"), "the URI holds credentials"),
            (
                json!({"uri": "http://a", "authentication": {"bearer": {}}}),
                "server.authentication.bearer.token: expected a string",
            ),
            (
                json!({"uri": "http://a", "authentication": {"kerberos": {}}}),
                "there is no such scheme",
            ),
        ] {
            let failure = Endpoint::read("server", &value).expect_err("no endpoint");
            assert!(failure.detail.contains(expected), "{}", failure.detail);
        }
    }
}
