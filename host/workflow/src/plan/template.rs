//! Templates: JSON with expressions in it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::duration::DurationTemplate;
use super::uri_template::UriTemplate;
use crate::data::Data;
use crate::expression::{Evaluate, Expression, Variables};
use crate::extent::Room;

/// JSON with expressions in it, as far evaluated as it can be without data.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    /// No expression anywhere in it.
    Constant(Data),
    /// An expression.
    Expression(Arc<Expression>),
    /// A text that stands for itself where it can't be evaluated as an expression.
    Loose {
        expression: Arc<Expression>,
        text: Box<str>,
    },
    /// A URI with variables in it, filled from the members of the input (dsl-reference, "URI Template").
    Uri(UriTemplate),
    /// A duration, given in whole milliseconds.
    Milliseconds(Box<DurationTemplate>),
    Object(Vec<(String, Template)>),
    Array(Vec<Template>),
}

/// What a template is filled in with.
pub(crate) struct Filling<'a> {
    pub(crate) scope: &'a dyn Variables,
    pub(crate) evaluator: &'a mut dyn Evaluate,
    /// What the value may still take.
    pub(crate) room: Room,
}

impl Template {
    /// Fills the template in.
    ///
    /// # Errors
    ///
    /// What the first expression that fails, in document order, says; or that the value becomes larger
    /// than a value may be.
    pub(crate) fn evaluate(&self, input: &Data, filling: &mut Filling<'_>) -> Result<Data, String> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Expression(expression) if expression.is_identity() => Ok(input.clone()),
            _ => self.fill(input, filling).map(Arc::new),
        }
    }

    /// The member of that name, as far as that can be seen before the template is filled in.
    pub(crate) fn member(&self, name: &str) -> Option<Self> {
        match self {
            Self::Constant(value) => {
                let member = value.get(name)?.clone();
                Some(Self::Constant(Arc::new(member)))
            }
            Self::Object(members) => {
                let (_, member) = members.iter().find(|(key, _)| key == name)?;
                Some(member.clone())
            }
            _ => None,
        }
    }

    /// The path of members to what it is filled in with, where it is nothing but a path into the input.
    pub(crate) fn path_in_input(&self) -> Option<Vec<String>> {
        match self {
            Self::Expression(expression) => expression.path_in_input(),
            _ => None,
        }
    }

    fn fill(&self, input: &Data, filling: &mut Filling<'_>) -> Result<Value, String> {
        match self {
            Self::Constant(value) => {
                filling.room.take(value)?;
                Ok(Value::clone(value))
            }
            Self::Expression(expression) => filling.evaluate(expression, input),
            Self::Loose { expression, text } => {
                let room = filling.room.clone();
                filling.evaluate(expression, input).or_else(|_| {
                    filling.room = room;
                    let text = Value::String(text.clone().into());
                    filling.room.take(&text)?;
                    Ok(text)
                })
            }
            Self::Uri(template) => {
                let uri = Value::String(template.expand(input)?);
                filling.room.take(&uri)?;
                Ok(uri)
            }
            Self::Milliseconds(duration) => {
                let duration = duration.evaluate(input, filling)?;
                Ok(u64::try_from(duration.as_millis())
                    .unwrap_or(u64::MAX)
                    .into())
            }
            Self::Object(members) => filling.deeper(|filling| {
                let mut object = Map::with_capacity(members.len());
                for (key, member) in members {
                    filling.room.take_bytes(key.len())?;
                    object.insert(key.clone(), member.fill(input, filling)?);
                }
                Ok(Value::Object(object))
            }),
            Self::Array(items) => filling
                .deeper(|filling| items.iter().map(|item| item.fill(input, filling)).collect()),
        }
    }
}

impl Filling<'_> {
    fn deeper<T>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.room.descend()?;
        let made = inside(self);
        self.room.ascend();
        made
    }

    fn evaluate(&mut self, expression: &Expression, input: &Value) -> Result<Value, String> {
        let scope = self.scope;
        if let Some(value) = expression.evaluate_native(input, scope) {
            // Whether it fits is seen before it is copied.
            self.room.take(&value)?;
            return Ok(value.into_owned());
        }
        // A variable that the plan thought to exist and the machine does not have is null: `$output` of a
        // task that has none yet.
        let variable = |name: &String| scope.variable(name).unwrap_or(&Value::Null);
        let values: Vec<&Value> = expression.variables.iter().map(variable).collect();
        let value = self.evaluator.evaluate(expression, input, &values)?;
        self.room.take(&value)?;
        Ok(value)
    }
}

/// Whether a condition holds: everything but `false` and `null`, as in jq.
pub(crate) fn truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}
