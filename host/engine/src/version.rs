//! Workflow versions ready to run: the plan, and who evaluates its expressions.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use baton_store::{Digest, TenantId};
use baton_workflow::expression::Expression;
use baton_workflow::{Diagnostic, Document, Evaluate, Plan, Resources};
use serde_json::Value;

use crate::catalog::Connectors;
use crate::evaluators::{Evaluators, Lent, VersionNumber};
use crate::outside::Languages;
use crate::recent::Recent;

/// What a version ready to run depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct VersionKey {
    /// Whose it is. The same document of another tenant is another version: nothing of it is shared.
    pub(crate) tenant: TenantId,
    /// The document.
    pub(crate) document: Digest,
    /// The expression language.
    pub(crate) language: Digest,
    /// The connectors that it names, as far as they are there.
    pub(crate) connectors: BTreeMap<String, Digest>,
}

/// How many instructions the expressions of one event may execute together: about a second, in which they hold up the runs
/// that share their thread. Where more are needed, the run gets an expression error.
const INSTRUCTIONS_PER_EVENT_MAX: u64 = 4_000_000_000;

/// What a version is made of.
pub(crate) struct Source<'a> {
    /// The document's text.
    pub(crate) text: String,
    /// What the document keeps elsewhere, as it was when the version was published.
    pub(crate) resources: Resources,
    pub(crate) connectors: &'a Connectors,
}

/// A workflow version, ready to run.
pub(crate) struct Version {
    pub(crate) plan: Arc<Plan>,
    /// Tells the instances that have compiled its expressions from others.
    number: VersionNumber,
    language: Digest,
    evaluators: Arc<Evaluators>,
}

impl Version {
    /// Who evaluates the version's expressions. It holds a warm instance from its first use to its end, and
    /// waits for one where all are in use; so a thread must have one of these at a time only.
    pub(crate) fn evaluator(&self) -> VersionEvaluator<'_> {
        VersionEvaluator {
            version: self,
            lent: None,
            failed: None,
            spent: 0,
        }
    }
}

/// See [`Version::evaluator`].
pub(crate) struct VersionEvaluator<'a> {
    version: &'a Version,
    lent: Option<Lent<'a>>,
    failed: Option<String>,
    /// The instructions executed so far.
    spent: u64,
}

impl VersionEvaluator<'_> {
    /// Ends the use.
    ///
    /// # Errors
    ///
    /// Why the language could not be used, where it could not. What the evaluator said then is no result of an
    /// expression, and whoever has gone by it must be forgotten.
    pub(crate) fn finish(self) -> Result<(), String> {
        self.failed.map_or(Ok(()), Err)
    }

    fn evaluate_in<'a>(
        lent: &mut Lent<'a>,
        expression: &Expression,
        input: &Value,
        variables: &[&Value],
    ) -> Result<Value, String> {
        let warm = lent.warm();
        let index = expression.id as usize;
        let filter = match warm.filters.get(index).copied().flatten() {
            Some(filter) => filter,
            None => {
                let filter = warm
                    .evaluator
                    .compile(&expression.source, &expression.variables)
                    .map_err(|error| error.message)?;
                if warm.filters.len() <= index {
                    warm.filters.resize(index + 1, None);
                }
                warm.filters[index] = Some(filter);
                filter
            }
        };
        warm.evaluator.evaluate(filter, input, variables)
    }
}

impl Evaluate for VersionEvaluator<'_> {
    fn evaluate(
        &mut self,
        expression: &Expression,
        input: &Value,
        variables: &[&Value],
    ) -> Result<Value, String> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        let Version {
            number,
            language,
            evaluators,
            ..
        } = self.version;
        let lent = match &mut self.lent {
            Some(lent) => lent,
            none => match evaluators.lend(*number, language) {
                Ok(lent) => none.insert(lent),
                Err(reason) => {
                    self.failed = Some(reason.clone());
                    return Err(reason);
                }
            },
        };
        if self.spent > INSTRUCTIONS_PER_EVENT_MAX {
            let millions = INSTRUCTIONS_PER_EVENT_MAX / 1_000_000;
            return Err(format!(
                "the run's expressions took more than {millions} million instructions without a call or a wait"
            ));
        }
        let before = lent.warm().evaluator.spent();
        let result = Self::evaluate_in(lent, expression, input, variables);
        self.spent += lent.warm().evaluator.spent() - before;
        if let Err(reason) = &result
            && lent.warm().evaluator.is_unavailable()
        {
            self.failed = Some(reason.clone());
        }
        result
    }
}

/// The versions that are ready, the last used ones.
pub(crate) struct Versions {
    evaluators: Arc<Evaluators>,
    ready: Mutex<Recent<VersionKey, Arc<Version>>>,
    made: AtomicU64,
}

impl Versions {
    /// At most `max` versions, with at most `instances` instances of expression languages together.
    pub(crate) fn new(languages: Arc<dyn Languages>, max: usize, instances: usize) -> Self {
        Self {
            evaluators: Arc::new(Evaluators::new(languages, instances)),
            ready: Mutex::new(Recent::new(max)),
            made: AtomicU64::new(0),
        }
    }

    /// A version, where it is at hand.
    pub(crate) fn known(&self, key: &VersionKey) -> Option<Arc<Version>> {
        self.lock().get(key)
    }

    /// A version, made of what `source` gives if it is not at hand.
    ///
    /// # Errors
    ///
    /// Those of `source`, and the diagnostics of a document that does not fit its connectors.
    pub(crate) fn get<'a, E>(
        &self,
        key: &VersionKey,
        source: impl FnOnce() -> Result<Source<'a>, E>,
    ) -> Result<Result<Arc<Version>, Vec<Diagnostic>>, E> {
        if let Some(version) = self.known(key) {
            return Ok(Ok(version));
        }
        let made = self.make(&source()?, key.language);
        // Two may have made it at the same time: all use the first.
        Ok(made.map(|version| self.lock().insert(key.clone(), Arc::new(version))))
    }

    /// Lowers a document that was published before.
    fn make(&self, source: &Source<'_>, language: Digest) -> Result<Version, Vec<Diagnostic>> {
        let Source {
            text,
            resources,
            connectors,
        } = source;
        let document = Document::parse(text.as_str(), None)?;
        let plan = Arc::new(Plan::with_resources(&document, *connectors, resources)?);
        Ok(Version {
            plan,
            number: self.made.fetch_add(1, Ordering::Relaxed),
            language,
            evaluators: self.evaluators.clone(),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Recent<VersionKey, Arc<Version>>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outside::Evaluator;

    const TEXT: &str = "
document: { dsl: '1.0.3', namespace: test, name: sum, version: '1.0.0' }
do:
  - add: { set: { total: '${ .numbers | add }' } }
";

    /// A language that does not start.
    struct Broken;

    impl Languages for Broken {
        fn evaluator(&self, _: &Digest) -> Result<Box<dyn Evaluator>, String> {
            Err("no room".into())
        }
    }

    fn version(versions: &Versions, tenant: &str) -> Arc<Version> {
        let key = VersionKey {
            tenant: TenantId::new(tenant).expect("a tenant"),
            document: Digest([1; 32]),
            language: Digest([2; 32]),
            connectors: BTreeMap::new(),
        };
        let connectors = Connectors::default();
        let source = || {
            Ok::<_, String>(Source {
                text: TEXT.to_owned(),
                resources: Resources::new(),
                connectors: &connectors,
            })
        };
        versions.get(&key, source).expect("read").expect("valid")
    }

    #[test]
    fn tenants_share_no_version() {
        let versions = Versions::new(Arc::new(Broken), 9, 9);
        let [a, b] = ["a", "b"].map(|tenant| version(&versions, tenant));
        assert!(!Arc::ptr_eq(&a, &b) && a.number != b.number);
        assert!(Arc::ptr_eq(&a, &version(&versions, "a")));
    }

    #[test]
    fn a_language_that_does_not_start_is_no_error_of_the_expression() {
        let version = version(&Versions::new(Arc::new(Broken), 9, 9), "a");
        let expression = version.plan.expressions()[0].clone();
        let mut evaluator = version.evaluator();
        for _ in 0..2 {
            let answer = evaluator.evaluate(&expression, &Value::Null, &[]);
            assert_eq!(answer, Err("no room".into()));
        }
        assert_eq!(evaluator.finish(), Err("no room".into()));
        assert_eq!(version.evaluator().finish(), Ok(()));
    }
}
