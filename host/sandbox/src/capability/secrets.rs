//! `baton:connector/secrets`: secrets by placeholder, and what the host makes of their values.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha2::{Sha256, Sha512_256};
use wasmtime::component::{HasData, Linker};
use zeroize::Zeroizing;

use super::log::Journal;
use super::refusals::Refusals;
use super::{Capability, Moments, Preparation};
use crate::bindings::baton::connector::secrets::{self, Error, HashAlgorithm};
use crate::context::{Reveal, Reveals};
use crate::limits::REVEALS_MAX;
use crate::outcome::{LogLevel, Refusal};
use crate::secret::{self, Keyring, Secret, Unfillable};
use crate::state::State;
use crate::{GrantError, GrantSpec};

/// The capability.
pub(crate) struct Secrets;

/// The names that a grant holds.
#[derive(Debug, Default)]
pub(crate) struct Names {
    secrets: BTreeSet<String>,
    reveal: BTreeSet<String>,
}

impl Names {
    /// Every name, each once.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.secrets.union(&self.reveal).map(String::as_str)
    }
}

/// The secrets of a call.
pub(crate) struct Held {
    names: Arc<Names>,
    secrets: secret::Secrets,
    keyring: Keyring,
    journal: Journal,
    refusals: Refusals,
    reveals: Option<Reveals>,
    /// What the call was given.
    revealed: BTreeSet<Reveal>,
    used: bool,
}

impl Held {
    /// Whether the call has asked for anything. Values change.
    pub(crate) fn is_used(&self) -> bool {
        self.used
    }

    /// What the call was refused.
    pub(crate) fn refusals(&self) -> Refusals {
        self.refusals.clone()
    }
}

impl Moments for Secrets {
    const INTERFACES: &'static [&'static str] = &["baton:connector/secrets"];
    type Granted = Arc<Names>;
    type Prepared = Held;

    fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
        secrets::add_to_linker::<State, Self>(linker, |state| &mut state.capabilities.secrets)
    }

    fn configure(spec: &GrantSpec) -> Result<Arc<Names>, GrantError> {
        Ok(Arc::new(Names {
            secrets: spec.secrets.iter().cloned().collect(),
            reveal: spec.reveal.iter().cloned().collect(),
        }))
    }

    fn prepare(granted: &Arc<Names>, call: &Preparation<'_>) -> Held {
        Held {
            names: Arc::clone(granted),
            secrets: call.context.secrets.clone(),
            keyring: call.keyring.clone(),
            journal: call.journal.clone(),
            refusals: Refusals::default(),
            reveals: call.context.reveals.clone(),
            revealed: BTreeSet::new(),
            used: false,
        }
    }
}

impl HasData for Secrets {
    type Data<'a> = &'a mut Held;
}

impl secrets::Host for Held {
    fn get(
        &mut self,
        name: String,
        member: Option<String>,
    ) -> wasmtime::Result<Result<String, Error>> {
        self.used = true;
        if !self.names.secrets.contains(&name) {
            return Ok(Err(self.denied(&name, "secrets")));
        }
        let found = self.find(&name, member.as_deref());
        Ok(found.map(|secret| secret.placeholder.to_string()))
    }

    fn basic(
        &mut self,
        username: String,
        password: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        self.used = true;
        let made = || {
            let (username, first) = self.keyring.fill_here(username.as_bytes())?;
            let (password, second) = self.keyring.fill_here(password.as_bytes())?;
            let both = Zeroizing::new([username.as_slice(), b":", password.as_slice()].concat());
            let value = secret::Value::new(BASE64_STANDARD.encode(&*both));
            self.keyring.make(value, first.and(second))
        };
        let made = made();
        Ok(made
            .map(|placeholder| placeholder.to_string())
            .map_err(|error| self.unfillable(&error)))
    }

    fn hmac_sha256(
        &mut self,
        key: String,
        data: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        self.used = true;
        let made = || {
            let (key, _) = self.keyring.fill_here(key.as_bytes())?;
            let (data, _) = self.keyring.fill_here(&data)?;
            let mut mac =
                Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
            mac.update(&data);
            Ok(mac.finalize().into_bytes().to_vec())
        };
        let made = made();
        Ok(made.map_err(|error| self.unfillable(&error)))
    }

    fn hash(
        &mut self,
        algorithm: HashAlgorithm,
        text: String,
    ) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        self.used = true;
        let hashed = self.keyring.fill_here(text.as_bytes());
        let hashed = hashed.map(|(text, _)| match algorithm {
            HashAlgorithm::Md5 => Md5::digest(&*text).to_vec(),
            HashAlgorithm::Sha256 => Sha256::digest(&*text).to_vec(),
            HashAlgorithm::Sha512256 => Sha512_256::digest(&*text).to_vec(),
        });
        Ok(hashed.map_err(|error| self.unfillable(&error)))
    }

    async fn reveal(
        &mut self,
        name: String,
        member: Option<String>,
    ) -> wasmtime::Result<Result<String, Error>> {
        self.used = true;
        if !self.names.reveal.contains(&name) {
            return Ok(Err(self.denied(&name, "reveal")));
        }
        let value = match self.find(&name, member.as_deref()) {
            Ok(secret) => Zeroizing::new(secret.value.expose().to_owned()),
            Err(error) => return Ok(Err(error)),
        };
        let reveal = Reveal {
            secret: name,
            member,
        };
        Ok(match self.record(reveal).await {
            Ok(()) => Ok(value.to_string()),
            Err(error) => Err(error),
        })
    }
}

impl Held {
    /// Sees to it that it is known what the call is given, before it is.
    async fn record(&mut self, reveal: Reveal) -> Result<(), Error> {
        if self.revealed.contains(&reveal) {
            return Ok(());
        }
        let request = format!("secret {}", reveal.secret);
        if self.revealed.len() == REVEALS_MAX {
            let reason =
                format!("the call was given {REVEALS_MAX} values of secrets, as many as may be");
            self.refuse(request, reason.clone());
            return Err(Error::Denied(reason));
        }
        if let Some(reveals) = &self.reveals
            && !reveals.record(reveal.clone()).await
        {
            let reason = "it could not be recorded: nobody waits for the call any more";
            self.refuse(request, reason.to_owned());
            return Err(Error::Denied(reason.to_owned()));
        }
        let name = &reveal.secret;
        let line = format!("the value of the secret `{name}` was given to the connector");
        self.journal.write(LogLevel::Warn, "host", &line);
        self.revealed.insert(reveal);
        Ok(())
    }

    fn find(&self, name: &str, member: Option<&str>) -> Result<&Secret, Error> {
        let of_name = || self.secrets.iter().filter(|secret| secret.name == name);
        let found = of_name().find(|secret| secret.member.as_deref() == member);
        found.ok_or_else(|| {
            let members: Vec<String> = of_name()
                .filter_map(|secret| secret.member.as_ref())
                .map(|member| format!("`{member}`"))
                .collect();
            Error::Missing(match (of_name().next(), member, members.is_empty()) {
                (None, _, _) => {
                    format!("there is no secret `{name}`: make it with `baton secret set {name}`")
                }
                (Some(_), Some(_), true) => {
                    format!("the secret `{name}` is a text, and has no members")
                }
                (Some(_), _, _) => format!(
                    "the members of the secret `{name}` are {}",
                    members.join(", ")
                ),
            })
        })
    }

    fn denied(&mut self, name: &str, list: &str) -> Error {
        let reason = format!("the grant does not have `{name}` among its `{list}`");
        self.refuse(format!("secret {name}"), reason.clone());
        Error::Denied(reason)
    }

    fn unfillable(&mut self, error: &Unfillable) -> Error {
        self.refuse("secrets".to_owned(), error.to_string());
        Error::Denied(error.to_string())
    }

    fn refuse(&mut self, request: String, reason: String) {
        self.refusals.note(Refusal {
            capability: Capability::Secrets,
            request,
            reason,
            rule: None,
        });
    }
}
