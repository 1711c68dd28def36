//! `$authorization`: how a call authenticates (dsl.md, "Authorization Descriptor").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The descriptor of an authentication, `{scheme, parameter}`. What is agreed on with the other side only
/// when the call is made (a digest, a token of OAuth2 or OpenID Connect) has no parameter here.
pub(super) fn descriptor(authentication: &Value) -> Value {
    let text = |scheme: &str, key: &str| authentication[scheme][key].as_str();
    if let Some((username, password)) = text("basic", "username").zip(text("basic", "password")) {
        // RFC 7617, section 2.
        let parameter = STANDARD.encode(format!("{username}:{password}"));
        return json!({ "scheme": "Basic", "parameter": parameter });
    }
    if let Some(token) = text("bearer", "token") {
        return json!({ "scheme": "Bearer", "parameter": token });
    }
    let is_written = |scheme: &str| authentication.get(scheme).is_some();
    match () {
        () if is_written("basic") => json!({ "scheme": "Basic" }),
        () if is_written("digest") => json!({ "scheme": "Digest" }),
        () if ["bearer", "oauth2", "oidc"].into_iter().any(is_written) => {
            json!({ "scheme": "Bearer" })
        }
        () => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_says_what_is_sent() {
        let check = |authentication: Value, expected: Value| {
            assert_eq!(descriptor(&authentication), expected, "{authentication}");
        };
        // The example of RFC 7617, section 2.
        check(
            json!({"basic": {"username": "Aladdin", "password": "open sesame"}}),
            json!({"scheme": "Basic", "parameter": "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}),
        );
        check(
            json!({"bearer": {"token": "abc"}}),
            json!({"scheme": "Bearer", "parameter": "abc"}),
        );
        check(json!({"digest": {}}), json!({"scheme": "Digest"}));
        check(json!({"oauth2": {}}), json!({"scheme": "Bearer"}));
        check(json!({}), Value::Null);
        check(Value::Null, Value::Null);
    }
}
