//! `set`: data (dsl-reference, "Set").

use serde_json::Value;

use super::Located;
use super::read::Object;
use crate::diagnostic::code;

/// A `set` task.
#[derive(Debug, Clone)]
pub struct Set {
    /// `set`: the data, a mapping that is not empty or an expression, with expressions anywhere inside.
    pub value: Located<Value>,
}

impl Set {
    pub(super) fn read(object: &mut Object<'_, '_, '_>) -> Option<Self> {
        let field = object.get("set")?;
        let value: Located<Value> = object.required("set")?;
        match &value.value {
            Value::Object(map) if map.is_empty() => {
                object.reader().error(
                    code::BAD_VALUE,
                    &field.location(),
                    "`set` has nothing to set",
                    None,
                );
                None
            }
            Value::Object(_) | Value::String(_) => Some(Self { value }),
            _ => {
                object
                    .reader()
                    .wrong_type(&field, "a mapping or an expression", None);
                None
            }
        }
    }
}
