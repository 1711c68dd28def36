//! What connectors may do: looked up at each call, so that what is granted or taken away counts at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baton_sandbox::process::ProcessRules;
use baton_sandbox::{Grant, GrantError, GrantSpec, LimitsSpec, Lookups};
use baton_store::record::{GrantRecord, Record};
use baton_store::{ReadError, Store, TenantId, key};

use crate::library::Library;

/// How many grants are kept ready at hand, beside those that are in use. Each holds a pool of connections.
const READY_MAX: usize = 4_096;

/// How alike two names are that may be meant for each other, from 0 to 1.
const LIKENESS_MIN: f64 = 0.5;

/// How many connectors a message lists.
const NAMES_MAX: usize = 12;

type Name = (TenantId, String);

/// The grants of all tenants.
pub(crate) struct Grants {
    store: Arc<dyn Store>,
    standing: BTreeMap<Name, GrantSpec>,
    processes: BTreeMap<Name, Arc<ProcessRules>>,
    bundled_limits: BTreeMap<String, LimitsSpec>,
    at_hand: Mutex<AtHand>,
}

/// What is at hand.
#[derive(Default)]
struct AtHand {
    grants: HashMap<Ready, Grant>,
    /// What the grants of a tenant share.
    lookups: HashMap<TenantId, Lookups>,
}

/// Whose grant it is, and whether it is that of the connector that came with the host.
type Ready = (Name, bool);

/// Why there is no grant to call with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GrantUnusable {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the grant can't be used: {0}")]
    Malformed(String),
    #[error(transparent)]
    Grant(#[from] GrantError),
}

impl GrantUnusable {
    /// Whether it may well go some seconds later.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Read(error) if error.is_passing())
    }
}

impl Grants {
    /// The grants of a store, and those that hold as long as this host runs: each for a connector that the
    /// library has.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        library: &Library,
        standing: BTreeMap<Name, GrantSpec>,
        processes: BTreeMap<Name, Arc<ProcessRules>>,
        bundled_limits: BTreeMap<String, LimitsSpec>,
    ) -> Result<Self, crate::OpenError> {
        let mut problems = Vec::new();
        // What is granted to several connectors is wrong once.
        let mut wrong: Vec<(String, Vec<String>)> = Vec::new();
        for ((tenant, connector), spec) in &standing {
            if library.find(tenant, connector)?.is_none() {
                let there = library.list(tenant)?;
                problems.push(no_such_connector(connector, there.keys()));
            }
            for problem in spec.problems() {
                let problem = problem.to_string();
                let name = format!("`{connector}`");
                match wrong.iter_mut().find(|(other, _)| *other == problem) {
                    Some((_, connectors)) => connectors.push(name),
                    None => wrong.push((problem, vec![name])),
                }
            }
        }
        let told = |(problem, connectors): (String, Vec<String>)| {
            format!("for {}: {problem}", connectors.join(", "))
        };
        problems.extend(wrong.into_iter().map(told));
        if !problems.is_empty() {
            return Err(crate::OpenError::Grants { problems });
        }
        Ok(Self {
            store,
            standing,
            processes,
            bundled_limits,
            at_hand: Mutex::default(),
        })
    }

    /// What a tenant's connector may do now; whether its component came with the host is for the caller to know. The
    /// same grant is given out until it changes: its calls share connections and the bound on how many may be under
    /// way.
    pub(crate) fn get(
        &self,
        tenant: &TenantId,
        connector: &str,
        is_bundled: bool,
    ) -> Result<Grant, GrantUnusable> {
        let name = (tenant.clone(), connector.to_owned());
        let key = (name, is_bundled);
        if let Some(grant) = self.lock().grants.get(&key) {
            return Ok(grant.clone());
        }
        // Read under the lock, so that no older grant can be put in the place of a newer one.
        let AtHand { grants, lookups } = &mut *self.lock();
        let stored = self.spec(tenant, connector)?;
        let mut spec = match self.standing.get(&key.0) {
            Some(standing) => joined(stored, standing),
            None => stored,
        };
        let grant = if is_bundled {
            if let Some(limits) = self.bundled_limits.get(connector) {
                spec.limits = filled_in(spec.limits, limits);
            }
            match self.processes.get(&key.0) {
                Some(rules) => Grant::with_processes(&spec, rules.clone())?,
                None => Grant::new(&spec)?,
            }
        } else {
            Grant::new(&spec)?
        };
        if grants.len() >= READY_MAX {
            // What is in use stays: its calls count against the grant's bound on them.
            grants.retain(|_, grant| grant.is_in_use());
            lookups.retain(|_, lookups| lookups.is_shared());
        }
        let grant = grant.sharing(lookups.entry(tenant.clone()).or_default());
        grants.insert(key, grant.clone());
        Ok(grant)
    }

    /// What a tenant has granted a connector, as it was written; nothing is granted by default.
    pub(crate) fn spec(
        &self,
        tenant: &TenantId,
        connector: &str,
    ) -> Result<GrantSpec, GrantUnusable> {
        let Some(stored) = self.store.get(&key::grant(tenant, connector))? else {
            return Ok(GrantSpec::default());
        };
        let record = GrantRecord::decode(&stored).map_err(ReadError::from)?;
        serde_json::from_str(&record.spec.0)
            .map_err(|error| GrantUnusable::Malformed(error.to_string()))
    }

    /// Forgets what is at hand of a grant that has changed in the store.
    pub(crate) fn changed(&self, tenant: &TenantId, connector: &str) {
        let name = (tenant.clone(), connector.to_owned());
        let mut at_hand = self.lock();
        for is_bundled in [true, false] {
            at_hand.grants.remove(&(name.clone(), is_bundled));
        }
    }

    fn lock(&self) -> MutexGuard<'_, AtHand> {
        self.at_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to say of a grant for a connector that is not there.
fn no_such_connector<'a>(name: &str, there: impl Iterator<Item = &'a String> + Clone) -> String {
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(name, other);
    let nearest = there
        .clone()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .filter(|nearest| likeness(nearest) >= LIKENESS_MIN);
    let hint = match nearest {
        Some(nearest) => format!("did you mean `{nearest}`? There are "),
        None => "there are ".to_owned(),
    };
    let mut names: Vec<String> = there
        .take(NAMES_MAX + 1)
        .map(|it| format!("`{it}`"))
        .collect();
    if names.len() > NAMES_MAX {
        names[NAMES_MAX] = "more".to_owned();
    }
    format!("there is no connector `{name}`: {hint}{}", names.join(", "))
}

/// A stored grant with what a standing one adds.
fn joined(mut stored: GrantSpec, standing: &GrantSpec) -> GrantSpec {
    stored.egress.extend(standing.egress.iter().cloned());
    stored.config.extend(standing.config.clone());
    stored.tcp.extend(standing.tcp.iter().cloned());
    stored.secrets.extend(standing.secrets.iter().cloned());
    stored.reveal.extend(standing.reveal.iter().cloned());
    stored.limits = filled_in(standing.limits.clone(), &stored.limits);
    stored
}

/// Limits, and where there are none, those of `under`.
fn filled_in(over: LimitsSpec, under: &LimitsSpec) -> LimitsSpec {
    let under = under.clone();
    LimitsSpec {
        memory: over.memory.or(under.memory),
        time: over.time.or(under.time),
        cpu: over.cpu.or(under.cpu),
        concurrency: over.concurrency.or(under.concurrency),
        response: over.response.or(under.response),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_on_what_is_ready_forgets_no_grant_that_is_in_use() {
        let store: Arc<dyn Store> = Arc::new(baton_store::MemoryStore::new());
        let library = Library::new(store.clone(), BTreeMap::new(), None);
        let nothing = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let grants = Grants::new(store, &library, nothing.0, nothing.1, nothing.2);
        let grants = grants.expect("no grants");
        let tenant = TenantId::default();
        let get = |name: &str| grants.get(&tenant, name, false).expect("a grant");
        let (used, unused) = (get("used"), get("unused"));
        drop(unused);
        for number in 0..READY_MAX {
            get(&format!("other-{number}"));
        }
        assert!(used.is_in_use(), "it is still the one that is given out");
        let at_hand = grants.lock();
        assert!(at_hand.grants.len() < READY_MAX);
        assert!(at_hand.lookups[&tenant].is_shared());
    }

    #[test]
    fn the_nearest_name_is_named() {
        let there = ["http".to_owned(), "scim".to_owned()];
        assert_eq!(
            no_such_connector("scmi", there.iter()),
            "there is no connector `scmi`: did you mean `scim`? There are `http`, `scim`"
        );
        assert_eq!(
            no_such_connector("greeter", there.iter()),
            "there is no connector `greeter`: there are `http`, `scim`"
        );
    }

    #[test]
    fn a_standing_grant_adds_to_the_stored_one() {
        let spec = |json| serde_json::from_value::<GrantSpec>(json).expect("a grant");
        let stored = spec(serde_json::json!({
            "egress": ["https://a.example"], "config": { "x": "1", "y": "2" }, "secrets": ["a"],
            "limits": { "time": "1s", "memory": "1MiB" },
        }));
        let standing = spec(serde_json::json!({
            "egress": ["https://b.example"], "config": { "y": "3" }, "limits": { "time": "2s" },
            "secrets": ["b"], "tcp": ["c:1"], "reveal": ["d"],
        }));
        let both = spec(serde_json::json!({
            "egress": ["https://a.example", "https://b.example"], "config": { "x": "1", "y": "3" },
            "secrets": ["a", "b"], "tcp": ["c:1"], "reveal": ["d"], "limits": { "time": "2s", "memory": "1MiB" },
        }));
        assert_eq!(joined(stored, &standing), both);
    }
}
