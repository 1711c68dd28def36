//! Reading a policy from JSON. What is wrong is said without showing any part of the credentials.

use serde_json::{Map, Value};

use super::{configuration, invalid};
use crate::SendError;

/// How to authenticate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// RFC 7617.
    Basic(UserPassword),
    /// RFC 6750, with a token that is known.
    Bearer(String),
    /// RFC 7616.
    Digest(UserPassword),
    /// RFC 6749: a token that is asked for.
    OAuth2(Box<OAuth2>),
    /// The same, of a server that OpenID Connect Discovery says all about.
    Oidc(Box<OAuth2>),
}

/// A name and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPassword {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// How to ask for a token (dsl-reference, "OAUTH2 Authentication").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OAuth2 {
    /// The base URI of the server to ask, without a slash at its end.
    pub authority: String,
    /// The grant type.
    pub grant: String,
    /// The path of the token endpoint, where it is not the default.
    pub token_endpoint: Option<String>,
    /// The client.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<String>,
    /// A signed assertion of it.
    pub client_assertion: Option<String>,
    /// How it authenticates, where that is not the default.
    pub client_authentication: Option<String>,
    /// Whether the request is JSON rather than a form.
    pub is_json: bool,
    /// Who may have issued the token; anybody where it is empty.
    pub issuers: Vec<String>,
    /// What to ask for.
    pub scopes: Vec<String>,
    /// For whom.
    pub audiences: Vec<String>,
    /// Who, for the grant `password`.
    pub username: Option<String>,
    /// The password, for the grant `password`.
    pub password: Option<String>,
    /// On whose behalf.
    pub subject: Option<Token>,
    /// By whom.
    pub actor: Option<Token>,
}

/// A security token (dsl-reference, "OAUTH2 Token").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The token.
    pub token: String,
    /// Its type, a URI.
    pub r#type: String,
}

const SCHEMES: &str = "`basic`, `bearer`, `digest`, `oauth2` or `oidc`";

impl Policy {
    /// Reads a policy. `at` is what to call it in messages: `endpoint.authentication`.
    ///
    /// # Errors
    ///
    /// Says what is wrong, and where.
    pub fn read(policy: &Value, at: &str) -> Result<Self, SendError> {
        let fields = policy
            .as_object()
            .ok_or_else(|| invalid(format!("{at}: expected an object")))?;
        let mut schemes = fields.iter();
        let (scheme, given) = match (schemes.next(), schemes.next()) {
            (Some(only), None) => only,
            _ => {
                return Err(invalid(format!(
                    "{at}: expected an object with one key, {SCHEMES}"
                )));
            }
        };
        let at = format!("{at}.{scheme}");
        match scheme.as_str() {
            "basic" => Ok(Self::Basic(user_password(given, &at)?)),
            "bearer" => Ok(Self::Bearer(bearer(given, &at)?)),
            "digest" => Ok(Self::Digest(user_password(given, &at)?)),
            "oauth2" => Ok(Self::OAuth2(Box::new(OAuth2::read(given, &at)?))),
            "oidc" => Ok(Self::Oidc(Box::new(OAuth2::read(given, &at)?))),
            "use" => Err(configuration(format!(
                "{at}: the policy that it names was not found among `use.authentications` of the workflow"
            ))),
            "certificate" => Err(configuration(format!(
                "{at}: certificates are not supported: use {SCHEMES}"
            ))),
            _ => Err(invalid(format!(
                "{at}: there is no such scheme: use {SCHEMES}"
            ))),
        }
    }
}

fn user_password(given: &Value, at: &str) -> Result<UserPassword, SendError> {
    let given = Fields { given, at };
    let username = given.required("username")?;
    if username.contains(':') {
        let why = "it holds a colon, which a user name may not";
        return Err(invalid(format!("{at}.username: {why}")));
    }
    Ok(UserPassword {
        username,
        password: given.required("password")?,
    })
}

/// A token, as text or as the member of an object.
fn bearer(given: &Value, at: &str) -> Result<String, SendError> {
    match given {
        // A secret that is a text.
        Value::String(token) => Ok(token.clone()),
        _ => Fields { given, at }.required("token"),
    }
}

impl OAuth2 {
    fn read(given: &Value, at: &str) -> Result<Self, SendError> {
        let given = &nested(given);
        let fields = Fields { given, at };
        let authority = fields.required("authority")?;
        let authority = authority.trim_end_matches('/').to_owned();
        let client = fields.inside("client");
        let encoding = fields
            .inside("request")
            .and_then(|it| it.optional("encoding"));
        let is_json = match encoding.as_deref() {
            None | Some("application/x-www-form-urlencoded") => false,
            Some("application/json") => true,
            Some(other) => {
                return Err(invalid(format!(
                    "{at}.request.encoding: `{other}` is neither application/x-www-form-urlencoded nor \
                     application/json"
                )));
            }
        };
        let of_client = |name| client.as_ref().and_then(|client| client.optional(name));
        Ok(Self {
            authority,
            grant: fields.required("grant")?,
            token_endpoint: fields
                .inside("endpoints")
                .and_then(|it| it.optional("token")),
            client_id: of_client("id"),
            client_secret: of_client("secret"),
            client_assertion: of_client("assertion"),
            client_authentication: of_client("authentication"),
            is_json,
            issuers: fields.list("issuers"),
            scopes: fields.list("scopes"),
            audiences: fields.list("audiences"),
            username: fields.optional("username"),
            password: fields.optional("password"),
            subject: fields.token("subject")?,
            actor: fields.token("actor")?,
        })
    }
}

/// The members of an object, and what to call it.
struct Fields<'p> {
    given: &'p Value,
    at: &'p str,
}

impl<'p> Fields<'p> {
    fn required(&self, name: &str) -> Result<String, SendError> {
        let broken = |why| invalid(format!("{}.{name}: {why}", self.at));
        let text = self
            .optional(name)
            .ok_or_else(|| broken("expected a string"))?;
        if text.chars().any(char::is_control) {
            return Err(broken("it holds a control character, which no header may"));
        }
        Ok(text)
    }

    fn optional(&self, name: &str) -> Option<String> {
        self.given.get(name)?.as_str().map(str::to_owned)
    }

    fn inside(&self, name: &str) -> Option<Fields<'p>> {
        let given = self.given.get(name)?;
        Some(Fields { given, at: self.at })
    }

    /// An array of texts, or one text with spaces between.
    fn list(&self, name: &str) -> Vec<String> {
        match self.given.get(name) {
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    fn token(&self, name: &str) -> Result<Option<Token>, SendError> {
        let Some(given) = self.given.get(name).filter(|given| !given.is_null()) else {
            return Ok(None);
        };
        let at = format!("{}.{name}", self.at);
        let fields = Fields { given, at: &at };
        Ok(Some(Token {
            token: fields.required("token")?,
            r#type: fields.required("type")?,
        }))
    }
}

/// Members of members: a secret has texts alone, whose names say where they belong: `client.id`.
fn nested(given: &Value) -> Value {
    let mut object = Map::new();
    for (name, value) in given.as_object().into_iter().flatten() {
        match name.split_once('.') {
            None => {
                object.insert(name.clone(), value.clone());
            }
            Some((outer, inner)) => {
                let inside = object
                    .entry(outer)
                    .or_insert_with(|| Value::Object(Map::new()));
                if let Some(inside) = inside.as_object_mut() {
                    inside.insert(inner.to_owned(), value.clone());
                }
            }
        }
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_says_where_its_members_belong() {
        let flat = json!({
            "authority": "https://id.example/", "grant": "client_credentials", "client.id": "me",
            "client.secret": "baton-secret-1", "scopes": "read write", "request.encoding": "application/json",
        });
        let Ok(Policy::OAuth2(read)) = Policy::read(&json!({ "oauth2": flat }), "a") else {
            panic!("it is a policy");
        };
        assert_eq!(read.authority, "https://id.example");
        assert_eq!(read.client_id.as_deref(), Some("me"));
        assert_eq!(read.scopes, ["read", "write"]);
        assert!(read.is_json);
    }

    #[test]
    fn what_is_wrong_is_said_without_the_credentials() {
        for (policy, expected) in [
            (json!("secret"), "a: expected an object"),
            (
                json!({ "basic": { "username": "secret" } }),
                "a.basic.password: expected a string",
            ),
            (
                json!({ "basic": { "username": "a:secret", "password": "x" } }),
                "holds a colon",
            ),
            (
                json!({ "bearer": { "token": "secret\n" } }),
                "a.bearer.token: it holds a control character",
            ),
            (json!({ "kerberos": {} }), "there is no such scheme"),
            (
                json!({ "certificate": {} }),
                "certificates are not supported",
            ),
            (json!({ "basic": {}, "bearer": {} }), "with one key"),
            (
                json!({ "oauth2": { "grant": "x" } }),
                "a.oauth2.authority: expected a string",
            ),
        ] {
            let error = Policy::read(&policy, "a").expect_err("it is wrong").detail;
            assert!(
                error.contains(expected) && !error.contains("secret"),
                "{error}"
            );
        }
    }
}
