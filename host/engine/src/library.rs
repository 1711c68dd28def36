//! The components: their bytes in the store by digest, and which of them a tenant has under which name.
//!
//! What came with the host is known by name and digest and is not looked at when the host starts: it is read
//! when somebody first asks what it is, and put into the store before the first run that keeps it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baton_sandbox::{Description, InspectError, inspect};
use baton_store::record::{ComponentRecord, ConnectorRecord, Record};
use baton_store::{Batch, Digest, Direction, ReadError, Store, TenantId, key};
use baton_workflow::Timestamp;

use crate::digest;
use crate::settings::Bundled;
use crate::view::ConnectorReference;

/// How many descriptions are kept at hand. One takes some kilobytes, most of them schemas.
const DESCRIPTIONS_MAX: usize = 1_024;

/// The components of all tenants.
pub(crate) struct Library {
    store: Arc<dyn Store>,
    /// What every tenant has without installing.
    bundled: BTreeMap<String, Digest>,
    /// What came with the host: the connectors, and what else runs need.
    shipped: HashMap<Digest, Bundled>,
    /// What of it is in the store, as far as this host knows.
    kept: Mutex<HashSet<Digest>>,
    descriptions: Mutex<HashMap<Digest, Arc<Description>>>,
}

/// Which connector a name means for a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) digest: Digest,
    /// None where it came with the host.
    pub(crate) installed_at: Option<Timestamp>,
}

/// Why a component can't be described.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DescribeError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("component {0} is not in the store")]
    Missing(Digest),
    #[error("component {digest} can't be read: {source}")]
    Inspect {
        digest: Digest,
        source: InspectError,
    },
}

impl DescribeError {
    /// Whether it may well go some seconds later.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Read(error) if error.is_passing())
    }
}

impl From<DescribeError> for crate::Unavailable {
    fn from(error: DescribeError) -> Self {
        Self::of(&error, error.is_passing())
    }
}

impl Library {
    /// The library of a store, with the connectors that came with the host by name, and with `others` that came
    /// with it.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        connectors: BTreeMap<String, Bundled>,
        others: impl IntoIterator<Item = Bundled>,
    ) -> Self {
        let mut bundled = BTreeMap::new();
        let mut shipped: HashMap<_, _> = others.into_iter().map(|it| (it.digest(), it)).collect();
        for (name, component) in connectors {
            bundled.insert(name, component.digest());
            shipped.insert(component.digest(), component);
        }
        Self {
            store,
            bundled,
            shipped,
            kept: Mutex::default(),
            descriptions: Mutex::default(),
        }
    }

    /// Puts a component's bytes into the store, if they are not there.
    pub(crate) fn add(&self, bytes: &[u8], batch: &mut Batch) -> Result<Digest, ReadError> {
        let digest = digest::of(bytes);
        let key = key::component(&digest);
        if self.store.get(&key)?.is_none() {
            batch.put(key, ComponentRecord(bytes.to_vec()).encode());
        }
        Ok(digest)
    }

    /// Sees to it that a component is in the store, for a run that keeps it: the next version of the host may come
    /// with another. What did not come with the host is there already. `commit` makes what is missing durable.
    ///
    /// May be asked by any number of threads at a time. Reads the store, which blocks.
    pub(crate) fn keep(
        &self,
        digest: &Digest,
        commit: impl FnOnce(Batch) -> Result<(), crate::Unavailable>,
    ) -> Result<(), crate::Unavailable> {
        let Some(component) = self.shipped.get(digest) else {
            return Ok(());
        };
        // Whoever else keeps something meanwhile waits; each component is written once in the life of a store.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.contains(digest) {
            return Ok(());
        }
        let mut batch = Batch::new();
        if self.add(component.bytes(), &mut batch)? != *digest {
            let detail =
                format!("the host came with another component than {digest}: build it anew");
            return Err(crate::Unavailable::Broken(detail));
        }
        if !batch.is_empty() {
            commit(batch)?;
        }
        kept.insert(*digest);
        Ok(())
    }

    /// A component's bytes.
    pub(crate) fn bytes(&self, digest: &Digest) -> Result<Cow<'_, [u8]>, DescribeError> {
        if let Some(component) = self.shipped.get(digest) {
            return Ok(Cow::Borrowed(component.bytes()));
        }
        let stored = self
            .store
            .get(&key::component(digest))?
            .ok_or(DescribeError::Missing(*digest))?;
        let record = ComponentRecord::decode(&stored).map_err(ReadError::from)?;
        Ok(Cow::Owned(record.0))
    }

    /// What a component is.
    pub(crate) fn describe(&self, digest: &Digest) -> Result<Arc<Description>, DescribeError> {
        if let Some(description) = self.lock().get(digest) {
            return Ok(description.clone());
        }
        let bytes = self.bytes(digest)?;
        let description = inspect(&bytes).map_err(|source| DescribeError::Inspect {
            digest: *digest,
            source,
        })?;
        let description = Arc::new(description);
        let mut descriptions = self.lock();
        if descriptions.len() >= DESCRIPTIONS_MAX {
            // Whatever is needed again is read again; which one goes hardly matters.
            let any = descriptions.keys().next().copied();
            any.map(|any| descriptions.remove(&any));
        }
        descriptions.insert(*digest, description.clone());
        Ok(description)
    }

    /// Knows what a component is, though its bytes may be nowhere.
    #[cfg(test)]
    pub(crate) fn know(&self, digest: Digest, description: Arc<Description>) {
        self.lock().insert(digest, description);
    }

    /// The connector that a tenant means by a name.
    pub(crate) fn find(&self, tenant: &TenantId, name: &str) -> Result<Option<Entry>, ReadError> {
        match self.store.get(&key::connector(tenant, name))? {
            Some(stored) => Ok(Some(installed(&stored)?)),
            None => Ok(self.bundled.get(name).map(|digest| bundled(name, digest))),
        }
    }

    /// Whether a component is the one that came with the host under a name.
    pub(crate) fn is_bundled(&self, name: &str, component: &Digest) -> bool {
        self.bundled.get(name) == Some(component)
    }

    /// All connectors that a tenant has, by name.
    pub(crate) fn list(&self, tenant: &TenantId) -> Result<BTreeMap<String, Entry>, ReadError> {
        let mut all: BTreeMap<String, Entry> = self
            .bundled
            .iter()
            .map(|(name, digest)| (name.clone(), bundled(name, digest)))
            .collect();
        for (_, stored) in
            self.store
                .scan(&key::connectors(tenant), Direction::Ascending, usize::MAX)?
        {
            let entry = installed(&stored)?;
            all.insert(entry.name.clone(), entry);
        }
        Ok(all)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Arc<Description>>> {
        self.descriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// What the connector is called and is, by its description.
    pub(crate) fn reference(&self, description: &Description) -> ConnectorReference {
        let package = description.package.as_ref();
        ConnectorReference {
            name: self.name.clone(),
            version: package.and_then(|package| package.version.clone()),
            digest: self.digest,
        }
    }
}

fn bundled(name: &str, digest: &Digest) -> Entry {
    Entry {
        name: name.to_owned(),
        digest: *digest,
        installed_at: None,
    }
}

fn installed(stored: &[u8]) -> Result<Entry, ReadError> {
    let record = ConnectorRecord::decode(stored)?;
    Ok(Entry {
        name: record.name,
        digest: Digest(record.digest),
        installed_at: Some(Timestamp::from_millis(record.installed_at_ms)),
    })
}

#[cfg(test)]
mod tests {
    use baton_store::{Fault, FaultyStore, MemoryStore};

    use super::*;
    use crate::Unavailable;

    /// A component that came with the host, and one that came with its next version.
    fn components() -> [Bundled; 2] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/dist");
        let bytes = std::fs::read(format!("{folder}/shell.wasm")).expect("it is built");
        // A custom section, without a meaning.
        let next = [&bytes[..], &[0, 2, 1, b'x']].concat();
        [Bundled::new(bytes), Bundled::new(next)]
    }

    fn library(store: &Arc<FaultyStore>, component: &Bundled) -> Library {
        let named = [("it".to_owned(), component.clone())];
        Library::new(store.clone(), named.into(), None)
    }

    fn store() -> Arc<FaultyStore> {
        Arc::new(FaultyStore::new(Arc::new(MemoryStore::new()), Fault::None))
    }

    fn keep(library: &Library, digest: &Digest) -> Result<(), Unavailable> {
        library.keep(digest, |batch| Ok(library.store.commit(&batch)?))
    }

    #[test]
    fn what_is_kept_outlives_the_version_of_the_host_that_it_came_with() {
        let [component, next] = components();
        let digest = component.digest();
        let store = store();
        let before = library(&store, &component);
        assert!(before.describe(&digest).is_ok(), "it need not be kept");
        assert_eq!(store.commits(), 0, "who looks at it writes nothing");
        keep(&before, &digest).expect("kept");

        let after = library(&store, &next);
        let found = after.find(&TenantId::default(), "it").expect("read");
        assert_eq!(found.expect("there").digest, next.digest());
        assert_eq!(after.bytes(&digest).expect("kept"), component.bytes());
        assert!(after.describe(&digest).is_ok());
        let missing = library(&self::store(), &next).bytes(&digest).is_err();
        assert!(missing, "what was not kept is gone");
    }

    #[test]
    fn however_many_keep_it_it_is_written_once() {
        let [component, _] = components();
        let store = store();
        let library = library(&store, &component);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| keep(&library, &component.digest()).expect("kept"));
            }
        });
        assert_eq!(store.commits(), 1);
        // Another host on the same store knows that it is there.
        let again = self::library(&store, &component);
        keep(&again, &component.digest()).expect("kept");
        assert_eq!(store.commits(), 1);
    }

    #[test]
    fn what_could_not_be_written_is_not_taken_for_kept() {
        let [component, _] = components();
        let store = Arc::new(FaultyStore::new(
            Arc::new(MemoryStore::new()),
            Fault::Full(1, 2),
        ));
        let library = library(&store, &component);
        assert!(keep(&library, &component.digest()).is_err());
        keep(&library, &component.digest()).expect("there is room again");
        assert_eq!(store.commits(), 2);
    }

    #[test]
    fn a_component_that_is_another_than_was_written_down_is_not_kept() {
        let wrong = Bundled::known(Digest([7; 32]), b"\0asm");
        let store = store();
        let library = library(&store, &wrong);
        let refused = keep(&library, &wrong.digest()).expect_err("it is another");
        assert!(refused.to_string().contains("build it anew"), "{refused}");
        assert_eq!(store.commits(), 0);
    }
}
