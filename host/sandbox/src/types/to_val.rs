//! JSON to component values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use wasmtime::component::Val;

use super::path::{Path, listed, nearest};
use super::{Field, Integer, Mismatch, Names, Signature, Type};

/// The largest integer up to which a double holds every integer.
const DOUBLE_INTEGER_MAX: f64 = 9_007_199_254_740_992.0;

impl Signature {
    /// Turns a JSON object of named arguments into the function's parameters. `null` is taken for no
    /// arguments.
    pub(crate) fn arguments(&self, arguments: &Value) -> Result<Vec<Val>, Mismatch> {
        let path = Path::ROOT;
        match arguments {
            Value::Object(object) => {
                let values = fields(&self.parameters, object, &path, "argument")?;
                Ok(values.into_iter().map(|(_, value)| value).collect())
            }
            Value::Null => {
                let values = fields(&self.parameters, &Map::new(), &path, "argument")?;
                Ok(values.into_iter().map(|(_, value)| value).collect())
            }
            other => Err(path.mismatch(format!(
                "expected an object of arguments, found {}",
                found(other)
            ))),
        }
    }
}

impl Type {
    /// Turns a JSON value into a value of this type.
    pub(crate) fn lower(&self, value: &Value, path: &Path<'_>) -> Result<Val, Mismatch> {
        let mismatch = || self.mismatch(value, path);
        match self {
            Self::Bool => value.as_bool().map(Val::Bool).ok_or_else(mismatch),
            Self::Integer(integer) => integer.lower(value, path),
            Self::F32 => f32(value, path),
            Self::F64 => float(value).map(Val::Float64).ok_or_else(mismatch),
            Self::Char => value
                .as_str()
                .and_then(single)
                .map(Val::Char)
                .ok_or_else(mismatch),
            Self::String => value
                .as_str()
                .map(|text| Val::String(text.to_owned()))
                .ok_or_else(mismatch),
            Self::Json => Ok(Val::String(value.to_string())),
            Self::Bytes => bytes(value.as_str().ok_or_else(mismatch)?, path),
            Self::List(item) => {
                let array = value.as_array().ok_or_else(mismatch)?;
                let items = array
                    .iter()
                    .enumerate()
                    .map(|(index, value)| item.lower(value, &path.index(index)));
                items.collect::<Result<_, _>>().map(Val::List)
            }
            Self::Option(inner) => option(inner, value, path),
            Self::Tuple(types) => {
                let array = value.as_array().ok_or_else(mismatch)?;
                if array.len() != types.len() {
                    let (expected, found) = (types.len(), array.len());
                    return Err(path.mismatch(format!(
                        "expected an array of {expected} values, found {found}"
                    )));
                }
                let items = types.iter().zip(array).enumerate();
                let items = items.map(|(index, (ty, value))| ty.lower(value, &path.index(index)));
                items.collect::<Result<_, _>>().map(Val::Tuple)
            }
            Self::Record(record) => {
                let object = value.as_object().ok_or_else(mismatch)?;
                fields(&record.fields, object, path, "field").map(Val::Record)
            }
            Self::Variant(variant) => {
                let (name, payload) = case(value).ok_or_else(mismatch)?;
                let case = variant
                    .cases
                    .iter()
                    .find(|case| case.name == name)
                    .ok_or_else(|| {
                        unknown(
                            "case",
                            name,
                            variant.cases.iter().map(|case| case.name.as_str()),
                            path,
                        )
                    })?;
                let payload = lower_payload(case.ty.as_ref(), name, payload, path)?;
                Ok(Val::Variant(name.to_owned(), payload))
            }
            Self::Result(result) => {
                let (name, payload) = case(value).ok_or_else(mismatch)?;
                match name {
                    "ok" => Ok(Val::Result(Ok(lower_payload(
                        result.ok.as_ref(),
                        name,
                        payload,
                        path,
                    )?))),
                    "err" => Ok(Val::Result(Err(lower_payload(
                        result.err.as_ref(),
                        name,
                        payload,
                        path,
                    )?))),
                    _ => Err(unknown("case", name, ["ok", "err"], path)),
                }
            }
            Self::Enum(names) => {
                let name = value.as_str().ok_or_else(mismatch)?;
                known("case", names, name, path).map(Val::Enum)
            }
            Self::Flags(names) => {
                let array = value.as_array().ok_or_else(mismatch)?;
                flags(names, array, path)
            }
        }
    }

    fn mismatch(&self, value: &Value, path: &Path<'_>) -> Mismatch {
        path.mismatch(format!(
            "expected {}, found {}",
            self.expected(),
            found(value)
        ))
    }
}

impl Integer {
    fn lower(self, value: &Value, path: &Path<'_>) -> Result<Val, Mismatch> {
        let Value::Number(number) = value else {
            return Err(path.mismatch(format!("expected an integer, found {}", found(value))));
        };
        let integer = number
            .as_i64()
            .map(i128::from)
            .or_else(|| number.as_u64().map(i128::from))
            .or_else(|| number.as_f64().and_then(whole));
        integer
            .and_then(|integer| self.val(integer))
            .ok_or_else(|| {
                path.mismatch(format!(
                    "expected an integer from {} to {}, found {number}",
                    self.low(),
                    self.high()
                ))
            })
    }

    fn val(self, integer: i128) -> Option<Val> {
        Some(match self {
            Self::S8 => Val::S8(integer.try_into().ok()?),
            Self::S16 => Val::S16(integer.try_into().ok()?),
            Self::S32 => Val::S32(integer.try_into().ok()?),
            Self::S64 => Val::S64(integer.try_into().ok()?),
            Self::U8 => Val::U8(integer.try_into().ok()?),
            Self::U16 => Val::U16(integer.try_into().ok()?),
            Self::U32 => Val::U32(integer.try_into().ok()?),
            Self::U64 => Val::U64(integer.try_into().ok()?),
        })
    }
}

/// A number such as `3.0` counts as an integer (JSON Schema 2020-12, validation, section 6.1.1), as long as
/// a double holds it exactly.
fn whole(number: f64) -> Option<i128> {
    (number.fract() == 0.0 && number.abs() <= DOUBLE_INTEGER_MAX).then_some(number as i128)
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn f32(value: &Value, path: &Path<'_>) -> Result<Val, Mismatch> {
    let wide = float(value).ok_or_else(|| Type::F32.mismatch(value, path))?;
    let narrow = wide as f32;
    if wide.is_finite() && !narrow.is_finite() {
        return Err(path.mismatch(format!("{wide} is beyond the range of a 32-bit number")));
    }
    Ok(Val::Float32(narrow))
}

fn single(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

fn bytes(text: &str, path: &Path<'_>) -> Result<Val, Mismatch> {
    let bytes = STANDARD.decode(text).map_err(|error| {
        path.mismatch(format!("expected base64 (RFC 4648, with padding): {error}"))
    })?;
    Ok(Val::List(bytes.into_iter().map(Val::U8).collect()))
}

fn option(inner: &Type, value: &Value, path: &Path<'_>) -> Result<Val, Mismatch> {
    if value.is_null() {
        return Ok(Val::Option(None));
    }
    let inner_val = if inner.has_null() {
        let wrapped = value
            .as_object()
            .filter(|object| object.len() == 1)
            .and_then(|object| object.get("some"));
        let wrapped = wrapped.ok_or_else(|| {
            let found = found(value);
            path.mismatch(format!(
                "expected null, or {{\"some\": …}} around the inner option, found {found}"
            ))
        })?;
        inner.lower(wrapped, &path.key("some"))?
    } else {
        inner.lower(value, path)?
    };
    Ok(Val::Option(Some(Box::new(inner_val))))
}

fn fields(
    fields: &[Field],
    object: &Map<String, Value>,
    path: &Path<'_>,
    noun: &str,
) -> Result<Vec<(String, Val)>, Mismatch> {
    if let Some(name) = object
        .keys()
        .find(|name| !fields.iter().any(|field| field.name == **name))
    {
        return Err(unknown(
            noun,
            name,
            fields.iter().map(|field| field.name.as_str()),
            path,
        ));
    }
    let value = |field: &Field| match (object.get(&field.name), &field.ty) {
        (Some(value), ty) => ty.lower(value, &path.key(&field.name)),
        (None, Type::Option(_)) => Ok(Val::Option(None)),
        (None, ty) => Err(path.mismatch(format!(
            "missing {noun} `{}`: {}",
            field.name,
            ty.expected()
        ))),
    };
    fields
        .iter()
        .map(|field| Ok((field.name.clone(), value(field)?)))
        .collect()
}

/// The name and the payload of a variant's value.
fn case(value: &Value) -> Option<(&str, Option<&Value>)> {
    match value {
        Value::String(name) => Some((name, None)),
        Value::Object(object) if object.len() == 1 => object
            .iter()
            .next()
            .map(|(name, payload)| (name.as_str(), Some(payload))),
        _ => None,
    }
}

fn lower_payload(
    ty: Option<&Type>,
    name: &str,
    payload: Option<&Value>,
    path: &Path<'_>,
) -> Result<Option<Box<Val>>, Mismatch> {
    match (ty, payload) {
        (None, None) => Ok(None),
        (Some(ty), Some(payload)) => Ok(Some(Box::new(ty.lower(payload, &path.key(name))?))),
        (None, Some(_)) => Err(path.mismatch(format!(
            "case `{name}` has no payload: write just \"{name}\""
        ))),
        (Some(ty), None) => {
            let expected = ty.expected();
            Err(path.mismatch(format!(
                "case `{name}` has a payload: write {{\"{name}\": …}} with {expected}"
            )))
        }
    }
}

fn flags(names: &Names, array: &[Value], path: &Path<'_>) -> Result<Val, Mismatch> {
    let mut set = Vec::with_capacity(array.len());
    for (index, value) in array.iter().enumerate() {
        let path = path.index(index);
        let name = value
            .as_str()
            .ok_or_else(|| Type::String.mismatch(value, &path))?;
        let name = known("flag", names, name, &path)?;
        if set.contains(&name) {
            return Err(path.mismatch(format!("flag `{name}` is there twice")));
        }
        set.push(name);
    }
    Ok(Val::Flags(set))
}

fn known(noun: &str, names: &Names, name: &str, path: &Path<'_>) -> Result<String, Mismatch> {
    if names.names.iter().any(|known| known == name) {
        return Ok(name.to_owned());
    }
    Err(unknown(
        noun,
        name,
        names.names.iter().map(String::as_str),
        path,
    ))
}

fn unknown<'a>(
    noun: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
    path: &Path<'_>,
) -> Mismatch {
    let known: Vec<&str> = known.into_iter().collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there is none".to_owned(),
        None => format!("known are {}", listed(known.iter().copied())),
    };
    path.mismatch(format!("unknown {noun} `{name}`: {help}"))
}

/// How an error message names a JSON value.
fn found(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(text) if text.is_empty() => "an empty string".to_owned(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
