//! Secrets: set, list, remove. Their values come in and never go out.

use std::collections::BTreeSet;

use baton_sandbox::HostPattern;
use baton_store::record::{Record, SecretRecord};
use baton_store::{Batch, TenantId, key};
use baton_workflow::Timestamp;

use super::Engine;
use crate::error::{RemoveSecretError, SecretRefused, Unavailable};
use crate::vault::{SecretContent, VaultError};
use crate::view::SecretView;

/// How long a secret's name may be, in bytes.
const NAME_BYTES_MAX: usize = 63;

/// How large a secret's value may be, in bytes over all of its members. A private key has some kilobytes.
const VALUE_BYTES_MAX: usize = 32 << 10;

/// How many members a secret may have.
const MEMBERS_MAX: usize = 64;

/// How many hosts a secret may be bound to.
const HOSTS_MAX: usize = 64;

/// How many secrets a tenant may have.
const SECRETS_MAX: usize = 1_000;

impl Engine {
    /// Sets a secret: its value, the hosts that it may be sent to, and which of its members are no secret. What was
    /// there under the name is replaced; calls that begin from now on use the new value. Says whether it was made.
    ///
    /// # Errors
    ///
    /// Where the host has no master key, or something is wrong with what is given.
    pub async fn set_secret(
        &self,
        tenant: &TenantId,
        name: &str,
        content: SecretContent,
        hosts: Vec<String>,
        public: Vec<String>,
    ) -> Result<(SecretView, bool), SecretRefused> {
        let problems = problems(name, &content, &hosts, &public);
        if !problems.is_empty() {
            return Err(SecretRefused::Invalid(problems));
        }
        let (tenant, name) = (tenant.clone(), name.to_owned());
        let set = async move |engine: Self| {
            engine
                .set_secret_whole(&tenant, name, content, hosts, public)
                .await
        };
        self.whole(set).await
    }

    async fn set_secret_whole(
        &self,
        tenant: &TenantId,
        name: String,
        content: SecretContent,
        hosts: Vec<String>,
        public: Vec<String>,
    ) -> Result<(SecretView, bool), SecretRefused> {
        self.check_open()?;
        let _one_at_a_time = self.inner.writing.lock().await;
        let shared = self.shared();
        let now = shared.clock.now().as_millis();
        let before = shared
            .vault
            .record(tenant, &name)
            .map_err(Unavailable::from)?;
        if before.is_none() {
            let there = shared.vault.records(tenant).map_err(Unavailable::from)?;
            if there.len() >= SECRETS_MAX {
                let problem =
                    format!("there are {SECRETS_MAX} secrets, as many as a tenant may have");
                return Err(SecretRefused::Invalid(vec![problem]));
            }
        }
        let record = SecretRecord {
            key: Default::default(),
            nonce: [0; 24],
            sealed: Vec::new(),
            hosts,
            members: None,
            public,
            created_at_ms: before.as_ref().map_or(now, |before| before.created_at_ms),
            updated_at_ms: now,
            name,
        };
        let sealed = shared.vault.seal(tenant, record, &content);
        let record = sealed.map_err(|error| match error {
            VaultError::NoKey => SecretRefused::NoKey(error.to_string()),
            other => Unavailable::Storage(other.to_string()).into(),
        })?;
        let mut batch = Batch::new();
        batch.put(key::secret(tenant, &record.name), record.encode());
        let committed = shared.journal.commit(tenant, batch).await;
        committed.map_err(Unavailable::from)?;
        Ok((view(record), before.is_none()))
    }

    /// The secrets of a tenant, by name.
    pub async fn secrets(&self, tenant: &TenantId) -> Result<Vec<SecretView>, Unavailable> {
        let records = self.shared().vault.records(tenant)?;
        Ok(records.into_iter().map(view).collect())
    }

    /// Removes a secret. Calls that begin from now on can't use it.
    ///
    /// # Errors
    ///
    /// [`RemoveSecretError::NotFound`] where the tenant has none of that name.
    pub async fn remove_secret(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<(), RemoveSecretError> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        let remove = async move |engine: Self| {
            engine.check_open()?;
            let _one_at_a_time = engine.inner.writing.lock().await;
            let shared = engine.shared();
            let there = shared
                .vault
                .record(&tenant, &name)
                .map_err(Unavailable::from)?;
            if there.is_none() {
                return Err(RemoveSecretError::NotFound { name });
            }
            let mut batch = Batch::new();
            batch.delete(key::secret(&tenant, &name));
            let committed = shared.journal.commit(&tenant, batch).await;
            Ok(committed.map_err(Unavailable::from)?)
        };
        self.whole(remove).await
    }
}

fn view(record: SecretRecord) -> SecretView {
    SecretView {
        name: record.name,
        hosts: record.hosts,
        members: record.members,
        public: record.public,
        created_at: Timestamp::from_millis(record.created_at_ms),
        updated_at: Timestamp::from_millis(record.updated_at_ms),
    }
}

/// All that is wrong with a secret. No part of its value is shown.
fn problems(
    name: &str,
    content: &SecretContent,
    hosts: &[String],
    public: &[String],
) -> Vec<String> {
    let mut problems = Vec::new();
    if !is_name(name) {
        problems.push(format!(
            "`{name}` is no secret's name: expected 1 to {NAME_BYTES_MAX} letters, digits, `-`, `_` and `.`, a letter \
             first"
        ));
    }
    let members = match content {
        SecretContent::Text(text) => {
            check_size(text.len(), &mut problems);
            BTreeSet::new()
        }
        SecretContent::Members(members) => {
            check_size(members.values().map(String::len).sum(), &mut problems);
            let names: BTreeSet<&str> = members.keys().map(String::as_str).collect();
            if !(1..=MEMBERS_MAX).contains(&names.len()) {
                problems.push(format!(
                    "value: it has {} members, and needs 1 to {MEMBERS_MAX}",
                    names.len()
                ));
            }
            let wrong = names.iter().filter(|name| !is_name(name));
            problems.extend(wrong.map(|name| format!("value: `{name}` is no member's name")));
            names
        }
    };
    if hosts.is_empty() {
        problems.push(
            "hosts: there is none, so that the secret could be sent nowhere: name those that may have it, like \
             `api.example.org`"
                .to_owned(),
        );
    } else if hosts.len() > HOSTS_MAX {
        problems.push(format!("hosts: there are more than {HOSTS_MAX}"));
    }
    for (index, host) in hosts.iter().enumerate() {
        if let Err(error) = host.parse::<HostPattern>() {
            problems.push(format!("hosts/{index}: {error}"));
        }
    }
    let unknown = public
        .iter()
        .filter(|name| !members.contains(name.as_str()));
    problems.extend(unknown.map(|name| format!("public: the value has no member `{name}`")));
    problems
}

fn check_size(bytes: usize, problems: &mut Vec<String>) {
    if bytes == 0 {
        problems.push("value: it is empty".to_owned());
    } else if bytes > VALUE_BYTES_MAX {
        problems.push(format!(
            "value: it has {bytes} bytes, of {VALUE_BYTES_MAX} at most"
        ));
    }
}

/// Whether a secret, or a member of one, can have that name.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(fits)
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_is_said_at_once_and_nothing_of_the_value() {
        let members = [("ok", "hunter2"), ("not ok", "hunter3")];
        let members = members.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let content = SecretContent::Members(members.into());
        let hosts = ["https://a.example".to_owned()];
        let found = problems("1x", &content, &hosts, &["none".to_owned()]).join("\n");
        for expected in [
            "`1x` is no secret's name",
            "`not ok`",
            "hosts/0: ",
            "no member `none`",
        ] {
            assert!(found.contains(expected), "{expected} in {found}");
        }
        assert!(!found.contains("hunter"), "{found}");
        let empty = problems("x", &SecretContent::Text(String::new()), &[], &[]).join("\n");
        assert!(
            empty.contains("it is empty") && empty.contains("could be sent nowhere"),
            "{empty}"
        );
    }
}
