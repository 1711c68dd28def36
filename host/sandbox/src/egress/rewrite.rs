//! Requests to one authority, sent to another: for tests, which must not reach the internet.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Uri;
use http::uri::PathAndQuery;

use super::client::Client;
use super::rule::{Rule, RuleError};
use super::rules::Rules;
use super::target::Target;

/// A map from origins (`https://petstore.swagger.io`) to origins (`http://127.0.0.1:8099`).
///
/// **For testing only.** A request to an origin of the map is sent to the other one without asking the
/// grant, since the tests' documents name hosts of the internet. It grants nothing but these.
#[derive(Debug)]
pub struct Rewrite {
    origins: Vec<(Rule, Uri)>,
    client: Client,
}

/// An origin that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError {
    /// Not even an egress rule.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// More than a scheme, a host and a port.
    #[error(
        "`{0}` is no origin: give a scheme, a host and a port only, as in `http://127.0.0.1:8099`"
    )]
    NotAnOrigin(String),
}

impl Rewrite {
    /// Reads a map of origins.
    ///
    /// # Errors
    ///
    /// Names the first text that is no origin.
    pub fn new(origins: &BTreeMap<String, String>) -> Result<Self, RewriteError> {
        let mut pairs = Vec::new();
        let mut targets = Vec::new();
        for (from, to) in origins {
            let from: Rule = origin(from)?.parse()?;
            let to = origin(to)?;
            targets.push(to.parse()?);
            pairs.push((
                from,
                to.parse()
                    .map_err(|_| RewriteError::NotAnOrigin(to.to_owned()))?,
            ));
        }
        Ok(Self {
            origins: pairs,
            client: Client::new(Arc::new(Rules::new(targets))),
        })
    }

    /// Where a request goes instead, and the client that goes there.
    pub(crate) fn apply(
        &self,
        target: &Target,
        path: Option<&PathAndQuery>,
    ) -> Option<(Uri, &Client)> {
        let (_, to) = self.origins.iter().find(|(from, _)| from.allows(target))?;
        let mut parts = to.clone().into_parts();
        parts.path_and_query = path
            .cloned()
            .or_else(|| Some(PathAndQuery::from_static("/")));
        Some((Uri::from_parts(parts).ok()?, &self.client))
    }
}

fn origin(text: &str) -> Result<&str, RewriteError> {
    let plain = text.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.contains(' ') && !rest.contains(['/', '*', ' ']) && !rest.is_empty()
    });
    if plain {
        Ok(text)
    } else {
        Err(RewriteError::NotAnOrigin(text.to_owned()))
    }
}
