//! Component values to JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};
use wasmtime::component::Val;

use super::{ResultType, Type};

/// Why a value has no JSON.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LiftError {
    /// It is larger than there is room.
    #[error("the result is larger than the limit")]
    TooLarge,
    /// A text under the alias `json` is none.
    #[error("where the signature says `json`, the text is not JSON: {0}")]
    NotJson(serde_json::Error),
    /// The value is not of the type that the component declares; wasmtime checks that, so that this is a
    /// defect of the host.
    #[error("the value is not of its declared type")]
    Unexpected,
}

/// How many bytes of JSON may still come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room(pub(crate) usize);

impl Room {
    fn take(&mut self, bytes: usize) -> Result<(), LiftError> {
        self.0 = self.0.checked_sub(bytes).ok_or(LiftError::TooLarge)?;
        Ok(())
    }
}

impl Type {
    /// Turns a value of this type into JSON, of at most about as many bytes as there is room.
    pub(crate) fn lift(&self, val: &Val, room: &mut Room) -> Result<Value, LiftError> {
        // Every value takes at least a byte of text; this also bounds lists of empty things.
        room.take(1)?;
        match (self, val) {
            (Self::Bool, Val::Bool(value)) => Ok(Value::Bool(*value)),
            (Self::Integer(_), val) => integer(val).map(Value::Number).ok_or(LiftError::Unexpected),
            (Self::F32, Val::Float32(value)) => Ok(float(shortest(*value))),
            (Self::F64, Val::Float64(value)) => Ok(float(*value)),
            (Self::Char, Val::Char(value)) => Ok(Value::String(value.to_string())),
            (Self::String, Val::String(text)) => {
                room.take(text.len())?;
                Ok(Value::String(text.clone()))
            }
            (Self::Json, Val::String(text)) => {
                room.take(text.len())?;
                serde_json::from_str(text).map_err(LiftError::NotJson)
            }
            (Self::Bytes, Val::List(items)) => bytes(items, room),
            (Self::List(item), Val::List(items)) => {
                let items = items.iter().map(|val| item.lift(val, room));
                items.collect::<Result<_, _>>().map(Value::Array)
            }
            (Self::Option(_), Val::Option(None)) => Ok(Value::Null),
            (Self::Option(inner), Val::Option(Some(val))) => {
                let value = inner.lift(val, room)?;
                Ok(if inner.has_null() {
                    single("some", value)
                } else {
                    value
                })
            }
            (Self::Tuple(types), Val::Tuple(items)) if types.len() == items.len() => {
                let items = types.iter().zip(items).map(|(ty, val)| ty.lift(val, room));
                items.collect::<Result<_, _>>().map(Value::Array)
            }
            (Self::Record(record), Val::Record(fields)) if record.fields.len() == fields.len() => {
                let mut object = Map::new();
                for (field, (_, val)) in record.fields.iter().zip(fields) {
                    // An option that is none is an absent field, as it may be on the way in.
                    if matches!(val, Val::Option(None)) {
                        continue;
                    }
                    room.take(field.name.len())?;
                    object.insert(field.name.clone(), field.ty.lift(val, room)?);
                }
                Ok(Value::Object(object))
            }
            (Self::Variant(variant), Val::Variant(name, payload)) => {
                let case = variant
                    .cases
                    .iter()
                    .find(|case| case.name == *name)
                    .ok_or(LiftError::Unexpected)?;
                case_value(name, case.ty.as_ref(), payload.as_deref(), room)
            }
            (Self::Result(result), Val::Result(value)) => lift_result(result, value, room),
            (Self::Enum(_), Val::Enum(name)) => {
                room.take(name.len())?;
                Ok(Value::String(name.clone()))
            }
            (Self::Flags(_), Val::Flags(names)) => {
                room.take(names.iter().map(String::len).sum())?;
                Ok(Value::Array(
                    names.iter().cloned().map(Value::String).collect(),
                ))
            }
            _ => Err(LiftError::Unexpected),
        }
    }
}

fn integer(val: &Val) -> Option<Number> {
    Some(match val {
        Val::S8(value) => (*value).into(),
        Val::S16(value) => (*value).into(),
        Val::S32(value) => (*value).into(),
        Val::S64(value) => (*value).into(),
        Val::U8(value) => (*value).into(),
        Val::U16(value) => (*value).into(),
        Val::U32(value) => (*value).into(),
        Val::U64(value) => (*value).into(),
        _ => return None,
    })
}

fn float(value: f64) -> Value {
    Number::from_f64(value).map_or_else(
        || Value::String(not_finite(value).to_owned()),
        Value::Number,
    )
}

/// The double with the shortest decimal text that is still this number: `0.1`, not `0.10000000149011612`.
fn shortest(value: f32) -> f64 {
    value
        .to_string()
        .parse()
        .unwrap_or_else(|_| f64::from(value))
}

fn not_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

fn bytes(items: &[Val], room: &mut Room) -> Result<Value, LiftError> {
    let bytes = items.iter().map(|item| match item {
        Val::U8(byte) => Ok(*byte),
        _ => Err(LiftError::Unexpected),
    });
    room.take(items.len().div_ceil(3) * 4)?;
    Ok(Value::String(
        STANDARD.encode(bytes.collect::<Result<Vec<u8>, _>>()?),
    ))
}

fn lift_result(
    result: &ResultType,
    value: &Result<Option<Box<Val>>, Option<Box<Val>>>,
    room: &mut Room,
) -> Result<Value, LiftError> {
    match value {
        Ok(payload) => case_value("ok", result.ok.as_ref(), payload.as_deref(), room),
        Err(payload) => case_value("err", result.err.as_ref(), payload.as_deref(), room),
    }
}

fn case_value(
    name: &str,
    ty: Option<&Type>,
    payload: Option<&Val>,
    room: &mut Room,
) -> Result<Value, LiftError> {
    room.take(name.len())?;
    match (ty, payload) {
        (None, None) => Ok(Value::String(name.to_owned())),
        (Some(ty), Some(val)) => Ok(single(name, ty.lift(val, room)?)),
        _ => Err(LiftError::Unexpected),
    }
}

fn single(key: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}
