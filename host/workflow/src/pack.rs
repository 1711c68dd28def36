//! A run's state as bytes, and back.
//!
//! What is simple is written by [postcard](https://postcard.jamesmunns.com/wire-format); what this module adds is that a
//! value which is shared in memory is written once, and is shared again when it is read. Types say with [`packed!`],
//! beside themselves, what they are made of: one that has got another field and does not say so does not compile.
//!
//! Bytes that are read may be anything. Nothing of what they say makes this panic, go deeper than [`DEPTH_MAX`], or take
//! more memory than a small multiple of their number.

mod containers;
mod value;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::extent;

/// How deeply what is read may be nested: as values may, and a little more for what is around them.
const DEPTH_MAX: usize = extent::DEPTH_MAX + 28;

/// Something that can be written as bytes. Each takes at least one, so that no small text promises a large list.
pub(crate) trait Pack: Sized {
    /// Writes it.
    fn pack(&self, out: &mut Packer);

    /// Reads what [`Pack::pack`] has written.
    ///
    /// # Errors
    ///
    /// Where it has not written that.
    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged>;
}

/// Bytes are not what was written. It says what is wrong with them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Damaged(pub(crate) String);

/// What has been written so far.
#[derive(Default)]
pub(crate) struct Packer {
    bytes: Vec<u8>,
    /// The numbers of what is shared, by its address and its type: what is empty may have the same address.
    shared: HashMap<(usize, TypeId), u32>,
}

/// What is still to be read.
pub(crate) struct Unpacker<'a> {
    bytes: &'a [u8],
    /// What is shared, by number.
    shared: Vec<Arc<dyn Any + Send + Sync>>,
    depth: usize,
}

impl Packer {
    /// All that has been written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes something simple.
    pub(crate) fn put<T: Serialize + ?Sized>(&mut self, value: &T) {
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes = postcard::to_extend(value, bytes).expect("postcard refuses nothing simple");
    }

    /// The number of something shared that has been written already.
    pub(crate) fn known<T: Any + ?Sized>(&self, it: &Arc<T>) -> Option<u32> {
        self.shared.get(&identity(it)).copied()
    }

    /// Something shared has been written just now.
    pub(crate) fn remember<T: Any + ?Sized>(&mut self, it: &Arc<T>) {
        let number = u32::try_from(self.shared.len()).expect("what a run holds is bounded");
        self.shared.insert(identity(it), number);
    }
}

impl<'a> Unpacker<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            shared: Vec::new(),
            depth: DEPTH_MAX,
        }
    }

    /// Says that all has been read.
    ///
    /// # Errors
    ///
    /// Where it has not.
    pub(crate) fn finish(self) -> Result<(), Damaged> {
        match self.bytes.len() {
            0 => Ok(()),
            rest => Err(Damaged(format!("{rest} bytes too many"))),
        }
    }

    /// Reads something simple.
    pub(crate) fn take<T: Deserialize<'a>>(&mut self) -> Result<T, Damaged> {
        let (value, rest) =
            postcard::take_from_bytes(self.bytes).map_err(|error| Damaged(error.to_string()))?;
        self.bytes = rest;
        Ok(value)
    }

    /// Something shared that has been read already.
    pub(crate) fn shared<T: Any + Send + Sync>(&self, number: u32) -> Result<Arc<T>, Damaged> {
        let known = usize::try_from(number)
            .ok()
            .and_then(|it| self.shared.get(it));
        let it = known.and_then(|it| it.clone().downcast().ok());
        it.ok_or_else(|| Damaged(format!("nothing of that kind has the number {number}")))
    }

    /// Something shared has been read just now.
    pub(crate) fn remember<T: Any + Send + Sync>(&mut self, it: &Arc<T>) {
        self.shared.push(it.clone());
    }

    /// Reads what is one further in.
    pub(crate) fn inside<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Damaged>,
    ) -> Result<T, Damaged> {
        let outside = self.depth;
        let depth = outside.checked_sub(1);
        self.depth = depth.ok_or_else(|| Damaged(format!("nested more than {DEPTH_MAX} deep")))?;
        let read = read(self);
        self.depth = outside;
        read
    }
}

/// What tells something shared from all else, as long as it is there.
fn identity<T: Any + ?Sized>(it: &Arc<T>) -> (usize, TypeId) {
    (Arc::as_ptr(it).addr(), TypeId::of::<T>())
}

/// Makes postcard write a type as it is.
macro_rules! simple {
    ($($kind:ty)*) => {$(
        impl Pack for $kind {
            fn pack(&self, out: &mut Packer) {
                out.put(self);
            }

            fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
                from.take()
            }
        }
    )*};
}
simple!(bool u16 u32 u64 i64 usize String Duration);

/// Says what a type is made of: `packed!(struct Place { parent, slot })`, `packed!(struct TaskId(number))`,
/// `packed!(enum Stage { Before, After { next, outcome } })`.
macro_rules! packed {
    (struct $name:ident $(($($part:ident),*))? $({ $($field:ident),* $(,)? })?) => {
        impl $crate::pack::Pack for $name {
            fn pack(&self, out: &mut $crate::pack::Packer) {
                let Self $(($($part),*))? $({ $($field),* })? = self;
                $($($crate::pack::Pack::pack($part, out);)*)?
                $($($crate::pack::Pack::pack($field, out);)*)?
            }

            fn unpack(
                from: &mut $crate::pack::Unpacker<'_>,
            ) -> Result<Self, $crate::pack::Damaged> {
                $($(let $part = $crate::pack::Pack::unpack(from)?;)*)?
                $($(let $field = $crate::pack::Pack::unpack(from)?;)*)?
                Ok(Self $(($($part),*))? $({ $($field),* })?)
            }
        }
    };
    (enum $name:ident {
        $($variant:ident $(($($part:ident),*))? $({ $($field:ident),* $(,)? })?),* $(,)?
    }) => {
        impl $crate::pack::Pack for $name {
            fn pack(&self, out: &mut $crate::pack::Packer) {
                enum Tag { $($variant),* }
                match self {
                    $(Self::$variant $(($($part),*))? $({ $($field),* })? => {
                        out.put(&(Tag::$variant as u32));
                        $($($crate::pack::Pack::pack($part, out);)*)?
                        $($($crate::pack::Pack::pack($field, out);)*)?
                    })*
                }
            }

            fn unpack(
                from: &mut $crate::pack::Unpacker<'_>,
            ) -> Result<Self, $crate::pack::Damaged> {
                enum Tag { $($variant),* }
                let tag: u32 = from.take()?;
                $(if tag == Tag::$variant as u32 {
                    $($(let $part = $crate::pack::Pack::unpack(from)?;)*)?
                    $($(let $field = $crate::pack::Pack::unpack(from)?;)*)?
                    return Ok(Self::$variant $(($($part),*))? $({ $($field),* })?);
                })*
                let what = stringify!($name);
                Err($crate::pack::Damaged(format!("no {what} is of kind {tag}")))
            }
        }
    };
}
pub(crate) use packed;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::data::Data;

    fn packed(it: &impl Pack) -> Vec<u8> {
        let mut out = Packer::default();
        it.pack(&mut out);
        out.into_bytes()
    }

    fn unpacked<T: Pack>(bytes: &[u8]) -> Result<T, Damaged> {
        let mut from = Unpacker::new(bytes);
        let it = T::unpack(&mut from)?;
        from.finish().map(|()| it)
    }

    #[test]
    fn what_is_shared_is_shared_again() {
        let one = Data::new(json!({"a": [1, -1, 1.5, "x", null, true]}));
        let other = Data::new(Value::clone(&one));
        let all = vec![one.clone(), other, one];
        let read: Vec<Data> = unpacked(&packed(&all)).expect("what was written");
        assert_eq!(read, all);
        assert!(Arc::ptr_eq(&read[0], &read[2]) && !Arc::ptr_eq(&read[0], &read[1]));
        let names: (Arc<str>, Data) = ("a".into(), Data::default());
        let twice = vec![names.clone(), names];
        assert_eq!(unpacked(&packed(&twice)), Ok(twice));
    }

    #[test]
    fn bytes_that_promise_much_are_refused() {
        let many = packed(&u64::MAX);
        assert!(unpacked::<Vec<bool>>(&many).is_err());
        assert!(unpacked::<String>(&many).is_err());
        assert!(unpacked::<Value>(&[&[7], &many[..]].concat()).is_err());
        // An array of an array of an array …
        let deep = [7, 1].repeat(100_000);
        let error = unpacked::<Value>(&deep).expect_err("too deep");
        assert_eq!(error.to_string(), "nested more than 128 deep");
    }

    #[test]
    fn what_is_shared_is_of_one_kind() {
        // The first is a text, which the second, a value, says to be.
        let wrong = [&packed(&Arc::<str>::from("a"))[..], &[1, 0]].concat();
        assert!(unpacked::<(Arc<str>, Data)>(&wrong).is_err());
        assert!(unpacked::<Data>(&[1, 0]).is_err(), "nothing was before");
        assert!(unpacked::<bool>(&[1, 1]).is_err(), "too much");
    }
}
