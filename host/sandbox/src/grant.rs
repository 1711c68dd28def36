//! What a tenant grants to a connector.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::capability::Granted;
use crate::egress::{Lookups, Rule, RuleError, dial};
use crate::limits::{LimitError, Limits, LimitsSpec};
use crate::process::ProcessRules;

/// A grant as its author writes it. Everything may be absent: nothing is granted then, under the default
/// limits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantSpec {
    /// Egress rules, as [`crate::Rule`] describes them: where requests may go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub egress: Vec<String>,
    /// The connector's settings, which it reads through `wasi:config`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
    /// Where connections may go, as `host:port`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tcp: Vec<String>,
    /// The names of the secrets that the connector may ask for, as placeholders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// The names of the secrets whose values the connector may hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reveal: Vec<String>,
    /// The limits of each call.
    #[serde(default)]
    pub limits: LimitsSpec,
}

/// A grant, parsed and checked. Build it once and keep it: calls under the same grant share its pool of
/// connections and its bound on concurrency. Clones are the same grant.
#[derive(Debug, Clone)]
pub struct Grant(Arc<Inner>);

impl Grant {
    /// Whether there is another clone of it: somebody calls with it.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

#[derive(Debug)]
struct Inner {
    granted: Granted,
    limits: Limits,
    permits: Semaphore,
    subscriptions: Semaphore,
}

/// A grant that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// An egress rule is none.
    #[error("{source}")]
    Egress {
        /// The position of the rule, from 0.
        index: usize,
        /// What is wrong with it.
        source: RuleError,
    },
    /// What is granted of connections is no `host:port`.
    #[error("connection `{}`: {}", .source.rule, .source.problem)]
    Tcp {
        /// The position of the pair, from 0.
        index: usize,
        /// What is wrong with it.
        source: RuleError,
    },
    /// A limit is no quantity, or out of range.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// More than one thing is wrong.
    #[error("{}", joined(.0))]
    Several(Vec<GrantError>),
}

impl GrantError {
    /// Where in the grant the error is, as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        match self {
            Self::Egress { index, .. } => format!("/egress/{index}"),
            Self::Tcp { index, .. } => format!("/tcp/{index}"),
            Self::Limit(LimitError::Unit { limit, .. } | LimitError::Range { limit, .. }) => {
                format!("/limits/{limit}")
            }
            Self::Several(errors) => errors.first().map_or_else(String::new, Self::pointer),
        }
    }
}

fn joined(errors: &[GrantError]) -> String {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl GrantSpec {
    /// All that is wrong with the grant: rules first, in their order. Nothing where it can be made.
    #[must_use]
    pub fn problems(&self) -> Vec<GrantError> {
        let rules = self.egress.iter().enumerate().filter_map(|(index, rule)| {
            let source = rule.parse::<Rule>().err()?;
            Some(GrantError::Egress { index, source })
        });
        let connections = self.tcp.iter().enumerate().filter_map(|(index, text)| {
            let source = dial::rule(text).err()?;
            Some(GrantError::Tcp { index, source })
        });
        let limits = self.limits.problems().into_iter().map(GrantError::Limit);
        rules.chain(connections).chain(limits).collect()
    }
}

impl Grant {
    /// Parses and checks a grant.
    ///
    /// # Errors
    ///
    /// Names every rule and limit that is wrong, and what is wrong with it.
    pub fn new(spec: &GrantSpec) -> Result<Self, GrantError> {
        let mut problems = spec.problems();
        match problems.len() {
            0 => {}
            1 => return Err(problems.remove(0)),
            _ => return Err(GrantError::Several(problems)),
        }
        let limits = spec.limits.resolve()?;
        let permits = || Semaphore::new(limits.concurrency);
        Ok(Self(Arc::new(Inner {
            granted: Granted::configure(spec)?,
            limits,
            permits: permits(),
            subscriptions: permits(),
        })))
    }

    /// The same grant, with processes of the machine as an operator has turned them on for this tenant and
    /// connector. Nothing that a tenant writes into a grant does that.
    ///
    /// # Errors
    ///
    /// As [`Grant::new`].
    pub fn with_processes(spec: &GrantSpec, rules: Arc<ProcessRules>) -> Result<Self, GrantError> {
        let mut grant = Self::new(spec)?;
        let inner = Arc::get_mut(&mut grant.0).expect("a new grant is nobody else's");
        inner.granted.process = Some(rules);
        Ok(grant)
    }

    /// The same grant, for which names are looked up with those of others of its tenant. A grant that shares with none has
    /// a tenant's part of them for itself.
    #[must_use]
    pub fn sharing(self, lookups: &Lookups) -> Self {
        let Granted { http, tcp, .. } = &self.0.granted;
        http.rules().share(lookups);
        tcp.share(lookups);
        self
    }

    /// The grant of nothing, under the default limits.
    #[must_use]
    pub fn nothing() -> Self {
        Self::new(&GrantSpec::default()).expect("the default limits are in range")
    }

    /// The limits of each call.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The names of the secrets that the connector may use or hold, each once: what a call of it is to be given in
    /// its context.
    pub fn secret_names(&self) -> impl Iterator<Item = &str> {
        self.0.granted.secrets.all()
    }

    pub(crate) fn granted(&self) -> &Granted {
        &self.0.granted
    }

    pub(crate) fn permits(&self) -> &Semaphore {
        &self.0.permits
    }

    /// The same for calls that go on.
    pub(crate) fn subscriptions(&self) -> &Semaphore {
        &self.0.subscriptions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(json: &str) -> Result<Grant, String> {
        let spec: GrantSpec = serde_json::from_str(json).map_err(|error| error.to_string())?;
        Grant::new(&spec).map_err(|error| format!("{}: {error}", error.pointer()))
    }

    #[test]
    fn a_grant_may_be_empty() {
        assert_eq!(*grant("{}").unwrap().limits(), Limits::default());
    }

    #[test]
    fn grants_share_lookups_for_as_long_as_they_are_there() {
        let lookups = Lookups::default();
        let all = [(); 2].map(|()| grant("{}").unwrap().sharing(&lookups));
        let [first, second] = all;
        drop(first);
        assert!(lookups.is_shared());
        drop(second);
        assert!(!lookups.is_shared());
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let error = grant(
            r#"{"egress": ["nowhere", "https://x", "ftp://x"], "limits": {"memory": "1TB", "time": "25h", "cpu": 1}}"#,
        )
        .unwrap_err();
        for expected in ["`nowhere`", "`ftp://x`", "limits.memory: ", "limits.time: "] {
            assert!(error.contains(expected), "{expected} in {error}");
        }
        assert!(
            error.starts_with("/egress/0: ") && !error.contains("limits.cpu"),
            "{error}"
        );
    }

    #[test]
    fn errors_say_where_and_what() {
        for (json, expected) in [
            (
                r#"{"egress": ["https://x", "nowhere"]}"#,
                "/egress/1: egress rule `nowhere`: it has no scheme",
            ),
            (
                r#"{"limits": {"memory": "1TB"}}"#,
                "/limits/memory: limits.memory: ",
            ),
            (
                r#"{"ingress": []}"#,
                "unknown field `ingress`, expected one of `egress`, `config`, `tcp`, `secrets`, `reveal`, `limits`",
            ),
            (r#"{"config": {"base-url": 3}}"#, "expected a string"),
        ] {
            let error = grant(json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }
}
