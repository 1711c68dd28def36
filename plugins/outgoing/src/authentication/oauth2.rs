//! Access tokens (RFC 6749): asked for, and kept until shortly before they expire.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::{Algorithm, Environment, OAuth2, configuration, hex, invalid, jwt, unauthenticated};
use crate::{Request, Response, Send, SendError, Uri};

/// Where tokens are asked for by default (dsl-reference, "OAUTH2 Authentication").
const TOKEN_ENDPOINT: &str = "/oauth2/token";

/// Where OpenID Connect Discovery 1.0, section 4, finds out about a server.
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// How long a token is kept whose server does not say for how long it is good, in seconds.
const UNKNOWN_SECONDS: u64 = 60;

/// How much earlier than its end a token is given up, in seconds: so long may a request be under way.
const MARGIN_SECONDS: u64 = 30;

/// How much of what a server says is shown, in characters.
const SHOWN_CHARACTERS: usize = 300;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// All but the unreserved characters (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A token, and whether it was kept from before.
pub(super) struct Held {
    pub(super) token: String,
    pub(super) is_kept: bool,
    /// What it is kept under.
    pub(super) key: String,
}

/// The token of a policy: one that was kept, or a new one.
pub(super) fn token(
    policy: &OAuth2,
    discovers: bool,
    network: &impl Send,
    host: &impl Environment,
) -> Result<Held, SendError> {
    let key = key(policy, discovers, host)?;
    if let Some(token) = host.remembered(&key).filter(|token| !token.is_empty()) {
        return Ok(Held {
            token,
            is_kept: true,
            key,
        });
    }
    fresh(policy, discovers, key, network, host)
}

/// A new token, whatever was kept.
pub(super) fn fresh(
    policy: &OAuth2,
    discovers: bool,
    key: String,
    network: &impl Send,
    host: &impl Environment,
) -> Result<Held, SendError> {
    let endpoint = match discovers {
        true => discover(policy, network)?,
        false => {
            let path = policy.token_endpoint.as_deref().unwrap_or(TOKEN_ENDPOINT);
            format!("{}/{}", policy.authority, path.trim_start_matches('/'))
        }
    };
    let request = request(policy, &endpoint, host)?;
    let response = network.send(&request)?;
    let answer = answer(&response, &format!("the token server {endpoint}"))?;
    let Some(token) = answer["access_token"].as_str() else {
        return Err(unauthenticated(format!(
            "the token server {endpoint} answered without an `access_token`"
        )));
    };
    check_issuer(policy, token)?;
    let seconds = match &answer["expires_in"] {
        Value::Number(seconds) => seconds.as_f64().unwrap_or_default().max(0.0) as u64,
        // Some write it as text.
        Value::String(seconds) => seconds.parse().unwrap_or(UNKNOWN_SECONDS),
        _ => UNKNOWN_SECONDS + MARGIN_SECONDS,
    };
    let kept = seconds.saturating_sub(MARGIN_SECONDS);
    host.remember(&key, token, kept.saturating_mul(1000));
    Ok(Held {
        token: token.to_owned(),
        is_kept: false,
        key,
    })
}

/// What a token is kept under. A hash over all of the policy, which the host takes of the values of secrets: whoever may
/// not use them gets no key, and with another value it is another key.
fn key(policy: &OAuth2, discovers: bool, host: &impl Environment) -> Result<String, SendError> {
    let text = format!("{discovers} {policy:?}");
    Ok(format!(
        "oauth2/{}",
        hex(&host.hash(Algorithm::Sha256, &text)?)
    ))
}

fn discover(policy: &OAuth2, network: &impl Send) -> Result<String, SendError> {
    let url = format!("{}{DISCOVERY}", policy.authority);
    let request = Request {
        method: "GET".to_owned(),
        uri: uri(&url)?,
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        body: None,
    };
    let response = network.send(&request)?;
    let found = answer(&response, &format!("OpenID Connect Discovery at {url}"))?;
    // Section 4.3: it must be the one that was asked.
    let issuer = found["issuer"].as_str().unwrap_or_default();
    let is_same = |other: &str| other.trim_end_matches('/') == issuer.trim_end_matches('/');
    let is_right = match policy.issuers.is_empty() {
        true => is_same(&policy.authority),
        false => policy.issuers.iter().any(|other| is_same(other)),
    };
    if !is_right {
        return Err(unauthenticated(format!(
            "{url} says that the issuer is `{issuer}`, which is neither the authority nor one of `issuers`"
        )));
    }
    let endpoint = found["token_endpoint"].as_str();
    let endpoint =
        endpoint.ok_or_else(|| unauthenticated(format!("{url} names no `token_endpoint`")))?;
    Ok(endpoint.to_owned())
}

fn request(policy: &OAuth2, endpoint: &str, host: &impl Environment) -> Result<Request, SendError> {
    let mut fields = grant(policy)?;
    let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
    if let Some(authorization) = authenticate_client(policy, endpoint, &mut fields, host)? {
        headers.push(("authorization".to_owned(), authorization));
    }
    let (content_type, body) = match policy.is_json {
        true => ("application/json", json(fields)),
        false => ("application/x-www-form-urlencoded", form(&fields)),
    };
    headers.push(("content-type".to_owned(), content_type.to_owned()));
    Ok(Request {
        method: "POST".to_owned(),
        uri: uri(endpoint)?,
        headers,
        body: Some(body.into_bytes()),
    })
}

type Pairs = Vec<(&'static str, String)>;

/// What each grant type asks with.
fn grant(policy: &OAuth2) -> Result<Pairs, SendError> {
    let missing = |what: &str| {
        invalid(format!(
            "authentication: the grant `{}` needs {what}",
            policy.grant
        ))
    };
    let mut fields: Pairs = vec![("grant_type", policy.grant.clone())];
    match policy.grant.as_str() {
        "client_credentials" => {}
        "password" => {
            let username = policy
                .username
                .clone()
                .ok_or_else(|| missing("a `username`"))?;
            let password = policy
                .password
                .clone()
                .ok_or_else(|| missing("a `password`"))?;
            fields.extend([("username", username), ("password", password)]);
        }
        "refresh_token" => {
            // The reference has no other place for it.
            let subject = policy
                .subject
                .as_ref()
                .ok_or_else(|| missing("the token as `subject`"))?;
            fields.push(("refresh_token", subject.token.clone()));
        }
        EXCHANGE => {
            let subject = policy
                .subject
                .as_ref()
                .ok_or_else(|| missing("a `subject`"))?;
            fields.extend([
                ("subject_token", subject.token.clone()),
                ("subject_token_type", subject.r#type.clone()),
            ]);
            if let Some(actor) = &policy.actor {
                fields.extend([
                    ("actor_token", actor.token.clone()),
                    ("actor_token_type", actor.r#type.clone()),
                ]);
            }
        }
        "authorization_code" => {
            return Err(configuration(
                "authentication: the grant `authorization_code` needs a person who signs in, which no run can wait for: \
                 use `client_credentials`, or `refresh_token` with a token that a person has got",
            ));
        }
        other => {
            return Err(invalid(format!(
                "authentication: there is no grant `{other}`"
            )));
        }
    }
    if !policy.scopes.is_empty() {
        fields.push(("scope", policy.scopes.join(" ")));
    }
    let audiences = policy.audiences.iter();
    fields.extend(audiences.map(|audience| ("audience", audience.clone())));
    Ok(fields)
}

/// Puts the client's own credentials in; gives those that go into a header.
fn authenticate_client(
    policy: &OAuth2,
    endpoint: &str,
    fields: &mut Pairs,
    host: &impl Environment,
) -> Result<Option<String>, SendError> {
    let method = policy
        .client_authentication
        .as_deref()
        .unwrap_or("client_secret_post");
    let Some(id) = policy.client_id.clone() else {
        return match (method, &policy.client_assertion) {
            // An assertion says who it is from.
            ("private_key_jwt" | "client_secret_jwt", Some(assertion)) => {
                fields.extend([
                    ("client_assertion_type", ASSERTION.to_owned()),
                    ("client_assertion", assertion.clone()),
                ]);
                Ok(None)
            }
            _ => Ok(None),
        };
    };
    let secret = || {
        let missing = || {
            invalid(format!(
                "authentication: `{method}` needs a `client.secret`"
            ))
        };
        policy.client_secret.clone().ok_or_else(missing)
    };
    match method {
        "client_secret_basic" => {
            // RFC 6749, section 2.3.1, encodes both before. A placeholder stays what it is.
            let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
            let credentials = host.basic(&encode(&id), &encode(&secret()?))?;
            return Ok(Some(format!("Basic {credentials}")));
        }
        "client_secret_post" => {
            fields.push(("client_id", id));
            // A client without a secret is a public one.
            if let Some(secret) = policy.client_secret.clone() {
                fields.push(("client_secret", secret));
            }
        }
        "client_secret_jwt" | "private_key_jwt" => {
            let assertion = match (&policy.client_assertion, method) {
                (Some(assertion), _) => assertion.clone(),
                (None, "client_secret_jwt") => jwt::assertion(&id, &secret()?, endpoint, host)?,
                (None, _) => {
                    return Err(configuration(
                        "authentication: `private_key_jwt` needs a signed `client.assertion`: private keys are not used here",
                    ));
                }
            };
            fields.extend([
                ("client_id", id),
                ("client_assertion_type", ASSERTION.to_owned()),
                ("client_assertion", assertion),
            ]);
        }
        "none" => fields.push(("client_id", id)),
        other => {
            return Err(invalid(format!(
                "authentication: there is no client authentication `{other}`"
            )));
        }
    }
    Ok(None)
}

fn form(fields: &Pairs) -> String {
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn json(fields: Pairs) -> String {
    let mut object = Map::new();
    for (name, value) in fields {
        let value = Value::from(value);
        match object.get_mut(name) {
            None => {
                object.insert(name.to_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    Value::Object(object).to_string()
}

/// What a server of identities answers, where it is not an error (RFC 6749, section 5.2).
fn answer(response: &Response, who: &str) -> Result<Value, SendError> {
    let read = serde_json::from_slice::<Value>(&response.body);
    if (200..300).contains(&response.status) {
        return read
            .map_err(|_| unauthenticated(format!("{who} answered with something else than JSON")));
    }
    let said = read.ok().and_then(|said| {
        let error = said["error"].as_str()?.to_owned();
        Some(match said["error_description"].as_str() {
            Some(description) => format!("{error}: {description}"),
            None => error,
        })
    });
    let said: String = said
        .unwrap_or_default()
        .chars()
        .take(SHOWN_CHARACTERS)
        .collect();
    let said = if said.is_empty() {
        said
    } else {
        format!(": {said}")
    };
    Err(unauthenticated(format!(
        "{who} answered {}{said}",
        response.status
    )))
}

fn check_issuer(policy: &OAuth2, token: &str) -> Result<(), SendError> {
    let issuer = jwt::issuer(token);
    match issuer {
        Some(issuer) if !policy.issuers.is_empty() && !policy.issuers.contains(&issuer) => {
            Err(unauthenticated(format!(
                "the token was issued by `{issuer}`, which is none of `issuers`"
            )))
        }
        _ => Ok(()),
    }
}

fn uri(text: &str) -> Result<Uri<String>, SendError> {
    Uri::parse(text)
        .map(|uri| uri.to_owned())
        .map_err(|error| invalid(format!("authentication: `{text}` is no URI: {error}")))
}
