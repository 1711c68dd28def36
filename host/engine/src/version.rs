//! Workflow versions ready to run: the plan, and warm instances of its expression language.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baton_store::Digest;
use baton_workflow::expression::Expression;
use baton_workflow::{Diagnostic, Document, Evaluate, Plan};
use serde_json::Value;

use crate::catalog::Connectors;
use crate::outside::{Evaluator, Filter, Languages};

/// What a version ready to run depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct VersionKey {
    /// The document.
    pub(crate) document: Digest,
    /// The expression language.
    pub(crate) language: Digest,
    /// The connectors that it names, as far as they are there.
    pub(crate) connectors: BTreeMap<String, Digest>,
}

/// A workflow version, ready to run.
pub(crate) struct Version {
    pub(crate) plan: Arc<Plan>,
    language: Digest,
    languages: Arc<dyn Languages>,
    /// Warm instances that nobody uses just now.
    idle: Mutex<Vec<Warm>>,
    idle_max: usize,
}

/// An evaluator and what it has compiled of the version's expressions, by their number.
struct Warm {
    evaluator: Box<dyn Evaluator>,
    filters: Vec<Option<Filter>>,
}

impl Version {
    /// Lowers a document that was published before.
    fn new(
        text: &str,
        connectors: &Connectors,
        language: Digest,
        languages: Arc<dyn Languages>,
        idle_max: usize,
    ) -> Result<Self, Vec<Diagnostic>> {
        let document = Document::parse(text, None)?;
        let plan = Arc::new(Plan::new(&document, connectors)?);
        Ok(Self {
            plan,
            language,
            languages,
            idle: Mutex::default(),
            idle_max,
        })
    }

    /// Somebody who evaluates the version's expressions. It holds a warm instance from its first use to its
    /// end; where there is none, one is started.
    pub(crate) fn evaluator(&self) -> VersionEvaluator<'_> {
        VersionEvaluator {
            version: self,
            warm: None,
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Warm>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Version::evaluator`].
pub(crate) struct VersionEvaluator<'a> {
    version: &'a Version,
    warm: Option<Warm>,
}

impl Evaluate for VersionEvaluator<'_> {
    fn evaluate(
        &mut self,
        expression: &Expression,
        input: &Value,
        variables: &[&Value],
    ) -> Result<Value, String> {
        let warm = match &mut self.warm {
            Some(warm) => warm,
            none => none.insert(self.version.warm()?),
        };
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

impl Version {
    fn warm(&self) -> Result<Warm, String> {
        if let Some(warm) = self.idle().pop() {
            return Ok(warm);
        }
        let evaluator = self.languages.evaluator(&self.language)?;
        Ok(Warm {
            evaluator,
            filters: Vec::new(),
        })
    }
}

impl Drop for VersionEvaluator<'_> {
    fn drop(&mut self) {
        if let Some(warm) = self.warm.take() {
            let mut idle = self.version.idle();
            if idle.len() < self.version.idle_max {
                idle.push(warm);
            }
        }
    }
}

/// The versions that are ready, the last used ones.
pub(crate) struct Versions {
    languages: Arc<dyn Languages>,
    ready: Mutex<Ready>,
    max: usize,
    idle_max: usize,
}

#[derive(Default)]
struct Ready {
    versions: HashMap<VersionKey, (Arc<Version>, u64)>,
    uses: u64,
}

impl Versions {
    /// At most `max` versions, with at most `idle_max` warm instances each.
    pub(crate) fn new(languages: Arc<dyn Languages>, max: usize, idle_max: usize) -> Self {
        Self {
            languages,
            ready: Mutex::default(),
            max: max.max(1),
            idle_max,
        }
    }

    /// A version, made of what `source` gives if it is not at hand: the document's text and the connectors.
    ///
    /// # Errors
    ///
    /// Those of `source`, and the diagnostics of a document that does not fit its connectors.
    pub(crate) fn get<E>(
        &self,
        key: &VersionKey,
        source: impl FnOnce() -> Result<(String, Connectors), E>,
    ) -> Result<Result<Arc<Version>, Vec<Diagnostic>>, E> {
        if let Some(version) = self.find(key) {
            return Ok(Ok(version));
        }
        let (text, connectors) = source()?;
        let made = Version::new(
            &text,
            &connectors,
            key.language,
            self.languages.clone(),
            self.idle_max,
        );
        Ok(made.map(|version| self.insert(key.clone(), Arc::new(version))))
    }

    fn find(&self, key: &VersionKey) -> Option<Arc<Version>> {
        let mut ready = self.lock();
        ready.uses += 1;
        let now = ready.uses;
        let (version, used) = ready.versions.get_mut(key)?;
        *used = now;
        Some(version.clone())
    }

    fn insert(&self, key: VersionKey, version: Arc<Version>) -> Arc<Version> {
        let mut ready = self.lock();
        ready.uses += 1;
        let now = ready.uses;
        if ready.versions.len() >= self.max {
            let oldest = ready
                .versions
                .iter()
                .min_by_key(|(_, (_, used))| *used)
                .map(|(key, _)| key.clone());
            oldest.map(|oldest| ready.versions.remove(&oldest));
        }
        // Two may have made it at the same time: all use the first.
        ready
            .versions
            .entry(key)
            .or_insert((version, now))
            .0
            .clone()
    }

    fn lock(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
