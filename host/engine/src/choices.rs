//! What the names under which tenants start runs come to, as long as that is known: so that to start a run of a workflow
//! that has been run before, nothing is read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baton_store::TenantId;
use baton_store::record::{PinRecord, WorkflowPinRecord};

use crate::recent::Recent;
use crate::replay::Pin;
use crate::version::VersionKey;

/// A workflow, as whoever starts a run of it names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) tenant: TenantId,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// The highest version where there is none.
    pub(crate) version: Option<String>,
}

/// What a name comes to: a version, and the components that its connectors are.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) workflow: WorkflowPinRecord,
    pub(crate) connectors: Vec<PinRecord>,
    /// The same connectors, as a run has them.
    pub(crate) pins: Vec<Pin>,
    pub(crate) key: VersionKey,
}

/// The choices that are known: those that were used last.
pub(crate) struct Choices(Mutex<Known>);

struct Known {
    choices: Recent<Name, Arc<Choice>>,
    changes: u64,
}

/// A point in time: how many changes there had been.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Since(u64);

impl Choices {
    /// As many as `max`.
    pub(crate) fn new(max: usize) -> Self {
        let choices = Recent::new(max);
        Self(Mutex::new(Known {
            choices,
            changes: 0,
        }))
    }

    /// What a name comes to, if that is known.
    pub(crate) fn get(&self, name: &Name) -> Option<Arc<Choice>> {
        self.lock().choices.get(name)
    }

    /// The time before something is read on which a choice depends.
    pub(crate) fn now(&self) -> Since {
        Since(self.lock().changes)
    }

    /// What a name came to by what has been read `since`. Where something has changed meanwhile it is not remembered: it may
    /// have been read before.
    pub(crate) fn remember(&self, name: Name, choice: Arc<Choice>, since: Since) {
        let mut known = self.lock();
        if since == Since(known.changes) {
            known.choices.insert(name, choice);
        }
    }

    /// A tenant has published or installed something, or removed it: its names may come to something else from now on.
    /// To be called once that can be read, and before anybody is told of it.
    pub(crate) fn changed(&self, tenant: &TenantId) {
        let mut known = self.lock();
        known.changes += 1;
        known.choices.forget(|name| name.tenant == *tenant);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use baton_store::Digest;

    use super::*;

    fn name(tenant: &str) -> Name {
        Name {
            tenant: TenantId::new(tenant).expect("a tenant"),
            namespace: "test".to_owned(),
            name: "it".to_owned(),
            version: None,
        }
    }

    fn choice(of: &Name) -> Arc<Choice> {
        let workflow = WorkflowPinRecord {
            namespace: of.namespace.clone(),
            name: of.name.clone(),
            version: "1.0.0".to_owned(),
            digest: [1; 32],
        };
        let key = VersionKey {
            tenant: of.tenant.clone(),
            document: Digest([1; 32]),
            language: Digest([2; 32]),
            connectors: BTreeMap::new(),
        };
        Arc::new(Choice {
            workflow,
            connectors: Vec::new(),
            pins: Vec::new(),
            key,
        })
    }

    #[test]
    fn a_change_of_a_tenant_is_of_its_names_alone() {
        let (choices, names) = (Choices::new(9), ["a", "b"].map(name));
        for name in &names {
            choices.remember(name.clone(), choice(name), choices.now());
        }
        choices.changed(&names[0].tenant);
        assert!(choices.get(&names[0]).is_none());
        assert!(choices.get(&names[1]).is_some());
    }

    #[test]
    fn what_may_have_been_read_before_a_change_is_not_remembered() {
        let (choices, name) = (Choices::new(9), name("a"));
        let before = choices.now();
        choices.changed(&name.tenant);
        choices.remember(name.clone(), choice(&name), before);
        assert!(choices.get(&name).is_none());
        choices.remember(name.clone(), choice(&name), choices.now());
        assert!(choices.get(&name).is_some());
    }
}
