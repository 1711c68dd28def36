//! JSON web tokens (RFC 7519): made with the client's secret, and looked into.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::{Value, json};

use super::Environment;
use crate::SendError;

/// How long an assertion of ours is good for, in seconds.
const SECONDS: u64 = 60;

/// An assertion of a client, signed with its secret (RFC 7523, section 2.2; OpenID Connect Core, section 9).
pub(super) fn assertion(
    client: &str,
    secret: &str,
    audience: &str,
    host: &impl Environment,
) -> Result<String, SendError> {
    let now = host.now();
    let claims = json!({
        "iss": client, "sub": client, "aud": audience, "iat": now, "exp": now + SECONDS,
        "jti": format!("{:016x}{now:x}", host.random()),
    });
    let head = json!({ "alg": "HS256", "typ": "JWT" });
    let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encode(&head), encode(&claims));
    let signature = host.hmac_sha256(secret, signed.as_bytes())?;
    Ok(format!(
        "{signed}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(signature)
    ))
}

/// Who issued a token, where it is one of these and says so. The signature is for the one that it is sent to.
pub(super) fn issuer(token: &str) -> Option<String> {
    let claims = token.split('.').nth(1)?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims["iss"].as_str().map(str::to_owned)
}
