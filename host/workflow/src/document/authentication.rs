//! How to authenticate (dsl-reference, "Authentication").

use super::endpoint::Uri;
use super::read::{Field, Kind, Read, Reader};
use super::{Located, Location, Reusable};

/// An authentication policy.
#[derive(Debug, Clone)]
pub struct Authentication {
    /// Under which scheme.
    pub scheme: AuthenticationScheme,
    /// Where it is defined.
    pub location: Location,
}

/// Under which scheme to authenticate. All strings may be expressions.
#[derive(Debug, Clone)]
pub enum AuthenticationScheme {
    /// `basic`: a name and a password (RFC 7617).
    Basic(Credentials<UserPassword>),
    /// `bearer`: a token (RFC 6750).
    Bearer(Credentials<Located<String>>),
    /// `digest`: a name and a password (RFC 7616).
    Digest(Credentials<UserPassword>),
    /// `oauth2`: a token that is asked for (RFC 6749).
    OAuth2(Credentials<Box<OAuth2>>),
    /// `oidc`: the same, found by OpenID Connect Discovery.
    Oidc(Credentials<Box<OAuth2>>),
}

impl AuthenticationScheme {
    /// The key that names it.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Basic(_) => "basic",
            Self::Bearer(_) => "bearer",
            Self::Digest(_) => "digest",
            Self::OAuth2(_) => "oauth2",
            Self::Oidc(_) => "oidc",
        }
    }

    /// The secret that holds the credentials, if they are not written in the document.
    pub fn secret(&self) -> Option<&Located<String>> {
        match self {
            Self::Basic(Credentials::Secret(name))
            | Self::Bearer(Credentials::Secret(name))
            | Self::Digest(Credentials::Secret(name))
            | Self::OAuth2(Credentials::Secret(name))
            | Self::Oidc(Credentials::Secret(name)) => Some(name),
            _ => None,
        }
    }
}

/// Credentials that are written here or kept in a secret.
#[derive(Debug, Clone)]
pub enum Credentials<T> {
    /// Written here.
    Inline(T),
    /// `use`: the name of a secret. That `use.secrets` names it has been checked.
    Secret(Located<String>),
}

/// A name and a password.
#[derive(Debug, Clone)]
pub struct UserPassword {
    /// `username`.
    pub username: Located<String>,
    /// `password`.
    pub password: Located<String>,
}

/// How to ask for a token (dsl-reference, "OAUTH2 Authentication").
#[derive(Debug, Clone)]
pub struct OAuth2 {
    /// `authority`: the base URI of the server to ask.
    pub authority: Located<String>,
    /// `grant`: the grant type.
    pub grant: Located<String>,
    /// `endpoints.token`: its path. Default: `/oauth2/token`. Not for `oidc`.
    pub token_endpoint: Option<Located<String>>,
    /// `endpoints.revocation`: its path. Default: `/oauth2/revoke`. Not for `oidc`.
    pub revocation_endpoint: Option<Located<String>>,
    /// `endpoints.introspection`: its path. Default: `/oauth2/introspect`. Not for `oidc`.
    pub introspection_endpoint: Option<Located<String>>,
    /// `client.id`.
    pub client_id: Option<Located<String>>,
    /// `client.secret`.
    pub client_secret: Option<Located<String>>,
    /// `client.assertion`: a signed JSON web token.
    pub client_assertion: Option<Located<String>>,
    /// `client.authentication`: how the client authenticates. Default: `client_secret_post`.
    pub client_authentication: Option<Located<String>>,
    /// `request.encoding`: the media type of the request. Default: `application/x-www-form-urlencoded`.
    pub encoding: Option<Located<String>>,
    /// `issuers`: who may have issued the token.
    pub issuers: Vec<Located<String>>,
    /// `scopes` to ask for.
    pub scopes: Vec<Located<String>>,
    /// `audiences` to ask for.
    pub audiences: Vec<Located<String>>,
    /// `username`, for the grant type `password`.
    pub username: Option<Located<String>>,
    /// `password`, for the grant type `password`.
    pub password: Option<Located<String>>,
    /// `subject`: on whose behalf.
    pub subject: Option<Token>,
    /// `actor`: by whom.
    pub actor: Option<Token>,
}

/// A security token (dsl-reference, "OAUTH2 Token").
#[derive(Debug, Clone)]
pub struct Token {
    /// `token`.
    pub token: Located<String>,
    /// `type`.
    pub r#type: Located<String>,
}

const SCHEMES: [&str; 5] = ["basic", "bearer", "digest", "oauth2", "oidc"];

impl Read for Authentication {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "an authentication policy")?;
        let scheme = object.one_of(&SCHEMES).and_then(|key| {
            Some(match key {
                "basic" => AuthenticationScheme::Basic(object.required("basic")?),
                "bearer" => AuthenticationScheme::Bearer(
                    object
                        .required::<Credentials<Bearer>>("bearer")?
                        .map(|bearer| bearer.0),
                ),
                "digest" => AuthenticationScheme::Digest(object.required("digest")?),
                "oauth2" => AuthenticationScheme::OAuth2(
                    object
                        .required::<Credentials<OAuth2>>("oauth2")?
                        .map(Box::new),
                ),
                _ => AuthenticationScheme::Oidc(
                    object
                        .required::<Credentials<Oidc>>("oidc")?
                        .map(|oidc| Box::new(oidc.0)),
                ),
            })
        });
        object.finish_with(|key| {
            (key == "use").then_some("a definition under `use` cannot refer to another")
        })?;
        Some(Self {
            scheme: scheme?,
            location: field.location(),
        })
    }
}

impl Read for Reusable<Authentication> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if let Some(text) = field.as_str() {
            let name: String = text.chars().take(80).collect();
            reader.wrong_type(
                field,
                "an authentication policy (a mapping)",
                format!("to refer to a definition write {{ use: {name} }}"),
            );
            return None;
        }
        if field.node.get("use").is_none() {
            return Authentication::read(field, reader).map(Self::Inline);
        }
        let mut object = reader.object(field, "an authentication policy")?;
        object.one_of(&["use", "basic", "bearer", "digest", "oauth2", "oidc"])?;
        let name = object.required::<Located<String>>("use");
        object.finish()?;
        let name = name?;
        reader.check_reference(Kind::Authentications, &name)?;
        Some(Self::Reference(name))
    }
}

impl<T> Credentials<T> {
    fn map<U>(self, convert: impl FnOnce(T) -> U) -> Credentials<U> {
        match self {
            Self::Inline(value) => Credentials::Inline(convert(value)),
            Self::Secret(name) => Credentials::Secret(name),
        }
    }
}

impl<T: Read> Read for Credentials<T> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if field.node.get("use").is_none() {
            return T::read(field, reader).map(Self::Inline);
        }
        let mut object = reader.object(field, "credentials from a secret")?;
        let name = object.required::<Located<String>>("use");
        object.finish()?;
        let name = name?;
        reader.check_reference(Kind::Secrets, &name)?;
        Some(Self::Secret(name))
    }
}

impl Read for UserPassword {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "a name and password")?;
        let username = object.required("username");
        let password = object.required("password");
        object.finish()?;
        Some(Self {
            username: username?,
            password: password?,
        })
    }
}

struct Bearer(Located<String>);

impl Read for Bearer {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if let Some(text) = field.as_str() {
            let text: String = text.chars().take(80).collect();
            reader.wrong_type(
                field,
                "a mapping with the token",
                format!("write {{ token: '{text}' }}"),
            );
            return None;
        }
        let mut object = reader.object(field, "a bearer token")?;
        let token = object.required("token");
        object.finish()?;
        Some(Self(token?))
    }
}

impl Read for OAuth2 {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        read_oauth2(field, reader, true)
    }
}

/// OpenID Connect: OAuth 2 without endpoints, which are found out.
struct Oidc(OAuth2);

impl Read for Oidc {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        read_oauth2(field, reader, false).map(Self)
    }
}

fn read_oauth2(field: &Field<'_>, reader: &mut Reader<'_>, has_endpoints: bool) -> Option<OAuth2> {
    let mut object = reader.object(field, if has_endpoints { "`oauth2`" } else { "`oidc`" })?;
    let authority = object.required::<Uri>("authority");
    let grant = object.required::<Grant>("grant");
    let endpoints = if has_endpoints {
        object.optional::<Endpoints>("endpoints")
    } else {
        Some(None)
    };
    let client = object.optional::<Client>("client");
    let request = object.optional::<Request>("request");
    let issuers = object.optional::<Vec<_>>("issuers");
    let scopes = object.optional::<Vec<_>>("scopes");
    let audiences = object.optional::<Vec<_>>("audiences");
    let username = object.optional("username");
    let password = object.optional("password");
    let subject = object.optional("subject");
    let actor = object.optional("actor");
    object.finish_with(|key| {
        (key == "endpoints").then_some("the endpoints are found out by OpenID Connect Discovery")
    })?;
    let [token_endpoint, revocation_endpoint, introspection_endpoint] =
        endpoints?.map(|one| one.0).unwrap_or_default();
    let Client {
        id: client_id,
        secret: client_secret,
        assertion: client_assertion,
        authentication: client_authentication,
    } = client?.unwrap_or_default();
    Some(OAuth2 {
        authority: authority?.0,
        grant: grant?.0,
        token_endpoint,
        revocation_endpoint,
        introspection_endpoint,
        client_id,
        client_secret,
        client_assertion,
        client_authentication,
        encoding: request?.and_then(|request| request.0),
        issuers: issuers?.unwrap_or_default(),
        scopes: scopes?.unwrap_or_default(),
        audiences: audiences?.unwrap_or_default(),
        username: username?,
        password: password?,
        subject: subject?,
        actor: actor?,
    })
}

/// A text that is one of a few.
fn one_of(
    field: &Field<'_>,
    reader: &mut Reader<'_>,
    names: &[&'static str],
) -> Option<Located<String>> {
    let choices: Vec<_> = names.iter().map(|name| (*name, *name)).collect();
    reader
        .choice(field, &choices)
        .map(|name| field.located(name.to_owned()))
}

struct Grant(Located<String>);

impl Read for Grant {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
        one_of(
            field,
            reader,
            &[
                "authorization_code",
                "client_credentials",
                "password",
                "refresh_token",
                exchange,
            ],
        )
        .map(Self)
    }
}

struct Endpoints([Option<Located<String>>; 3]);

impl Read for Endpoints {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`endpoints`")?;
        let token = object.optional("token");
        let revocation = object.optional("revocation");
        let introspection = object.optional("introspection");
        object.finish()?;
        Some(Self([token?, revocation?, introspection?]))
    }
}

#[derive(Default)]
struct Client {
    id: Option<Located<String>>,
    secret: Option<Located<String>>,
    assertion: Option<Located<String>>,
    authentication: Option<Located<String>>,
}

impl Read for Client {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`client`")?;
        let id = object.optional("id");
        let secret = object.optional("secret");
        let assertion = object.optional("assertion");
        let authentication = object.optional::<ClientAuthentication>("authentication");
        object.finish()?;
        Some(Self {
            id: id?,
            secret: secret?,
            assertion: assertion?,
            authentication: authentication?.map(|one| one.0),
        })
    }
}

struct ClientAuthentication(Located<String>);

impl Read for ClientAuthentication {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        one_of(
            field,
            reader,
            &[
                "client_secret_basic",
                "client_secret_post",
                "client_secret_jwt",
                "private_key_jwt",
                "none",
            ],
        )
        .map(Self)
    }
}

struct Request(Option<Located<String>>);

impl Read for Request {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`request`")?;
        let encoding = object.optional::<Encoding>("encoding");
        object.finish()?;
        Some(Self(encoding?.map(|one| one.0)))
    }
}

struct Encoding(Located<String>);

impl Read for Encoding {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        one_of(
            field,
            reader,
            &["application/x-www-form-urlencoded", "application/json"],
        )
        .map(Self)
    }
}

impl Read for Token {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "a security token")?;
        let token = object.required("token");
        let r#type = object.required("type");
        object.finish()?;
        Some(Self {
            token: token?,
            r#type: r#type?,
        })
    }
}
