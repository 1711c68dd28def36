//! Runtime expressions: what they look like, and who evaluates them.
//!
//! The commonest shapes (constants, `.a.b[0]`, `$input.x`, strings with such parts) are evaluated right
//! here, by a small evaluator that can't loop. All else goes to the [`Evaluate`] that the caller gives
//! along: an expression language in a WebAssembly component. Where the small evaluator would have to say
//! no (a member of a number, a float in a string), it leaves the answer to the component as well, so that
//! there is one opinion on every error.

mod native;
mod source;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

pub(crate) use source::{embedded, enclosed, variables_in};

use native::Native;

/// Who evaluates the expressions that are more than a path.
///
/// An implementation must be deterministic: the same expression on the same input and variables gives
/// the same result, for ever. A run that is replayed after a crash relies on it.
pub trait Evaluate {
    /// Evaluates `expression` on `input`, with a value for each of its variables, in their order.
    ///
    /// # Errors
    ///
    /// A message that says what went wrong, in a form that fits behind "error: ".
    fn evaluate(
        &mut self,
        expression: &Expression,
        input: &Value,
        variables: &[&Value],
    ) -> Result<Value, String>;
}

/// The variables that exist where an expression stands.
pub trait Variables {
    /// The value of `$name`; none where there is no such variable.
    fn variable(&self, name: &str) -> Option<&Value>;

    /// The member `member` of `$name`, `null` where it has no such member. Only of a variable whose value is put together
    /// when it is asked for, and so costs more than one of its members; none else, which is the default.
    fn member(&self, name: &str, member: &str) -> Option<Cow<'_, Value>> {
        let _ = (name, member);
        None
    }
}

/// Some variables by name.
impl<const N: usize> Variables for [(&str, &Value); N] {
    fn variable(&self, name: &str) -> Option<&Value> {
        self.iter()
            .find_map(|(other, value)| (*other == name).then_some(*value))
    }
}

/// An expression of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// Its number within the plan, from 0: what an evaluator keeps the compiled form under.
    pub id: u32,
    /// The source text, without `${ }`.
    pub source: String,
    /// The names, without `$`, of the variables that it uses and that exist where it stands.
    pub variables: Vec<String>,
    /// Where it stands in the document, as a JSON pointer.
    pub pointer: String,
    /// Whether it is a text that need not be an expression (`evaluate.mode: loose`): where it can't be
    /// evaluated, it stands for itself.
    pub is_loose: bool,
    /// The URI of the document that it stands in, where that is not the workflow's own; then `pointer` is to what
    /// brought that document in.
    pub elsewhere: Option<Arc<str>>,
    native: Option<Native>,
}

impl Expression {
    /// An expression with number `id`, at `pointer`, of which `available` are the variables that exist
    /// there.
    pub fn new(id: u32, source: &str, pointer: &str, available: &[String]) -> Self {
        let used = variables_in(source);
        Self {
            id,
            source: source.to_owned(),
            variables: available
                .iter()
                .filter(|name| used.contains(&name.as_str()))
                .cloned()
                .collect(),
            pointer: pointer.to_owned(),
            is_loose: false,
            elsewhere: None,
            native: Native::parse(source, available),
        }
    }

    /// Whether it is `.`, whose result is its input.
    pub fn is_identity(&self) -> bool {
        self.native.as_ref().is_some_and(Native::is_identity)
    }

    /// The path of members into the input, where it is nothing else.
    pub(crate) fn path_in_input(&self) -> Option<Vec<String>> {
        self.native.as_ref()?.path_in_input()
    }

    /// Evaluates it without an expression language; none where that can't be done.
    pub fn evaluate_native<'a>(
        &self,
        input: &'a Value,
        variables: &'a dyn Variables,
    ) -> Option<Cow<'a, Value>> {
        self.native.as_ref()?.evaluate(input, variables)
    }
}
