//! What a run keeps of a workflow version from the moment on at which it takes it up: the version ready to run, the
//! connectors that it names, and `$secrets`.

use std::collections::HashMap;
use std::sync::Arc;

use baton_store::record::{CorrectionRecord, PinRecord, WorkflowPinRecord};
use baton_store::{Digest, TenantId};
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use crate::catalog::Connectors;
use crate::choices::{Choice, Name};
use crate::codec;
use crate::engine::find_workflow;
use crate::error::{StartError, Unavailable};
use crate::replay::{self, Pin};
use crate::resources;
use crate::shared::Shared;
use crate::vault::VaultError;
use crate::version::{Source, Version, VersionKey};

/// A workflow version, by the names under which it was published.
pub(crate) struct Wanted<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    /// The highest one where there is none.
    pub(crate) version: Option<&'a str>,
}

/// What a run keeps already, and goes on keeping whatever it takes up.
pub(crate) struct Before<'a> {
    pub(crate) language: Digest,
    pub(crate) connectors: &'a [PinRecord],
    pub(crate) secrets: Map<String, Value>,
}

/// What a run keeps of a version.
pub(crate) struct Kept {
    pub(crate) workflow: WorkflowPinRecord,
    pub(crate) version: Arc<Version>,
    pub(crate) connectors: Vec<PinRecord>,
    pub(crate) pins: Vec<Pin>,
    pub(crate) secrets: Value,
}

impl Wanted<'_> {
    fn name_of(&self, tenant: &TenantId) -> Name {
        Name {
            tenant: tenant.clone(),
            namespace: self.namespace.to_owned(),
            name: self.name.to_owned(),
            version: self.version.map(str::to_owned),
        }
    }
}

impl Kept {
    /// The version as one that a run is corrected to.
    pub(crate) fn correction(&self) -> CorrectionRecord {
        CorrectionRecord {
            workflow: self.workflow.clone(),
            connectors: self.connectors.clone(),
            secrets: codec::json(&self.secrets),
        }
    }
}

/// Finds a version and what it needs, for a run. Reads much, and is done aside.
///
/// # Errors
///
/// Where there is no such version, or it can't be run.
pub(crate) fn keep(
    shared: &Shared,
    tenant: &TenantId,
    wanted: Wanted<'_>,
    before: Before<'_>,
) -> Result<Kept, StartError> {
    let found = find(shared, tenant, wanted, before.language, before.connectors)?;
    let version = found.version(shared)?;
    kept(shared, &found.choice, version, before.secrets)
}

/// As [`keep`], for a run that is new.
///
/// # Errors
///
/// As [`keep`].
pub(crate) fn keep_new(
    shared: &Shared,
    tenant: &TenantId,
    wanted: Wanted<'_>,
) -> Result<Kept, StartError> {
    let (choice, version) = choose(shared, tenant, wanted)?;
    kept(shared, &choice, version, Map::new())
}

/// As [`keep_new`], where all that the run needs is at hand: then it takes some microseconds. None where it is not.
///
/// # Errors
///
/// Where it can't be run for want of secrets.
pub(crate) fn keep_new_at_hand(
    shared: &Shared,
    tenant: &TenantId,
    wanted: Wanted<'_>,
) -> Result<Option<Kept>, StartError> {
    let choice = shared.choices.get(&wanted.name_of(tenant));
    let found = choice.and_then(|it| Some((shared.versions.known(&it.key)?, it)));
    found
        .map(|(version, choice)| kept(shared, &choice, version, Map::new()))
        .transpose()
}

/// Finds a version with the connectors that there are now, ready to run. Reads much, and is done aside.
///
/// # Errors
///
/// Where there is no such version, or it can't be run.
pub(crate) fn version(
    shared: &Shared,
    tenant: &TenantId,
    wanted: Wanted<'_>,
) -> Result<Arc<Version>, StartError> {
    Ok(choose(shared, tenant, wanted)?.1)
}

/// What a name comes to for a run that is new, which is remembered, and the version.
fn choose(
    shared: &Shared,
    tenant: &TenantId,
    wanted: Wanted<'_>,
) -> Result<(Arc<Choice>, Arc<Version>), StartError> {
    let name = wanted.name_of(tenant);
    let since = shared.choices.now();
    let found = find(shared, tenant, wanted, shared.language, &[])?;
    let version = found.version(shared)?;
    let choice = Arc::new(found.choice);
    shared.choices.remember(name, choice.clone(), since);
    Ok((choice, version))
}

fn kept(
    shared: &Shared,
    choice: &Choice,
    version: Arc<Version>,
    before: Map<String, Value>,
) -> Result<Kept, StartError> {
    let secrets = secrets(shared, &choice.key.tenant, &version, before)?;
    Ok(Kept {
        workflow: choice.workflow.clone(),
        version,
        connectors: choice.connectors.clone(),
        pins: choice.pins.clone(),
        secrets,
    })
}

/// What a name comes to, and what its connectors are.
struct Found {
    choice: Choice,
    connectors: Connectors,
}

impl Found {
    /// The version, ready to run.
    fn version(&self, shared: &Shared) -> Result<Arc<Version>, StartError> {
        let VersionKey {
            tenant, document, ..
        } = &self.choice.key;
        let source = || {
            Ok::<_, Unavailable>(Source {
                text: replay::document(shared, tenant, document)?,
                resources: resources::stored(shared, tenant, document)?,
                connectors: &self.connectors,
            })
        };
        let version = shared.versions.get(&self.choice.key, source)?;
        version.map_err(StartError::Outdated)
    }
}

/// What a name comes to, with an expression language, and with those connectors that are kept already.
fn find(
    shared: &Shared,
    tenant: &TenantId,
    wanted: Wanted<'_>,
    language: Digest,
    kept: &[PinRecord],
) -> Result<Found, StartError> {
    let Wanted {
        namespace,
        name,
        version,
    } = wanted;
    let found = find_workflow(shared, tenant, namespace, name, version)?;
    let workflow = found.ok_or_else(|| StartError::NoSuchWorkflow {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        version: version.map(str::to_owned),
    })?;
    let kept: HashMap<&str, &PinRecord> = kept.iter().map(|pin| (pin.name.as_str(), pin)).collect();
    let mut connectors = Connectors::default();
    let mut pins = Vec::new();
    let mut records = Vec::new();
    for name in &workflow.connectors {
        // One that is missing is for the plan to complain about, with its place in the document.
        let Some((digest, bundled)) = component(shared, tenant, name, &kept)? else {
            continue;
        };
        let description = shared
            .library
            .describe(&digest)
            .map_err(Unavailable::from)?;
        keep_component(shared, tenant, &digest)?;
        let package = description.package.as_ref();
        let record = PinRecord {
            name: name.clone(),
            version: package.and_then(|package| package.version.clone()),
            digest: digest.0,
            bundled,
        };
        pins.push(Pin::new(shared, &record, &description));
        records.push(record);
        connectors.0.insert(name.clone(), description);
    }
    keep_component(shared, tenant, &language)?;
    let key = VersionKey {
        tenant: tenant.clone(),
        document: Digest(workflow.digest),
        language,
        connectors: pins
            .iter()
            .map(|pin| (pin.name.clone(), pin.digest))
            .collect(),
    };
    let workflow = WorkflowPinRecord {
        namespace: workflow.namespace,
        name: workflow.name,
        version: workflow.version,
        digest: workflow.digest,
    };
    let choice = Choice {
        workflow,
        connectors: records,
        pins,
        key,
    };
    Ok(Found { choice, connectors })
}

/// The component that a run keeps under a connector's name, and whether it came with the host: the one that it has
/// kept, or the one that the tenant has now.
fn component(
    shared: &Shared,
    tenant: &TenantId,
    name: &str,
    kept: &HashMap<&str, &PinRecord>,
) -> Result<Option<(Digest, bool)>, Unavailable> {
    if let Some(kept) = kept.get(name) {
        return Ok(Some((Digest(kept.digest), kept.bundled)));
    }
    let entry = shared.library.find(tenant, name)?;
    Ok(entry.map(|it| (it.digest, shared.library.is_bundled(name, &it.digest))))
}

/// Sees to it that a component which a run keeps is in the store, durably.
fn keep_component(shared: &Shared, tenant: &TenantId, digest: &Digest) -> Result<(), Unavailable> {
    shared.library.keep(digest, |batch| {
        // Aside, where it may block: by way of the journal, which waits where a disk is full.
        let committed = Handle::current().block_on(shared.journal.commit(tenant, batch));
        Ok(committed?)
    })
}

/// `$secrets` of a version: what the run has kept, and what it names beside that.
fn secrets(
    shared: &Shared,
    tenant: &TenantId,
    version: &Version,
    mut kept: Map<String, Value>,
) -> Result<Value, StartError> {
    let names = version.plan.secrets().iter().map(String::as_str);
    let names = names.filter(|name| !kept.contains_key(*name));
    let (new, missing) = shared
        .vault
        .facts(tenant, names)
        .map_err(|error| match error {
            VaultError::Read(error) => Unavailable::from(error).into(),
            other => StartError::SealedSecrets(other.to_string()),
        })?;
    if !missing.is_empty() {
        return Err(StartError::MissingSecrets { names: missing });
    }
    kept.extend(new);
    Ok(Value::Object(kept))
}
