//! An expression language of simulated worlds. It knows one form of expression, `.name | .`, and may be out of reach.

use std::cell::Cell;

use baton_store::Digest;
use serde_json::Value;

use super::store::SILENCE;
use crate::outside::{Evaluator, Filter, Languages, SyntaxError};

thread_local! {
    /// Whether it is there, in the world that this thread plays.
    static IS_THERE: Cell<bool> = const { Cell::new(true) };
}

/// Says whether expressions can be evaluated from now on.
pub(crate) fn allow(is_there: bool) {
    IS_THERE.set(is_there);
}

/// Whether they can.
pub(crate) fn is_there() -> bool {
    IS_THERE.get()
}

/// The language. The versions that are ready to run are those of all worlds, and so are its instances.
pub(crate) struct Language;

/// An instance: the members that its expressions name, where they are of that form.
struct Instance(Vec<Option<String>>);

impl Languages for Language {
    fn evaluator(&self, _: &Digest) -> Result<Box<dyn Evaluator>, String> {
        Ok(Box::new(Instance(Vec::new())))
    }
}

impl Evaluator for Instance {
    fn compile(&mut self, source: &str, _: &[String]) -> Result<Filter, SyntaxError> {
        // All are compiled when they are published, also those that need no language.
        let name = source.trim().strip_prefix('.');
        let name = name.and_then(|it| it.strip_suffix(" | ."));
        self.0.push(name.map(str::to_owned));
        Ok(Filter(self.0.len() as u64 - 1))
    }

    fn evaluate(&mut self, filter: Filter, input: &Value, _: &[&Value]) -> Result<Value, String> {
        if !is_there() {
            return Err(SILENCE.to_owned());
        }
        let index = usize::try_from(filter.0).expect("it is small");
        let name = self.0[index].as_ref().expect("it is of that form");
        Ok(input.get(name).cloned().unwrap_or_default())
    }

    fn is_unavailable(&self) -> bool {
        !is_there()
    }
}
