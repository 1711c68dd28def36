//! The components: their bytes in the store by digest, and which of them a tenant has under which name.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baton_sandbox::{Description, InspectError, inspect};
use baton_store::record::{ComponentRecord, ConnectorRecord, Record};
use baton_store::{Batch, Digest, Direction, ReadError, Store, TenantId, key};
use baton_workflow::Timestamp;

use crate::digest;
use crate::view::ConnectorReference;

/// How many descriptions are kept at hand. One takes some kilobytes, most of them schemas.
const DESCRIPTIONS_MAX: usize = 1_024;

/// The components of all tenants.
pub(crate) struct Library {
    store: Arc<dyn Store>,
    /// What every tenant has without installing.
    bundled: BTreeMap<String, ConnectorReference>,
    descriptions: Mutex<HashMap<Digest, Arc<Description>>>,
}

/// Which connector a name means for a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) reference: ConnectorReference,
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

impl From<DescribeError> for crate::Unavailable {
    fn from(error: DescribeError) -> Self {
        Self::Storage(error.to_string())
    }
}

impl Library {
    /// The library of a store, with the components that came with the host. `batch` receives what of
    /// them is not in the store yet.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        bundled: &[(String, Arc<[u8]>)],
        batch: &mut Batch,
    ) -> Result<Self, crate::OpenError> {
        let mut library = Self {
            store,
            bundled: BTreeMap::new(),
            descriptions: Mutex::default(),
        };
        for (name, bytes) in bundled {
            let description = inspect(bytes).map_err(|source| crate::OpenError::Bundled {
                name: name.clone(),
                source,
            })?;
            let digest = library.add(bytes, batch)?;
            let reference = reference(name, digest, &description);
            library.bundled.insert(name.clone(), reference);
            library.lock().insert(digest, Arc::new(description));
        }
        Ok(library)
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

    /// A component's bytes.
    pub(crate) fn bytes(&self, digest: &Digest) -> Result<Vec<u8>, DescribeError> {
        let stored = self
            .store
            .get(&key::component(digest))?
            .ok_or(DescribeError::Missing(*digest))?;
        Ok(ComponentRecord::decode(&stored).map_err(ReadError::from)?.0)
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

    /// The connector that a tenant means by a name.
    pub(crate) fn find(&self, tenant: &TenantId, name: &str) -> Result<Option<Entry>, ReadError> {
        match self.store.get(&key::connector(tenant, name))? {
            Some(stored) => Ok(Some(installed(&stored)?)),
            None => Ok(self.bundled.get(name).map(bundled)),
        }
    }

    /// Whether a component is the one that came with the host under a name.
    pub(crate) fn is_bundled(&self, name: &str, component: &Digest) -> bool {
        self.bundled
            .get(name)
            .is_some_and(|bundled| bundled.digest == *component)
    }

    /// All connectors that a tenant has, by name.
    pub(crate) fn list(&self, tenant: &TenantId) -> Result<BTreeMap<String, Entry>, ReadError> {
        let mut all: BTreeMap<String, Entry> = self
            .bundled
            .iter()
            .map(|(name, reference)| (name.clone(), bundled(reference)))
            .collect();
        for (_, stored) in
            self.store
                .scan(&key::connectors(tenant), Direction::Ascending, usize::MAX)?
        {
            let entry = installed(&stored)?;
            all.insert(entry.reference.name.clone(), entry);
        }
        Ok(all)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Arc<Description>>> {
        self.descriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a component is called and is.
pub(crate) fn reference(
    name: &str,
    digest: Digest,
    description: &Description,
) -> ConnectorReference {
    let version = description
        .package
        .as_ref()
        .and_then(|package| package.version.clone());
    ConnectorReference {
        name: name.to_owned(),
        version,
        digest,
    }
}

fn bundled(reference: &ConnectorReference) -> Entry {
    Entry {
        reference: reference.clone(),
        installed_at: None,
    }
}

fn installed(stored: &[u8]) -> Result<Entry, ReadError> {
    let record = ConnectorRecord::decode(stored)?;
    let reference = ConnectorReference {
        name: record.name,
        version: record.version,
        digest: Digest(record.digest),
    };
    Ok(Entry {
        reference,
        installed_at: Some(Timestamp::from_millis(record.installed_at_ms)),
    })
}
