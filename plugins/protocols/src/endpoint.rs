//! Where to send something (dsl-reference, "Endpoint"), and with which credentials.

use base64::prelude::{BASE64_STANDARD, Engine};
use outgoing::{Request, Uri};
use serde_json::Value;

use crate::arguments::not;
use crate::{Failure, Kind};

/// Where to send something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// An absolute URI of HTTP.
    pub uri: Uri<String>,
    /// The value of `Authorization`, where there are credentials.
    pub authorization: Option<String>,
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
                authorization: None,
            }),
            Value::Object(members) => {
                let text = crate::arguments::text(name, members, "uri")?;
                let authentication = members.get("authentication");
                Ok(Self {
                    uri: uri(&format!("{name}.uri"), text)?,
                    authorization: authorization(
                        &format!("{name}.authentication"),
                        authentication,
                    )?,
                })
            }
            other => Err(not(name, "a URI, or an object with `uri`", other)),
        }
    }

    /// A request to the endpoint, with its credentials.
    #[must_use]
    pub fn request(
        &self,
        method: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Request {
        let mut headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        if let Some(authorization) = &self.authorization {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
            headers.push(("authorization".to_owned(), authorization.clone()));
        }
        Request {
            method: method.to_owned(),
            uri: self.uri.clone(),
            headers,
            body,
        }
    }
}

/// Reads an absolute URI of HTTP (RFC 9110, section 4.2).
///
/// # Errors
///
/// `validation`, saying what is wrong with it.
pub fn uri(name: &str, text: &str) -> Result<Uri<String>, Failure> {
    let broken = |why: String| Failure::validation(format!("{name}: {why}"));
    let uri = Uri::parse(text).map_err(|error| {
        broken(format!(
            "{text:?} is no absolute URI: {error}; encode what a URI may not hold"
        ))
    })?;
    let scheme = uri.scheme().as_str().to_ascii_lowercase();
    if scheme == "file" {
        return Err(broken(format!(
            "{text:?} is a file, and a run has no files: put it on a server and name it by https"
        )));
    }
    if scheme != "http" && scheme != "https" {
        return Err(broken(format!(
            "the scheme of {text:?} is neither http nor https"
        )));
    }
    let authority = uri
        .authority()
        .filter(|authority| !authority.host().is_empty())
        .ok_or_else(|| broken(format!("{text:?} names no host")))?;
    if authority.userinfo().is_some() {
        // They would show up wherever the URI does (RFC 9110, section 4.2.4, deprecates them).
        return Err(broken(
            "the URI holds credentials: give them as `authentication`".to_owned(),
        ));
    }
    Ok(uri.to_owned())
}

/// The value of `Authorization` for an authentication (dsl-reference, "Authentication"). What is wrong is said
/// without showing any part of the credentials.
///
/// # Errors
///
/// `validation` where it is none; `configuration` for a way that is not supported.
pub fn authorization(name: &str, policy: Option<&Value>) -> Result<Option<String>, Failure> {
    let members = match policy {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(members)) => members,
        Some(other) => return Err(not(name, "an object", other)),
    };
    let mut kinds = members.iter();
    let (Some((kind, policy)), None) = (kinds.next(), kinds.next()) else {
        return Err(Failure::validation(format!(
            "{name}: expected an object with one key, such as `basic` or `bearer`"
        )));
    };
    let field = |key: &str| {
        let place = format!("{name}.{kind}.{key}");
        let text = policy.get(key).and_then(Value::as_str);
        let text = text.ok_or_else(|| Failure::validation(format!("{place}: expected text")))?;
        if text.chars().any(char::is_control) {
            return Err(Failure::validation(format!(
                "{place}: it holds a control character, which no header may"
            )));
        }
        Ok(text)
    };
    match kind.as_str() {
        // RFC 7617, section 2.
        "basic" => {
            let (username, password) = (field("username")?, field("password")?);
            if username.contains(':') {
                return Err(Failure::validation(format!(
                    "{name}.basic.username: it holds a colon, which a user name may not"
                )));
            }
            let credentials = BASE64_STANDARD.encode(format!("{username}:{password}"));
            Ok(Some(format!("Basic {credentials}")))
        }
        // RFC 6750, section 2.1.
        "bearer" => Ok(Some(format!("Bearer {}", field("token")?))),
        other => Err(Failure::new(
            Kind::Configuration,
            "Authentication not supported",
            format!("{name}: `{other}` is not supported for this call: use `basic` or `bearer`"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn credentials_become_a_header() {
        let endpoint = json!({"uri": "https://a.test/x", "authentication": {"basic": {"username": "a", "password": "b"}}});
        let endpoint = Endpoint::read("server", &endpoint).expect("an endpoint");
        let request = endpoint.request("GET", &[("Authorization", "old")], None);
        assert_eq!(request.header("authorization"), Some("Basic YTpi"));
        assert_eq!(request.headers.len(), 1);
    }

    #[test]
    fn what_is_no_endpoint_says_why() {
        for (value, expected) in [
            (
                json!(1),
                "server: expected a URI, or an object with `uri`, and found a number",
            ),
            (json!({}), "server: it has no `uri`"),
            (
                json!("file:///a"),
                "server: \"file:///a\" is a file, and a run has no files",
            ),
            (json!("ftp://a"), "neither http nor https"),
            (json!("http:///x"), "names no host"),
            (json!("http://u:p@a/"), "the URI holds credentials"),
            (
                json!({"uri": "http://a", "authentication": {"bearer": {}}}),
                "server.authentication.bearer.token: expected text",
            ),
            (
                json!({"uri": "http://a", "authentication": {"digest": {}}}),
                "`digest` is not supported",
            ),
        ] {
            let failure = Endpoint::read("server", &value).expect_err("no endpoint");
            assert!(failure.detail.contains(expected), "{}", failure.detail);
        }
    }
}
