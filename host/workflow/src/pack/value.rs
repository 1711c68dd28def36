//! JSON values. Not as text: a number has to be exactly the one that it was.

use serde_json::{Map, Number, Value};

use super::{Damaged, Pack, Packer, Unpacker};

/// What a value is.
mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const NATURAL: u8 = 3;
    pub(super) const NEGATIVE: u8 = 4;
    pub(super) const FLOAT: u8 = 5;
    pub(super) const TEXT: u8 = 6;
    pub(super) const ARRAY: u8 = 7;
    pub(super) const OBJECT: u8 = 8;
}

impl Pack for Value {
    fn pack(&self, out: &mut Packer) {
        match self {
            Self::Null => out.put(&tag::NULL),
            Self::Bool(false) => out.put(&tag::FALSE),
            Self::Bool(true) => out.put(&tag::TRUE),
            Self::Number(number) => pack_number(number, out),
            Self::String(text) => out.put(&(tag::TEXT, text)),
            Self::Array(items) => {
                out.put(&tag::ARRAY);
                items.pack(out);
            }
            Self::Object(members) => {
                out.put(&(tag::OBJECT, members.len()));
                for (key, value) in members {
                    out.put(key);
                    value.pack(out);
                }
            }
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
        Ok(match from.take()? {
            tag::NULL => Self::Null,
            tag::FALSE => Self::Bool(false),
            tag::TRUE => Self::Bool(true),
            tag::NATURAL => Self::from(from.take::<u64>()?),
            tag::NEGATIVE => Self::from(from.take::<i64>()?),
            tag::FLOAT => {
                let number = Number::from_f64(from.take()?);
                Self::Number(number.ok_or_else(|| Damaged("no number of JSON".to_owned()))?)
            }
            tag::TEXT => Self::String(from.take()?),
            tag::ARRAY => Self::Array(from.inside(Vec::unpack)?),
            tag::OBJECT => Self::Object(from.inside(members)?),
            other => return Err(Damaged(format!("no value is of kind {other}"))),
        })
    }
}

fn pack_number(number: &Number, out: &mut Packer) {
    match (number.as_u64(), number.as_i64()) {
        (Some(natural), _) => out.put(&(tag::NATURAL, natural)),
        (None, Some(negative)) => out.put(&(tag::NEGATIVE, negative)),
        (None, None) => out.put(&(tag::FLOAT, number.as_f64().unwrap_or_default())),
    }
}

fn members(from: &mut Unpacker<'_>) -> Result<Map<String, Value>, Damaged> {
    let count = usize::unpack(from)?;
    let member = |_| Ok((from.take()?, Value::unpack(from)?));
    (0..count).map(member).collect()
}
