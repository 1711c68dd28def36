//! Tokens: what a client shows to a host, and what the host keeps of it.
//!
//! A host keeps the SHA-256 alone. That is enough for tokens that are long and random, as those of
//! [`Token::new`] are: there is nothing to guess, so that a slow hash would protect nothing.

use std::str::FromStr;

use baton_server::TokenDigest;
use baton_store::TenantId;
use rand::RngExt;
use serde::Deserialize;

/// How long the name of a token may be.
const NAME_LENGTH_MAX: usize = 64;

const NOT_A_HASH: &str =
    "a token's `sha256` has 64 hex digits; `baton token new` makes a token and its hash";

/// A token, in clear text.
pub(crate) struct Token(String);

impl Token {
    /// A new one, of 256 random bits: `baton_` and 64 hex digits.
    pub(crate) fn new() -> Self {
        let bytes: [u8; 32] = rand::rng().random();
        Self(format!("baton_{}", hex::encode(bytes)))
    }

    /// The text that the client shows.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// What a host keeps.
    pub(crate) fn digest(&self) -> TokenDigest {
        TokenDigest::of(&self.0)
    }
}

/// Who shows a token: a tenant, and which of its clients.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Table")]
pub(crate) struct TokenHash {
    /// The tenant that the token's owner belongs to.
    pub(crate) tenant: TenantId,
    /// A name for logs, so that they can say who without the token.
    pub(crate) name: String,
    /// What the host keeps of the token.
    pub(crate) digest: TokenDigest,
    /// Whether it is an operator's, who may also ask for what is of the host as a whole. In the file alone.
    pub(crate) operator: bool,
}

/// A `[[token]]` of `baton.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    tenant: String,
    name: String,
    sha256: String,
    #[serde(default)]
    operator: bool,
}

impl TryFrom<Table> for TokenHash {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let name = name(&table.name)?;
        let tenant = TenantId::new(&table.tenant).map_err(|error| error.to_string())?;
        // The text isn't shown: it may be the token itself, put where its hash belongs.
        let digest = table.sha256.parse().map_err(|_| NOT_A_HASH)?;
        Ok(Self {
            tenant,
            name,
            digest,
            operator: table.operator,
        })
    }
}

/// The name of a token, as a host takes it.
///
/// # Errors
///
/// It could not stand in a flag or in a line of the log, or is too long.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let has_room = (1..=NAME_LENGTH_MAX).contains(&text.len());
    let fits = |it: char| !it.is_control() && !"/=,".contains(it);
    match has_room && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "a token's name has 1 to {NAME_LENGTH_MAX} bytes, with no `/`, `=`, `,` or control character among them"
        )),
    }
}

/// `TENANT/NAME=SHA256`, as the flag has it.
impl FromStr for TokenHash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text
            .split_once('=')
            .and_then(|(who, sha256)| Some((who.split_once('/')?, sha256)));
        let ((tenant, name), sha256) = parts.ok_or("expected TENANT/NAME=SHA256")?;
        Table {
            tenant: tenant.into(),
            name: name.into(),
            sha256: sha256.into(),
            operator: false,
        }
        .try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_text() {
        let hash = Token("test".into()).digest().to_string();
        assert_eq!(
            hash,
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        );
        assert_ne!(Token::new().text(), Token::new().text());
    }

    #[test]
    fn flags_are_read_whole_or_refused() {
        let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let token: TokenHash = format!("acme/ci={hash}").parse().expect("it is right");
        assert_eq!((token.tenant.as_str(), token.name.as_str()), ("acme", "ci"));
        for wrong in [
            "",
            "acme",
            "acme/ci",
            "acme=x",
            "acme/ci=",
            "acme/ci=12",
            &format!("Acme/ci={hash}"),
        ] {
            assert!(wrong.parse::<TokenHash>().is_err(), "{wrong}");
        }
        assert!(format!("acme/={hash}").parse::<TokenHash>().is_err());
    }

    #[test]
    fn a_name_is_one_that_a_host_takes() {
        for right in ["ci", "Ada's laptop", &"n".repeat(NAME_LENGTH_MAX)] {
            assert_eq!(name(right).as_deref(), Ok(right));
        }
        for wrong in [
            "",
            "a/b",
            "a=b",
            "a,b",
            "a\nb",
            &"n".repeat(NAME_LENGTH_MAX + 1),
        ] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
    }
}
