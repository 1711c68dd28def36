//! `wasi:config`: the connector's settings, as the tenant has given them with the grant.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::component::{HasData, Linker};

use super::{Moments, Preparation};
use crate::bindings::wasi::config::store;
use crate::state::State;
use crate::{GrantError, GrantSpec};

/// The capability.
pub(crate) struct Config;

/// The settings of a call.
pub(crate) struct Settings {
    settings: Arc<BTreeMap<String, String>>,
    used: bool,
}

impl Settings {
    /// Whether the call has looked. The settings may be others at its next attempt.
    pub(crate) fn is_used(&self) -> bool {
        self.used
    }
}

impl Moments for Config {
    const INTERFACES: &'static [&'static str] = &["wasi:config/store"];
    type Granted = Arc<BTreeMap<String, String>>;
    type Prepared = Settings;

    fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
        store::add_to_linker::<State, Self>(linker, |state| &mut state.capabilities.config)
    }

    fn configure(spec: &GrantSpec) -> Result<Self::Granted, GrantError> {
        Ok(Arc::new(spec.config.clone()))
    }

    fn prepare(granted: &Self::Granted, _: &Preparation<'_>) -> Settings {
        Settings {
            settings: Arc::clone(granted),
            used: false,
        }
    }
}

impl HasData for Config {
    type Data<'a> = &'a mut Settings;
}

impl store::Host for Settings {
    fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, store::Error>> {
        self.used = true;
        Ok(Ok(self.settings.get(&key).cloned()))
    }

    fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, store::Error>> {
        self.used = true;
        Ok(Ok(self
            .settings
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()))
    }
}
