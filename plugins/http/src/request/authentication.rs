//! From an authentication policy (dsl-reference, "Authentication") to the header `Authorization`.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;

use crate::failure::Failure;

/// The value of `Authorization`. What is wrong is said without showing any part of the credentials.
pub(super) fn header(policy: &Value) -> Result<String, Failure> {
    let Some(fields) = policy.as_object() else {
        return Err(Failure::validation(
            "endpoint.authentication: expected an object",
        ));
    };
    let mut kinds = fields.iter();
    match (kinds.next(), kinds.next()) {
        (Some((kind, policy)), None) => match kind.as_str() {
            "basic" => basic(policy),
            "bearer" => bearer(policy),
            "digest" | "oauth2" | "oidc" | "certificate" => Err(Failure::configuration(
                "Authentication not supported",
                format!(
                    "the http connector does not support `{kind}` authentication yet: use `basic` \
                     or `bearer`, or call a connector that knows the service"
                ),
            )),
            "use" => Err(Failure::configuration(
                "Unknown authentication",
                "endpoint.authentication: the policy that `use` names was not found among \
                 `use.authentications` of the workflow",
            )),
            other => Err(Failure::validation(format!(
                "endpoint.authentication: there is no `{other}`: use `basic` or `bearer`"
            ))),
        },
        _ => Err(Failure::validation(
            "endpoint.authentication: expected an object with one key, `basic` or `bearer`",
        )),
    }
}

/// RFC 7617, section 2.
fn basic(policy: &Value) -> Result<String, Failure> {
    let username = text(policy, "basic", "username")?;
    let password = text(policy, "basic", "password")?;
    if username.contains(':') {
        return Err(Failure::validation(
            "endpoint.authentication.basic.username: it holds a colon, which a user name may not",
        ));
    }
    Ok(format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{username}:{password}"))
    ))
}

/// RFC 6750, section 2.1.
fn bearer(policy: &Value) -> Result<String, Failure> {
    Ok(format!("Bearer {}", text(policy, "bearer", "token")?))
}

fn text<'p>(policy: &'p Value, kind: &str, field: &str) -> Result<&'p str, Failure> {
    let broken =
        |why| Failure::validation(format!("endpoint.authentication.{kind}.{field}: {why}"));
    let text = policy
        .get(field)
        .and_then(Value::as_str)
        .ok_or_else(|| broken("expected a string"))?;
    if text.chars().any(char::is_control) {
        return Err(broken("it holds a control character, which no header may"));
    }
    Ok(text)
}
