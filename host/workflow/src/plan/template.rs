//! Templates: JSON with expressions in it.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::uri_template::UriTemplate;
use crate::data::Data;
use crate::expression::{Evaluate, Expression};

/// JSON with expressions in it, as far evaluated as it can be without data.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    /// No expression anywhere in it.
    Constant(Data),
    /// An expression.
    Expression(Arc<Expression>),
    /// A URI with variables in it, filled from the members of the input (dsl-reference, "URI Template").
    Uri(UriTemplate),
    Object(Vec<(String, Template)>),
    Array(Vec<Template>),
}

/// What the variables of an expression mean where it stands.
pub(crate) trait Scope {
    /// The value of `$name`; none where there is no such variable.
    fn variable(&self, name: &str) -> Option<Cow<'_, Value>>;
}

impl Template {
    /// Fills the template in.
    ///
    /// # Errors
    ///
    /// What the first expression that fails, in document order, says.
    pub(crate) fn evaluate(
        &self,
        input: &Data,
        scope: &dyn Scope,
        evaluator: &mut dyn Evaluate,
    ) -> Result<Data, String> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Expression(expression) if expression.is_identity() => Ok(input.clone()),
            _ => self.fill(input, scope, evaluator).map(Arc::new),
        }
    }

    fn fill(
        &self,
        input: &Data,
        scope: &dyn Scope,
        evaluator: &mut dyn Evaluate,
    ) -> Result<Value, String> {
        match self {
            Self::Constant(value) => Ok(Value::clone(value)),
            Self::Expression(expression) => evaluate(expression, input, scope, evaluator),
            Self::Uri(template) => template.expand(input).map(Value::String),
            Self::Object(members) => {
                let mut object = Map::with_capacity(members.len());
                for (key, member) in members {
                    object.insert(key.clone(), member.fill(input, scope, evaluator)?);
                }
                Ok(Value::Object(object))
            }
            Self::Array(items) => items
                .iter()
                .map(|item| item.fill(input, scope, evaluator))
                .collect(),
        }
    }
}

fn evaluate(
    expression: &Expression,
    input: &Value,
    scope: &dyn Scope,
    evaluator: &mut dyn Evaluate,
) -> Result<Value, String> {
    let lookup = |name: &str| scope.variable(name);
    if let Some(value) = expression.evaluate_native(input, &lookup) {
        return Ok(value);
    }
    // A variable that the plan thought to exist and the machine does not have is null: `$output` of a
    // task that has none yet.
    let values: Vec<Cow<'_, Value>> = expression
        .variables
        .iter()
        .map(|name| scope.variable(name).unwrap_or(Cow::Owned(Value::Null)))
        .collect();
    let values: Vec<&Value> = values.iter().map(AsRef::as_ref).collect();
    evaluator.evaluate(expression, input, &values)
}

/// Whether a condition holds: everything but `false` and `null`, as in jq.
pub(crate) fn truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}
