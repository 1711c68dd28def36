//! The tenants' secrets: sealed on disk, opened for the calls that may use them.

mod key;
mod seal;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use baton_sandbox::{HostPattern, Placeholder, Secret, SecretValue, Secrets};
use baton_store::record::{Record, SecretRecord};
use baton_store::seed::SeedKey;
use baton_store::{Direction, ReadError, Store, TenantId, key as store_key};
use serde::Deserialize;
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use crate::seed::hmac_sha256;

pub use key::{MasterKeyError, MasterKeys};
pub(crate) use seal::OpenFailed;

/// A secret's value. Wiped when it is given up.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum SecretContent {
    /// A text.
    Text(String),
    /// Texts by name.
    Members(BTreeMap<String, String>),
}

/// Why secrets can't be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(
        "this host has no master key for secrets: make one with `baton secret key`, and name the file that holds it \
         with --secrets-key-file"
    )]
    NoKey,
    #[error("the secret `{name}` can't be opened: {source}")]
    Sealed { name: String, source: OpenFailed },
}

impl VaultError {
    /// Whether it may well go some seconds later.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Read(error) if error.is_passing())
    }
}

/// The secrets of all tenants.
pub(crate) struct Vault {
    store: Arc<dyn Store>,
    keys: Option<MasterKeys>,
    /// What placeholders are derived from.
    placeholders: [u8; 32],
}

impl Vault {
    /// The secrets of a store. Without keys, none can be sealed or opened.
    pub(crate) fn new(store: Arc<dyn Store>, keys: Option<MasterKeys>, secret: &SeedKey) -> Self {
        Self {
            store,
            keys,
            placeholders: hmac_sha256(secret.bytes(), b"baton placeholders\0"),
        }
    }

    /// The record of a secret that is to be stored, sealed under the first key.
    ///
    /// # Errors
    ///
    /// [`VaultError::NoKey`].
    pub(crate) fn seal(
        &self,
        tenant: &TenantId,
        mut record: SecretRecord,
        content: &SecretContent,
    ) -> Result<SecretRecord, VaultError> {
        let keys = self.keys.as_ref().ok_or(VaultError::NoKey)?;
        let value = content.to_json();
        record.members = content.members().map(Vec::from_iter);
        seal::seal(
            &mut record,
            value.as_bytes(),
            tenant,
            keys.first(),
            rand::random(),
        );
        Ok(record)
    }

    /// A secret as it is stored.
    pub(crate) fn record(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<Option<SecretRecord>, ReadError> {
        let stored = self.store.get(&store_key::secret(tenant, name))?;
        Ok(stored.as_deref().map(SecretRecord::decode).transpose()?)
    }

    /// All secrets of a tenant, by name.
    pub(crate) fn records(&self, tenant: &TenantId) -> Result<Vec<SecretRecord>, ReadError> {
        let range = store_key::secrets(tenant);
        let stored = self.store.scan(&range, Direction::Ascending, usize::MAX)?;
        let records = stored.iter().map(|(_, value)| SecretRecord::decode(value));
        Ok(records.collect::<Result<_, _>>()?)
    }

    /// The secrets of these names, for a call. One that is not there is left out: whoever comes to it is told so.
    ///
    /// # Errors
    ///
    /// Where one can't be opened.
    pub(crate) fn lend<'n>(
        &self,
        tenant: &TenantId,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<Secrets, VaultError> {
        let mut secrets = Vec::new();
        for name in names.collect::<BTreeSet<_>>() {
            if let Some(record) = self.record(tenant, name)? {
                self.open_into(&mut secrets, tenant, &record)?;
            }
        }
        Ok(Secrets::new(secrets))
    }

    fn open_into(
        &self,
        secrets: &mut Vec<Secret>,
        tenant: &TenantId,
        record: &SecretRecord,
    ) -> Result<(), VaultError> {
        // What is stored was checked before; what no longer parses allows nothing.
        let hosts: Vec<HostPattern> = record
            .hosts
            .iter()
            .filter_map(|it| it.parse().ok())
            .collect();
        let hosts: Arc<[HostPattern]> = hosts.into();
        let secret = |member: Option<String>, value: String| Secret {
            name: record.name.clone(),
            placeholder: self.placeholder(tenant, &record.name, member.as_deref()),
            member,
            value: SecretValue::new(value),
            hosts: Arc::clone(&hosts),
        };
        match &mut self.open(tenant, record)? {
            SecretContent::Text(text) => secrets.push(secret(None, std::mem::take(text))),
            SecretContent::Members(members) => {
                let members = std::mem::take(members).into_iter();
                secrets.extend(members.map(|(name, value)| secret(Some(name), value)));
            }
        }
        Ok(())
    }

    fn open(&self, tenant: &TenantId, record: &SecretRecord) -> Result<SecretContent, VaultError> {
        let keys = self.keys.as_ref().ok_or(VaultError::NoKey)?;
        let failed = |source| VaultError::Sealed {
            name: record.name.clone(),
            source,
        };
        let value = seal::open(record, tenant, keys).map_err(failed)?;
        serde_json::from_slice(&value).map_err(|_| failed(OpenFailed::Broken))
    }

    /// `$secrets` of a run: placeholders by name, and the members that are no secret as they are. With the names
    /// of those that are not there.
    ///
    /// # Errors
    ///
    /// Where one has members that are no secret, and can't be opened.
    pub(crate) fn facts<'n>(
        &self,
        tenant: &TenantId,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<(Map<String, Value>, Vec<String>), VaultError> {
        let (mut facts, mut missing) = (Map::new(), Vec::new());
        for name in names {
            match self.record(tenant, name)? {
                Some(record) => {
                    facts.insert(name.to_owned(), self.fact(tenant, &record)?);
                }
                None => missing.push(name.to_owned()),
            }
        }
        Ok((facts, missing))
    }

    fn fact(&self, tenant: &TenantId, record: &SecretRecord) -> Result<Value, VaultError> {
        let placeholder = |member: Option<&str>| {
            Value::from(self.placeholder(tenant, &record.name, member).to_string())
        };
        let Some(members) = &record.members else {
            return Ok(placeholder(None));
        };
        let mut fact: Map<String, Value> = members
            .iter()
            .map(|member| (member.clone(), placeholder(Some(member))))
            .collect();
        if !record.public.is_empty()
            && let SecretContent::Members(values) = &self.open(tenant, record)?
        {
            for name in &record.public {
                let value = values.get(name).map(String::as_str);
                fact.insert(name.clone(), value.into());
            }
        }
        Ok(Value::Object(fact))
    }

    /// What stands for a secret: the same for ever, and known to nobody who does not know the store's secret.
    fn placeholder(&self, tenant: &TenantId, name: &str, member: Option<&str>) -> Placeholder {
        // Neither a tenant's nor a secret's name has a zero byte.
        let message = match member {
            None => format!("{tenant}\0{name}"),
            Some(member) => format!("{tenant}\0{name}\0{member}"),
        };
        let hash = hmac_sha256(&self.placeholders, message.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Placeholder::from_bytes(bytes)
    }
}

impl SecretContent {
    /// The names of the members, in their order; none for a text.
    pub(crate) fn members(&self) -> Option<impl Iterator<Item = String>> {
        match self {
            Self::Text(_) => None,
            Self::Members(members) => Some(members.keys().cloned()),
        }
    }

    fn to_json(&self) -> Zeroizing<String> {
        let json = match self {
            Self::Text(text) => serde_json::to_string(text),
            Self::Members(members) => serde_json::to_string(members),
        };
        Zeroizing::new(json.expect("texts can be written as JSON"))
    }
}

impl Drop for SecretContent {
    fn drop(&mut self) {
        match self {
            Self::Text(text) => text.zeroize(),
            Self::Members(members) => members.values_mut().for_each(Zeroize::zeroize),
        }
    }
}

impl std::fmt::Debug for SecretContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretContent(…)")
    }
}

#[cfg(test)]
mod tests {
    use baton_store::{Batch, MemoryStore};

    use super::*;

    fn vault(keys: Option<u8>) -> Vault {
        let keys = keys.map(|byte| MasterKeys::parse(&MasterKeys::text_of([byte; 32])));
        let keys = keys.transpose().expect("a key");
        Vault::new(
            Arc::new(MemoryStore::new()),
            keys,
            &SeedKey::from_bytes([5; 32]),
        )
    }

    fn put(vault: &Vault, tenant: &TenantId, name: &str, json: Value, public: &[&str]) {
        let content = serde_json::from_value(json).expect("content");
        let record = SecretRecord {
            name: name.into(),
            key: [0; 8],
            nonce: [0; 24],
            sealed: Vec::new(),
            hosts: vec!["a.example".into()],
            members: None,
            public: public.iter().map(|it| (*it).to_owned()).collect(),
            created_at_ms: 0,
            updated_at_ms: 0,
        };
        let record = vault.seal(tenant, record, &content).expect("sealed");
        let mut batch = Batch::new();
        batch.put(store_key::secret(tenant, name), record.encode());
        vault.store.commit(&batch).expect("committed");
    }

    #[test]
    fn facts_hold_placeholders_and_public_members() {
        let (vault, tenant) = (vault(Some(1)), TenantId::default());
        put(&vault, &tenant, "token", serde_json::json!("hunter2"), &[]);
        let login = serde_json::json!({ "username": "ada", "password": "hunter3" });
        put(&vault, &tenant, "login", login, &["username"]);
        let names = ["token", "login", "none"].into_iter();
        let (facts, missing) = vault.facts(&tenant, names).expect("facts");
        assert_eq!(missing, ["none"]);
        assert_eq!(facts["login"]["username"], "ada");
        let shown = Value::Object(facts.clone()).to_string();
        assert!(!shown.contains("hunter"), "{shown}");

        let lent = vault
            .lend(&tenant, ["token", "login", "none"].into_iter())
            .expect("lent");
        assert!(!lent.is_empty() && !format!("{lent:?}").contains("hunter"));
        let placeholder = |it: &Value| Placeholder::parse(it.as_str().expect("a text"));
        assert_eq!(
            placeholder(&facts["token"]),
            Some(vault.placeholder(&tenant, "token", None))
        );
    }

    #[test]
    fn placeholders_differ_by_tenant_name_and_member() {
        let vault = vault(None);
        let of = |tenant: &str, name, member| {
            vault.placeholder(&TenantId::new(tenant).expect("a tenant"), name, member)
        };
        let all = BTreeSet::from([
            of("a", "x", None),
            of("b", "x", None),
            of("a", "y", None),
            of("a", "x", Some("m")),
            of("a", "x", Some("n")),
        ]);
        assert_eq!(all.len(), 5);
        assert_eq!(of("a", "x", None), of("a", "x", None));
    }

    #[test]
    fn without_a_key_nothing_is_sealed() {
        let content = SecretContent::Text("x".into());
        let record = SecretRecord {
            name: "x".into(),
            key: [0; 8],
            nonce: [0; 24],
            sealed: Vec::new(),
            hosts: Vec::new(),
            members: None,
            public: Vec::new(),
            created_at_ms: 0,
            updated_at_ms: 0,
        };
        let refused = vault(None).seal(&TenantId::default(), record, &content);
        assert!(matches!(refused, Err(VaultError::NoKey)));
    }
}
