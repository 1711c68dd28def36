//! Connectors: install, read, grant, remove, call.

use std::sync::Arc;
use std::time::Duration;

use baton_sandbox::{Grant, GrantSpec, Progress};
use baton_store::record::{ConnectorRecord, GrantRecord, Json, Record};
use baton_store::{Batch, ReadError, RunId, TenantId, key};
use baton_workflow::machine::TaskKey;
use serde_json::Value;

use super::Engine;
use crate::error::{CallError, GrantRefused, InstallError, RemoveError, Unavailable};
use crate::library::Entry;
use crate::outside::Call;
use crate::shared::Shared;
use crate::view::{CallView, ConnectorView, FunctionView, ImportView, Installed};

impl Engine {
    /// Installs a component under `name`, or under its WIT package's name. A name that is taken is upgraded:
    /// new runs use the new component, open runs keep theirs, and so does the grant.
    ///
    /// # Errors
    ///
    /// Where the bytes are no component, or one that can't run on this host. Nothing is stored then.
    pub async fn install(
        &self,
        tenant: &TenantId,
        name: Option<&str>,
        bytes: Vec<u8>,
    ) -> Result<Installed, InstallError> {
        let (tenant, name) = (tenant.clone(), name.map(str::to_owned));
        self.whole(async move |engine| engine.install_whole(&tenant, name.as_deref(), bytes).await)
            .await
    }

    async fn install_whole(
        &self,
        tenant: &TenantId,
        name: Option<&str>,
        bytes: Vec<u8>,
    ) -> Result<Installed, InstallError> {
        self.check_open()?;
        let sandbox = self.inner.sandbox.clone();
        let bytes = Arc::new(bytes);
        let loading = bytes.clone();
        let loaded = self
            .aside(tenant, move |_| sandbox.load(&loading))
            .await??;
        let description = loaded.description().clone();
        let name = name
            .map(str::to_owned)
            .or_else(|| description.package.as_ref().map(|it| it.name.clone()));
        let name = name.ok_or(InstallError::NoName)?;
        if !is_name(&name) {
            return Err(InstallError::InvalidName { name });
        }
        let _one_at_a_time = self.inner.writing.lock().await;
        let shared = self.shared();
        let mut batch = Batch::new();
        let digest = shared
            .library
            .add(&bytes, &mut batch)
            .map_err(Unavailable::from)?;
        let before = shared
            .library
            .find(tenant, &name)
            .map_err(Unavailable::from)?;
        let created =
            before.is_none_or(|entry| entry.installed_at.is_none() || entry.digest != digest);
        if created {
            let record = ConnectorRecord {
                name: name.clone(),
                version: description
                    .package
                    .as_ref()
                    .and_then(|it| it.version.clone()),
                digest: digest.0,
                installed_at_ms: shared.clock.now().as_millis(),
            };
            batch.put(key::connector(tenant, &name), record.encode());
            let committed = shared.journal.commit(tenant, batch).await;
            shared.choices.changed(tenant);
            committed.map_err(Unavailable::from)?;
        }
        match self.connector(tenant, &name).await? {
            Some(connector) => Ok(Installed { connector, created }),
            None => Err(Unavailable::Broken("what was installed can't be read".into()).into()),
        }
    }

    /// The tenant's connectors, bundled ones included, by name.
    pub async fn connectors(&self, tenant: &TenantId) -> Result<Vec<ConnectorView>, Unavailable> {
        let of = tenant.clone();
        self.aside(tenant, move |shared| {
            let entries = shared.library.list(&of)?;
            let views = entries.values().map(|entry| view(shared, &of, entry));
            views.collect()
        })
        .await?
    }

    /// A connector.
    pub async fn connector(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<Option<ConnectorView>, Unavailable> {
        let entry = self.shared().library.find(tenant, name)?;
        entry
            .map(|entry| view(self.shared(), tenant, &entry))
            .transpose()
    }

    /// Says what a connector may do, in place of what was granted before. It counts from the next call on,
    /// in open runs too.
    ///
    /// # Errors
    ///
    /// Where there is no such connector, or the grant is not well-formed.
    pub async fn grant(
        &self,
        tenant: &TenantId,
        name: &str,
        grant: GrantSpec,
    ) -> Result<ConnectorView, GrantRefused> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.whole(async move |engine| engine.grant_whole(&tenant, &name, grant).await)
            .await
    }

    async fn grant_whole(
        &self,
        tenant: &TenantId,
        name: &str,
        grant: GrantSpec,
    ) -> Result<ConnectorView, GrantRefused> {
        self.check_open()?;
        Grant::new(&grant)?;
        let _one_at_a_time = self.inner.writing.lock().await;
        let shared = self.shared();
        let entry = shared
            .library
            .find(tenant, name)
            .map_err(Unavailable::from)?;
        let entry = entry.ok_or_else(|| GrantRefused::NoSuchConnector {
            name: name.to_owned(),
        })?;
        let spec = serde_json::to_string(&grant).expect("a grant is texts and numbers");
        let record = GrantRecord {
            spec: Json(spec),
            granted_at_ms: shared.clock.now().as_millis(),
        };
        let mut batch = Batch::new();
        batch.put(key::grant(tenant, name), record.encode());
        shared
            .journal
            .commit(tenant, batch)
            .await
            .map_err(Unavailable::from)?;
        shared.grants.changed(tenant, name);
        Ok(view(shared, tenant, &entry)?)
    }

    /// Removes a connector that the tenant has installed, and its grant. Open runs keep the component, but
    /// nothing is granted to it any more.
    ///
    /// # Errors
    ///
    /// [`RemoveError::NoSuchConnector`] where the tenant has installed none of that name.
    pub async fn remove_connector(&self, tenant: &TenantId, name: &str) -> Result<(), RemoveError> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.whole(async move |engine| engine.remove_whole(&tenant, &name).await)
            .await
    }

    async fn remove_whole(&self, tenant: &TenantId, name: &str) -> Result<(), RemoveError> {
        self.check_open()?;
        let _one_at_a_time = self.inner.writing.lock().await;
        let shared = self.shared();
        let entry = shared
            .library
            .find(tenant, name)
            .map_err(Unavailable::from)?;
        if entry.is_none_or(|entry| entry.installed_at.is_none()) {
            return Err(RemoveError::NoSuchConnector {
                name: name.to_owned(),
            });
        }
        let mut batch = Batch::new();
        batch.delete(key::connector(tenant, name));
        batch.delete(key::grant(tenant, name));
        let committed = shared.journal.commit(tenant, batch).await;
        shared.choices.changed(tenant);
        committed.map_err(Unavailable::from)?;
        shared.grants.changed(tenant, name);
        Ok(())
    }

    /// Calls a function once, outside of any run: nothing of it is recorded. `function` is its name, or
    /// `interface/name` where two interfaces have one of that name; `arguments` an object by parameter name.
    ///
    /// # Errors
    ///
    /// Where there is no such connector or function. What the function fails with is in the answer.
    pub async fn call(
        &self,
        tenant: &TenantId,
        connector: &str,
        function: &str,
        arguments: Value,
    ) -> Result<CallView, CallError> {
        self.check_open()?;
        let shared = self.shared();
        let entry = shared
            .library
            .find(tenant, connector)
            .map_err(Unavailable::from)?;
        let entry = entry.ok_or_else(|| CallError::NoSuchConnector {
            name: connector.to_owned(),
        })?;
        let (interface, name) = match function.rsplit_once('/') {
            Some((interface, name)) => (Some(interface.to_owned()), name),
            None => (None, function),
        };
        let digest = entry.digest;
        let description = shared
            .library
            .describe(&digest)
            .map_err(Unavailable::from)?;
        let found = description.function(interface.as_deref(), name);
        found.map_err(|error| CallError::NoSuchFunction(error.to_string()))?;
        let once = RunId::new(0, &rand::random());
        let call = Call {
            tenant: tenant.clone(),
            run: String::new(),
            task: TaskKey {
                pointer: "".into(),
                visit: 1,
            },
            attempt: 1,
            connector: connector.to_owned(),
            digest,
            bundled: shared.library.is_bundled(connector, &digest),
            interface,
            function: name.to_owned(),
            arguments: Arc::new(arguments),
            secrets: [].into(),
            time: shared.limits.call_time,
            idempotency_key: format!("call/{once}"),
            progress: Progress::default(),
            items: None,
            reveals: None,
        };
        let busy = CallError::Busy {
            retry_after: Duration::from_secs(1),
        };
        let answer = shared.dispatch.once(call).await.ok_or(busy)?;
        Ok(CallView {
            result: answer.result,
            log: answer.log,
            refusals: answer.refusals,
        })
    }
}

/// Whether a connector can have that name: 1 to 63 of `a-z`, `0-9` and `-`, a letter first, no `-` last.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(fits)
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
}

fn view(shared: &Shared, tenant: &TenantId, entry: &Entry) -> Result<ConnectorView, Unavailable> {
    let description = shared.library.describe(&entry.digest)?;
    let grants = shared.grants.spec(tenant, &entry.name);
    let grants = grants.map_err(|error| ReadError::Corrupt {
        detail: error.to_string(),
    })?;
    let functions = description.functions.iter().map(|function| FunctionView {
        name: function.name.clone(),
        interface: function.interface.clone(),
        docs: function.docs.clone(),
        schemas: function
            .signature
            .as_ref()
            .map(|it| (it.input_schema(), it.output_schema()))
            .map_err(Clone::clone),
    });
    let imports = description.imports.iter().map(|import| ImportView {
        name: import.name.clone(),
        capability: import
            .capability
            .filter(|it| it.is_requested())
            .map(|it| it.name().to_owned()),
    });
    Ok(ConnectorView {
        reference: entry.reference(&description),
        package: description
            .package
            .as_ref()
            .map(|it| format!("{}:{}", it.namespace, it.name)),
        installed_at: entry.installed_at,
        functions: functions.collect(),
        imports: imports.collect(),
        grants,
    })
}
