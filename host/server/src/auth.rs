//! Who asks, and for which tenant.
//!
//! With tokens, a request says who it comes from by `Authorization: Bearer TOKEN` (RFC 6750). The host knows
//! only the tokens' SHA-256: a token is long and random, so that a digest of it can't be turned back, and
//! comparing digests tells nothing about a token by its timing.
//!
//! Without tokens, on a developer's machine, whoever reaches the socket is let in. A web page in the
//! developer's browser reaches it as well, so that requests are refused that a page of another origin makes,
//! or that come under a foreign host name (DNS rebinding).

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use baton_api::ProblemKind;
use baton_engine::TenantId;
use sha2::{Digest as _, Sha256};

use crate::connections::Connection;
use crate::observe::Observed;
use crate::refusal::Refusal;
use crate::router::Context;

/// Who may ask.
#[derive(Clone, Debug)]
pub enum Authenticator {
    /// Everybody who reaches the socket, as this tenant. Only for a socket on loopback.
    Open {
        /// The tenant that all act as.
        tenant: TenantId,
    },
    /// Those who have one of these tokens.
    Tokens(Tokens),
}

/// The tokens that are let in, by their digest.
#[derive(Clone, Default)]
pub struct Tokens(HashMap<TokenDigest, Caller>);

/// The SHA-256 of a token. Written as 64 hex digits, as `printf %s TOKEN | sha256sum` prints it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest([u8; 32]);

/// Who asks: what each handler takes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The tenant that the request acts as.
    pub(crate) tenant: TenantId,
    /// The token's name, for histories and logs.
    pub(crate) name: String,
    /// Whether it is the operator, who may also ask for what is of the host as a whole.
    pub(crate) operator: bool,
}

/// Who asks for what is of the host as a whole, and may. What handlers of that take in place of a [`Caller`].
pub(crate) struct Operator;

/// Two tokens of one value, of which nobody could tell whom they let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tokens `{first}` and `{second}` have the same sha256; each needs a value of its own")]
pub struct DuplicateToken {
    /// The name of the one.
    pub first: String,
    /// The name of the other.
    pub second: String,
}

/// A text that is no token's digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the sha256 of a token: expected 64 hex digits, as `printf %s TOKEN | sha256sum` prints them"
)]
pub struct NotADigest(String);

impl Tokens {
    /// No tokens yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a token in, as a tenant and under a name that histories and logs show.
    ///
    /// # Errors
    ///
    /// The token is there already.
    pub fn add(
        &mut self,
        digest: TokenDigest,
        tenant: TenantId,
        name: impl Into<String>,
    ) -> Result<(), DuplicateToken> {
        self.insert(digest, tenant, name.into(), false)
    }

    /// As [`Tokens::add`], and lets it ask for what is of the host as a whole.
    ///
    /// # Errors
    ///
    /// The token is there already.
    pub fn add_operator(
        &mut self,
        digest: TokenDigest,
        tenant: TenantId,
        name: impl Into<String>,
    ) -> Result<(), DuplicateToken> {
        self.insert(digest, tenant, name.into(), true)
    }

    fn insert(
        &mut self,
        digest: TokenDigest,
        tenant: TenantId,
        name: String,
        operator: bool,
    ) -> Result<(), DuplicateToken> {
        if let Some(other) = self.0.get(&digest) {
            return Err(DuplicateToken {
                first: other.name.clone(),
                second: name,
            });
        }
        let caller = Caller {
            tenant,
            name,
            operator,
        };
        self.0.insert(digest, caller);
        Ok(())
    }

    /// Whether nobody is let in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How many, and whose: digests are of no use in a log.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.values()).finish()
    }
}

impl TokenDigest {
    /// The digest of a token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }
}

impl FromStr for TokenDigest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NotADigest(text.to_owned()))?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Authenticator {
    /// Who asks, by the headers of the request.
    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        match self {
            Self::Open { tenant } => {
                refuse_foreign_pages(headers)?;
                Ok(Caller {
                    tenant: tenant.clone(),
                    name: "local".to_owned(),
                    // Whoever reaches the socket has the machine, and with it the data directory.
                    operator: true,
                })
            }
            Self::Tokens(tokens) => {
                let token = bearer(headers)?;
                tokens
                    .0
                    .get(&TokenDigest::of(token))
                    .cloned()
                    .ok_or_else(|| {
                        unauthorized(
                            "the token is not known here; it may have been withdrawn",
                            true,
                        )
                    })
            }
        }
    }
}

impl FromRequestParts<Context> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Refusal> {
        let caller = context.settings.authenticator.caller(&parts.headers)?;
        if let Some(observed) = parts.extensions.get::<Observed>() {
            observed.caller_is(&caller);
        }
        // There is none where requests come without sockets.
        if let Some(connection) = parts.extensions.get::<Connection>() {
            connection.belongs_to(&caller.tenant)?;
        }
        Ok(caller)
    }
}

impl FromRequestParts<Context> for Operator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, context).await?;
        if caller.operator {
            return Ok(Self);
        }
        let detail = format!(
            "the token `{}` is of the tenant `{}` alone, and this is of the whole host; the host's configuration \
             makes a token an operator's with `operator = true`",
            caller.name, caller.tenant
        );
        Err(Refusal::new(ProblemKind::NotAnOperator, detail))
    }
}

/// The token of `Authorization: Bearer TOKEN`.
fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let missing = "send the tenant's token as `Authorization: Bearer TOKEN`";
    let value = headers
        .get(AUTHORIZATION)
        .ok_or_else(|| unauthorized(missing, false))?;
    let value = value.to_str().map_err(|_| unauthorized(missing, false))?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(unauthorized(missing, false)),
    }
}

/// A refusal with the challenge that RFC 6750 section 3 asks for.
fn unauthorized(detail: &str, given: bool) -> Refusal {
    let challenge = match given {
        true => r#"Bearer realm="baton", error="invalid_token""#,
        false => r#"Bearer realm="baton""#,
    };
    Refusal::new(ProblemKind::Unauthorized, detail)
        .with_header("www-authenticate", HeaderValue::from_static(challenge))
}

/// Refuses what a web page of another origin sends, and what comes under a name that isn't this machine's.
fn refuse_foreign_pages(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    // HTTP/1.1 clients always send a host (RFC 9112 section 3.2); older ones are no browsers.
    let host = headers.get(HOST).map(text);
    if let Some(host) = &host
        && !is_address(host)
    {
        return Err(Refusal::new(
            ProblemKind::ForeignOrigin,
            format!(
                "this host takes no token, so that it answers only as localhost or under an address, and \
                 not as `{host}`; use http://127.0.0.1 with its port, or start it with tokens"
            ),
        ));
    }
    let Some(origin) = headers.get(ORIGIN).map(text) else {
        return Ok(());
    };
    let own = origin.split_once("://").map(|(_, authority)| authority);
    if own.is_some() && own == host.as_deref() {
        return Ok(());
    }
    let detail = format!(
        "this host takes no token, so that pages of another origin (`{origin}`) are refused"
    );
    Err(Refusal::new(ProblemKind::ForeignOrigin, detail))
}

/// Whether `host[:port]` is `localhost` or an IP address, neither of which can be rebound by DNS.
fn is_address(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    #[test]
    fn a_token_says_who_asks() {
        let mut tokens = Tokens::new();
        tokens
            .add(TokenDigest::of("red"), tenant("red"), "ci")
            .unwrap();
        tokens
            .add(TokenDigest::of("blue"), tenant("blue"), "cd")
            .unwrap();
        let authenticator = Authenticator::Tokens(tokens);
        for (value, expected) in [
            ("Bearer red", Some("red")),
            ("bearer blue", Some("blue")),
            ("Bearer  blue", Some("blue")),
            ("Bearer green", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("Basic red", None),
            ("red", None),
        ] {
            let caller = authenticator.caller(&headers(&[("authorization", value)]));
            let tenant = caller.as_ref().ok().map(|caller| caller.tenant.as_str());
            assert_eq!(tenant, expected, "{value}");
        }
        assert!(authenticator.caller(&headers(&[])).is_err());
    }

    #[test]
    fn two_tokens_of_one_value_are_refused() {
        let mut tokens = Tokens::new();
        tokens
            .add(TokenDigest::of("red"), tenant("red"), "ci")
            .unwrap();
        let error = tokens
            .add(TokenDigest::of("red"), tenant("blue"), "cd")
            .unwrap_err();
        assert!(error.to_string().contains("`ci` and `cd`"), "{error}");
    }

    #[test]
    fn digests_are_written_as_sha256sum_prints_them() {
        let text = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let digest: TokenDigest = text.parse().unwrap();
        assert_eq!(digest, TokenDigest::of("test"));
        assert_eq!(digest.to_string(), text);
        for wrong in ["", "test", &text[1..], &format!("{text}00")] {
            assert!(wrong.parse::<TokenDigest>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn without_tokens_no_foreign_page_gets_in() {
        let authenticator = Authenticator::Open {
            tenant: TenantId::default(),
        };
        for pairs in [
            &[][..],
            &[("host", "127.0.0.1:7070")],
            &[("host", "LOCALHOST:7070")],
            &[("host", "[::1]:7070")],
            &[
                ("host", "localhost:7070"),
                ("origin", "http://localhost:7070"),
            ],
        ] {
            assert!(authenticator.caller(&headers(pairs)).is_ok(), "{pairs:?}");
        }
        for pairs in [
            &[("host", "evil.example:7070")][..],
            &[("host", "127.0.0.1.evil.example")],
            &[("host", "")],
            &[
                ("host", "localhost:7070"),
                ("origin", "http://evil.example"),
            ],
            &[
                ("host", "localhost:7070"),
                ("origin", "http://localhost:8080"),
            ],
            &[("host", "localhost:7070"), ("origin", "null")],
            &[("origin", "http://localhost:7070")],
        ] {
            assert!(authenticator.caller(&headers(pairs)).is_err(), "{pairs:?}");
        }
    }
}
