//! The types of functions, and JSON values as values of these types and back.
//!
//! | WIT | JSON |
//! |---|---|
//! | `bool` | `true`, `false` |
//! | `s8` … `u64` | an integer, without loss |
//! | `f32`, `f64` | a number, or `"NaN"`, `"Infinity"`, `"-Infinity"` (as in the JSON mapping of Protocol Buffers) |
//! | `char` | a string of one character |
//! | `string` | a string |
//! | `json` (an alias of `string`) | any value |
//! | `list<u8>` | a string, base64 (RFC 4648, section 4) |
//! | `list<T>` | an array |
//! | `option<T>` | the value, or `null`; as a field or parameter it may be absent |
//! | `option<option<T>>` | `null`, or `{"some": …}` around the inner option |
//! | `tuple<…>` | an array |
//! | record | an object |
//! | variant | `{"case": payload}`, or `"case"` where it has no payload |
//! | enum | a string |
//! | flags | an array of strings |
//! | `result<T, E>` within a value | `{"ok": …}` or `{"err": …}`; `"ok"`, `"err"` where there is no payload |
//!
//! Names stay as the WIT has them, in kebab-case. An `option<json>` that is `null` is absent: JSON's own
//! null inside it cannot be told apart.

mod from_val;
mod path;
mod read;
mod schema;
mod to_val;

use std::sync::Arc;

pub(crate) use from_val::{LiftError, Room};
pub use path::Mismatch;
pub(crate) use path::nearest;
pub(crate) use read::{Reader, docs};

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// An integer type.
    Integer(Integer),
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `char`
    Char,
    /// `string`
    String,
    /// A `string` under the alias `json`: any JSON value.
    Json,
    /// `list<u8>`
    Bytes,
    /// `list<T>`
    List(Arc<Type>),
    /// `option<T>`
    Option(Arc<Type>),
    /// `tuple<…>`
    Tuple(Arc<[Type]>),
    /// A record.
    Record(Arc<Record>),
    /// A variant.
    Variant(Arc<Variant>),
    /// An enum.
    Enum(Arc<Names>),
    /// Flags.
    Flags(Arc<Names>),
    /// `result<T, E>`, each side with or without a payload.
    Result(Arc<ResultType>),
}

/// An integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integer {
    /// `s8`
    S8,
    /// `s16`
    S16,
    /// `s32`
    S32,
    /// `s64`
    S64,
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`
    U64,
}

/// A record type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The name it was declared under.
    pub name: String,
    /// The interface it was declared in, without a version: `baton:connector/types`.
    pub interface: Option<String>,
    /// What its author says about it.
    pub docs: Option<String>,
    /// Its fields in order.
    pub fields: Vec<Field>,
}

/// A field of a record, or a parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name, in kebab-case.
    pub name: String,
    /// What its author says about it.
    pub docs: Option<String>,
    /// Its type. An option may be absent.
    pub ty: Type,
}

/// A variant type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The name it was declared under.
    pub name: String,
    /// What its author says about it.
    pub docs: Option<String>,
    /// Its cases in order.
    pub cases: Vec<Case>,
}

/// A case of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The name, in kebab-case.
    pub name: String,
    /// What its author says about it.
    pub docs: Option<String>,
    /// The payload's type, where it has one.
    pub ty: Option<Type>,
}

/// The names of an enum's cases or of flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The name it was declared under.
    pub name: String,
    /// What its author says about it.
    pub docs: Option<String>,
    /// The names in order.
    pub names: Vec<String>,
}

/// A result type within a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultType {
    /// The payload of success.
    pub ok: Option<Type>,
    /// The payload of failure.
    pub err: Option<Type>,
}

/// What a function takes and gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The parameters in order.
    pub parameters: Vec<Field>,
    /// What it returns; of a `result`, the success. `None` where there is nothing.
    pub result: Option<Type>,
    /// How it fails.
    pub error: ErrorType,
}

/// How a function fails, besides by trapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorType {
    /// It returns no `result`.
    Never,
    /// It returns a `result` whose error has no payload.
    Empty,
    /// Its error is `baton:connector/types.failure`.
    Failure(Type),
    /// Its error is any other type.
    Other(Type),
}

impl Type {
    /// Whether an option of this type must be wrapped, since `null` is one of its own values.
    fn has_null(&self) -> bool {
        matches!(self, Self::Option(_))
    }

    /// How an error message names a value of this type.
    fn expected(&self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Integer(_) => "an integer",
            Self::F32 | Self::F64 => "a number",
            Self::Char => "a string of one character",
            Self::String | Self::Enum(_) => "a string",
            Self::Json => "any value",
            Self::Bytes => "a string in base64",
            Self::List(_) | Self::Tuple(_) | Self::Flags(_) => "an array",
            Self::Record(_) => "an object",
            Self::Variant(_) | Self::Result(_) => {
                "an object with the name of a case as its only key, or that name"
            }
            Self::Option(inner) => inner.expected(),
        }
    }
}

impl Integer {
    /// The lowest value.
    #[must_use]
    pub const fn low(self) -> i64 {
        match self {
            Self::S8 => i8::MIN as i64,
            Self::S16 => i16::MIN as i64,
            Self::S32 => i32::MIN as i64,
            Self::S64 => i64::MIN,
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => 0,
        }
    }

    /// The highest value.
    #[must_use]
    pub const fn high(self) -> u64 {
        match self {
            Self::S8 => i8::MAX as u64,
            Self::S16 => i16::MAX as u64,
            Self::S32 => i32::MAX as u64,
            Self::S64 => i64::MAX as u64,
            Self::U8 => u8::MAX as u64,
            Self::U16 => u16::MAX as u64,
            Self::U32 => u32::MAX as u64,
            Self::U64 => u64::MAX,
        }
    }
}
