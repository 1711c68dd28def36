//! What a run keeps of a workflow version from the moment on at which it takes it up: the version ready to run, the
//! connectors that it names, and `$secrets`.

use std::collections::HashMap;
use std::sync::Arc;

use baton_sandbox::Description;
use baton_store::record::{CorrectionRecord, PinRecord, WorkflowPinRecord};
use baton_store::{Digest, TenantId};
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use crate::catalog::Connectors;
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

/// How far to look for what a run keeps.
#[derive(Clone, Copy)]
enum Reach {
    /// In memory, but for the few small records that say what it is.
    AtHand,
    /// Wherever it is.
    Anywhere,
}

impl Before<'_> {
    /// For a run that is new.
    pub(crate) fn nothing(shared: &Shared) -> Self {
        Self {
            language: shared.language,
            connectors: &[],
            secrets: Map::new(),
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
    let found = find_anywhere(shared, tenant, wanted, &before)?;
    let secrets = secrets(shared, tenant, &found.version, before.secrets)?;
    Ok(Kept { secrets, ..found })
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
    keep(shared, tenant, wanted, Before::nothing(shared))
}

/// As [`keep_new`], where what the run needs is at hand: then it takes some microseconds.
///
/// # Errors
///
/// As [`keep`].
pub(crate) fn keep_new_at_hand(
    shared: &Shared,
    tenant: &TenantId,
    wanted: Wanted<'_>,
) -> Result<Option<Kept>, StartError> {
    let before = Before::nothing(shared);
    let Some(found) = find(shared, tenant, wanted, &before, Reach::AtHand)? else {
        return Ok(None);
    };
    let secrets = secrets(shared, tenant, &found.version, before.secrets)?;
    Ok(Some(Kept { secrets, ..found }))
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
    Ok(find_anywhere(shared, tenant, wanted, &Before::nothing(shared))?.version)
}

fn find_anywhere(
    shared: &Shared,
    tenant: &TenantId,
    wanted: Wanted<'_>,
    before: &Before<'_>,
) -> Result<Kept, StartError> {
    let found = find(shared, tenant, wanted, before, Reach::Anywhere)?;
    Ok(found.expect("what is looked for anywhere is found, or an error says why not"))
}

/// A version with what it needs, but for its secrets; none where it is beyond reach.
fn find(
    shared: &Shared,
    tenant: &TenantId,
    wanted: Wanted<'_>,
    before: &Before<'_>,
    reach: Reach,
) -> Result<Option<Kept>, StartError> {
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
    let known: HashMap<&str, &PinRecord> = before
        .connectors
        .iter()
        .map(|pin| (pin.name.as_str(), pin))
        .collect();
    let mut connectors = Connectors::default();
    let mut pins = Vec::new();
    let mut records = Vec::new();
    for name in &workflow.connectors {
        // One that is missing is for the plan to complain about, with its place in the document.
        let Some((digest, bundled)) = component(shared, tenant, name, &known)? else {
            continue;
        };
        let Some(description) = kept_component(shared, tenant, &digest, reach)? else {
            return Ok(None);
        };
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
    if !keep_component(shared, tenant, &before.language, reach)? {
        return Ok(None);
    }
    let document = Digest(workflow.digest);
    let key = VersionKey {
        tenant: tenant.clone(),
        document,
        language: before.language,
        connectors: pins
            .iter()
            .map(|pin| (pin.name.clone(), pin.digest))
            .collect(),
    };
    let source = || {
        Ok::<_, Unavailable>(Source {
            text: replay::document(shared, tenant, &document)?,
            resources: resources::stored(shared, tenant, &document)?,
            connectors,
        })
    };
    let version = match reach {
        Reach::AtHand => shared.versions.known(&key),
        Reach::Anywhere => Some(
            shared
                .versions
                .get(&key, source)?
                .map_err(StartError::Outdated)?,
        ),
    };
    Ok(version.map(|version| Kept {
        workflow: WorkflowPinRecord {
            namespace: workflow.namespace,
            name: workflow.name,
            version: workflow.version,
            digest: workflow.digest,
        },
        version,
        connectors: records,
        pins,
        secrets: Value::Null,
    }))
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

/// What a component is that a run keeps, once it is in the store, durably; none where it is beyond reach.
fn kept_component(
    shared: &Shared,
    tenant: &TenantId,
    digest: &Digest,
    reach: Reach,
) -> Result<Option<Arc<Description>>, Unavailable> {
    let description = match reach {
        Reach::AtHand => shared.library.described(digest),
        Reach::Anywhere => Some(shared.library.describe(digest)?),
    };
    let is_kept = keep_component(shared, tenant, digest, reach)?;
    Ok(description.filter(|_| is_kept))
}

/// Sees to it that a component which a run keeps is in the store, durably. False where that is beyond reach.
fn keep_component(
    shared: &Shared,
    tenant: &TenantId,
    digest: &Digest,
    reach: Reach,
) -> Result<bool, Unavailable> {
    match reach {
        Reach::AtHand => return Ok(shared.library.is_kept(digest)),
        Reach::Anywhere => {}
    }
    shared.library.keep(digest, |batch| {
        // Aside, where it may block: by way of the journal, which waits where a disk is full.
        let committed = Handle::current().block_on(shared.journal.commit(tenant, batch));
        Ok(committed?)
    })?;
    Ok(true)
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
