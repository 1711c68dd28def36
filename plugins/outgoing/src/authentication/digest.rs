//! Digest (RFC 7616): the other side gives a challenge, and the answer proves that the password is known.

use serde_json::{Value, json};

use super::{Algorithm, Environment, UserPassword, configuration, hex, unauthenticated};
use crate::{Request, SendError};

/// How long a challenge is kept for further requests, in milliseconds. A server that has forgotten it says so.
const CHALLENGE_MILLISECONDS: u64 = 5 * 60 * 1000;

/// What the other side asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// As it was written: `SHA-256`, `MD5-sess`; none where it was left out, which means MD5.
    algorithm: Option<String>,
    quality: Quality,
    hides_user: bool,
    /// How often the nonce has been used.
    count: u32,
}

/// The quality of protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quality {
    /// RFC 2069: none.
    None,
    Auth,
    AuthInt,
}

impl Challenge {
    /// The strongest challenge in the headers of a response that can be met; none where it has no challenge of Digest.
    pub(super) fn of(headers: &[(String, String)]) -> Option<Result<Self, SendError>> {
        let headers = headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"));
        let challenges: Vec<_> = headers.flat_map(|(_, value)| challenges(value)).collect();
        let digests = challenges
            .iter()
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("digest"));
        let mut digests = digests.map(|(_, parameters)| parameters).peekable();
        digests.peek()?;
        let best = digests
            .filter_map(|parameters| Self::read(parameters))
            .max_by_key(Self::strength);
        Some(best.ok_or_else(|| {
            configuration(
                "the server asks for a kind of digest authentication that is not supported: there are MD5, SHA-256 and \
                 SHA-512-256, with `auth` or `auth-int`",
            )
        }))
    }

    fn read(parameters: &[(String, String)]) -> Option<Self> {
        let get = |name: &str| {
            let found = parameters
                .iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        let quality = match get("qop") {
            None => Quality::None,
            Some(offered) => {
                let offers = |wanted: &str| {
                    offered
                        .split(',')
                        .any(|it| it.trim().eq_ignore_ascii_case(wanted))
                };
                match (offers("auth"), offers("auth-int")) {
                    (true, _) => Quality::Auth,
                    (false, true) => Quality::AuthInt,
                    (false, false) => return None,
                }
            }
        };
        let challenge = Self {
            realm: get("realm")?,
            nonce: get("nonce")?,
            opaque: get("opaque"),
            algorithm: get("algorithm"),
            quality,
            hides_user: get("userhash").is_some_and(|it| it.eq_ignore_ascii_case("true")),
            count: 0,
        };
        challenge.function().map(|_| challenge)
    }

    /// Whether the headers of a response say that the nonce is too old, and nothing else is wrong.
    pub(super) fn is_stale(headers: &[(String, String)]) -> bool {
        headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"))
            .flat_map(|(_, value)| challenges(value))
            .flat_map(|(_, parameters)| parameters)
            .any(|(name, value)| {
                name.eq_ignore_ascii_case("stale") && value.eq_ignore_ascii_case("true")
            })
    }

    fn strength(&self) -> u8 {
        match self.function() {
            Some((Algorithm::Sha256, _)) => 3,
            Some((Algorithm::Sha512Part256, _)) => 2,
            _ => 1,
        }
    }

    /// The hash, and whether its key is of the session.
    fn function(&self) -> Option<(Algorithm, bool)> {
        let name = self
            .algorithm
            .as_deref()
            .unwrap_or("MD5")
            .to_ascii_uppercase();
        let (name, session) = match name.strip_suffix("-SESS") {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        match name {
            "MD5" => Some((Algorithm::Md5, session)),
            "SHA-256" => Some((Algorithm::Sha256, session)),
            "SHA-512-256" => Some((Algorithm::Sha512Part256, session)),
            _ => None,
        }
    }

    /// The value of `Authorization` that meets the challenge (RFC 7616, section 3.4).
    pub(super) fn answer(
        &mut self,
        request: &Request,
        policy: &UserPassword,
        host: &impl Environment,
    ) -> Result<String, SendError> {
        let (algorithm, session) = self.function().unwrap_or((Algorithm::Md5, false));
        let hash = |text: &str| host.hash(algorithm, text).map(|bytes| hex(&bytes));
        self.count += 1;
        let count = format!("{:08x}", self.count);
        // A nonce of ours for each request, told apart by the count where random numbers repeat.
        let own = format!("{:016x}{count}", host.random());
        let (realm, nonce) = (&self.realm, &self.nonce);
        let UserPassword { username, password } = policy;

        let mut key = hash(&format!("{username}:{realm}:{password}"))?;
        if session {
            key = hash(&format!("{key}:{nonce}:{own}"))?;
        }
        let uri = path_and_query(request);
        let method = &request.method;
        let what = match self.quality {
            Quality::AuthInt => {
                let body = request.body.as_deref().unwrap_or_default();
                let body = std::str::from_utf8(body).map_err(|_| {
                    configuration("the server asks for `auth-int`, which is supported for bodies of text alone")
                })?;
                hash(&format!("{method}:{uri}:{}", hash(body)?))?
            }
            Quality::None | Quality::Auth => hash(&format!("{method}:{uri}"))?,
        };
        let quality = match self.quality {
            Quality::None => None,
            Quality::Auth => Some("auth"),
            Quality::AuthInt => Some("auth-int"),
        };
        let response = match quality {
            None => hash(&format!("{key}:{nonce}:{what}"))?,
            Some(quality) => hash(&format!("{key}:{nonce}:{count}:{own}:{quality}:{what}"))?,
        };

        let user = match self.hides_user {
            true => format!("username=\"{}\"", hash(&format!("{username}:{realm}"))?),
            false => format!("username={}", quoted(username)),
        };
        let mut answer = format!(
            "Digest {user}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quoted(realm),
            quoted(nonce),
            quoted(&uri)
        );
        if let Some(algorithm) = &self.algorithm {
            answer.push_str(&format!(", algorithm={algorithm}"));
        }
        if let Some(opaque) = &self.opaque {
            answer.push_str(&format!(", opaque={}", quoted(opaque)));
        }
        if let Some(quality) = quality {
            answer.push_str(&format!(", qop={quality}, nc={count}, cnonce=\"{own}\""));
        }
        if self.hides_user {
            answer.push_str(", userhash=true");
        }
        Ok(answer)
    }

    /// The challenge that was met before under `key`.
    pub(super) fn remembered(key: &str, host: &impl Environment) -> Option<Self> {
        let kept: Value = serde_json::from_str(&host.remembered(key)?).ok()?;
        let text = |name: &str| kept[name].as_str().map(str::to_owned);
        Some(Self {
            realm: text("realm")?,
            nonce: text("nonce")?,
            opaque: text("opaque"),
            algorithm: text("algorithm"),
            quality: match kept["quality"].as_str()? {
                "auth" => Quality::Auth,
                "auth-int" => Quality::AuthInt,
                _ => Quality::None,
            },
            hides_user: kept["hidesUser"].as_bool()?,
            count: kept["count"].as_u64()?.try_into().ok()?,
        })
    }

    /// Keeps the challenge for the next request.
    pub(super) fn remember(&self, key: &str, host: &impl Environment) {
        let quality = match self.quality {
            Quality::None => "none",
            Quality::Auth => "auth",
            Quality::AuthInt => "auth-int",
        };
        let kept = json!({
            "realm": self.realm, "nonce": self.nonce, "opaque": self.opaque, "algorithm": self.algorithm,
            "quality": quality, "hidesUser": self.hides_user, "count": self.count,
        });
        host.remember(key, &kept.to_string(), CHALLENGE_MILLISECONDS);
    }
}

/// What to keep a challenge under: of this origin, and of those who know these credentials.
pub(super) fn key(
    request: &Request,
    policy: &UserPassword,
    host: &impl Environment,
) -> Result<String, SendError> {
    let authority = request
        .uri
        .authority()
        .map(|it| it.as_str())
        .unwrap_or_default();
    let text = format!(
        "{}\0{authority}\0{}\0{}",
        request.uri.scheme(),
        policy.username,
        policy.password
    );
    Ok(format!(
        "digest/{}",
        hex(&host.hash(Algorithm::Sha256, &text)?)
    ))
}

/// What the other side said to the credentials, where that is no.
pub(super) fn refused() -> SendError {
    unauthenticated("the server does not take the credentials of digest authentication")
}

fn path_and_query(request: &Request) -> String {
    let path = match request.uri.path().as_str() {
        "" => "/",
        path => path,
    };
    match request.uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

/// RFC 9110, section 5.6.4.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The challenges of a header: schemes with their parameters (RFC 9110, section 11.6.1).
fn challenges(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut challenges: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for item in items(text) {
        // A scheme stands before its first parameter, with a space between.
        let (scheme, parameter) = match item.split_once([' ', '=']) {
            Some((scheme, rest)) if item[scheme.len()..].starts_with(' ') => {
                (Some(scheme), rest.trim())
            }
            Some(_) => (None, item.as_str()),
            None => (Some(item.as_str()), ""),
        };
        if let Some(scheme) = scheme {
            challenges.push((scheme.to_owned(), Vec::new()));
        }
        if let (Some((name, value)), Some((_, parameters))) =
            (parameter.split_once('='), challenges.last_mut())
        {
            parameters.push((name.trim().to_owned(), unquoted(value.trim())));
        }
    }
    challenges
}

/// What stands between commas, but for those within quotes.
fn items(text: &str) -> Vec<String> {
    let (mut items, mut item, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for character in text.chars() {
        match character {
            ',' if !quoted => {
                items.push(std::mem::take(&mut item));
                continue;
            }
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && character == '\\' && !escaped;
        item.push(character);
    }
    items.push(item);
    let trimmed = items.into_iter().map(|item| item.trim().to_owned());
    trimmed.filter(|item| !item.is_empty()).collect()
}

fn unquoted(text: &str) -> String {
    let Some(inner) = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    else {
        return text.to_owned();
    };
    let (mut plain, mut escaped) = (String::new(), false);
    for character in inner.chars() {
        if character == '\\' && !escaped {
            escaped = true;
        } else {
            escaped = false;
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_whatever_stands_between() {
        let header = r#"Basic realm="a, \"b\"", Digest realm="c", qop="auth,auth-int", nonce=n1 , Negotiate"#;
        let read = challenges(header);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read[0],
            ("Basic".to_owned(), vec![pair("realm", "a, \"b\"")])
        );
        assert_eq!(
            read[1].1,
            [
                pair("realm", "c"),
                pair("qop", "auth,auth-int"),
                pair("nonce", "n1")
            ]
        );
        assert_eq!(read[2], ("Negotiate".to_owned(), vec![]));
    }

    #[test]
    fn the_strongest_challenge_is_met() {
        let challenge = |algorithm: &str| {
            let value =
                format!(r#"Digest realm="r", nonce="n", qop="auth", algorithm={algorithm}"#);
            ("www-authenticate".to_owned(), value)
        };
        let several = [
            challenge("MD5"),
            challenge("SHA-256"),
            challenge("SHA-512-256"),
        ];
        let best = Challenge::of(&several).expect("one").expect("known");
        assert_eq!(best.algorithm.as_deref(), Some("SHA-256"));
        assert!(Challenge::of(&[challenge("SHA-1")]).expect("one").is_err());
        assert!(Challenge::of(&[]).is_none());
    }
}
