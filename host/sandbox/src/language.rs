//! Expression languages: components that evaluate a workflow's expressions (`wit/expression`).

use std::sync::Arc;

use wasmtime::component::{ComponentExportIndex, InstancePre};

use crate::Sandbox;
use crate::evaluator::Evaluator;
use crate::inspect::{Description, Digest};
use crate::sandbox::LoadError;
use crate::state::State;

/// The interface that a language exports, and its functions as components name them.
const EVALUATOR: &str = "baton:expression/evaluator@1.0.0";
const COMPILE: &str = "[static]filter.compile";
const EVALUATE: &str = "[method]filter.evaluate";

/// A loaded expression language. Clones are the same language.
#[derive(Clone)]
pub struct Language(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) pre: InstancePre<State>,
    pub(crate) compile: ComponentExportIndex,
    pub(crate) evaluate: ComponentExportIndex,
    description: Description,
}

impl Language {
    pub(crate) fn new(
        sandbox: Arc<Sandbox>,
        description: Description,
        pre: InstancePre<State>,
    ) -> Result<Self, LoadError> {
        let missing = |name: &str| LoadError::NoLanguage(format!("it does not export `{name}`"));
        let component = pre.component();
        let interface = component
            .get_export_index(None, EVALUATOR)
            .ok_or_else(|| missing(EVALUATOR))?;
        let function = |name| {
            component
                .get_export_index(Some(&interface), name)
                .ok_or_else(|| missing(&format!("{EVALUATOR}#{name}")))
        };
        let (compile, evaluate) = (function(COMPILE)?, function(EVALUATE)?);
        Ok(Self(Arc::new(Inner {
            sandbox,
            pre,
            compile,
            evaluate,
            description,
        })))
    }

    /// The SHA-256 of the component's bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.description.digest
    }

    /// Makes an evaluator. Its instance is made when it is first used.
    #[must_use]
    pub fn evaluator(&self) -> Evaluator {
        Evaluator::new(self.clone())
    }
}

impl std::fmt::Debug for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Language")
            .field("digest", &self.digest())
            .finish_non_exhaustive()
    }
}
