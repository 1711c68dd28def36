//! Lists, maps and what may not be there; and what is shared, which is written where it comes first.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::{Damaged, Pack, Packer, Unpacker};

/// Writes a number of things, one behind the other.
fn pack_all<'a, T: Pack + 'a>(items: impl ExactSizeIterator<Item = &'a T>, out: &mut Packer) {
    items.len().pack(out);
    items.for_each(|item| item.pack(out));
}

/// Reads what [`pack_all`] has written. No room is made ahead: what the bytes say of the number may be wrong.
fn unpack_all<T: Pack, C: FromIterator<T>>(from: &mut Unpacker<'_>) -> Result<C, Damaged> {
    let count = usize::unpack(from)?;
    (0..count).map(|_| T::unpack(from)).collect()
}

impl<T: Pack> Pack for Vec<T> {
    fn pack(&self, out: &mut Packer) {
        pack_all(self.iter(), out);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
        unpack_all(from)
    }
}

impl<T: Pack> Pack for VecDeque<T> {
    fn pack(&self, out: &mut Packer) {
        pack_all(self.iter(), out);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
        unpack_all(from)
    }
}

impl<T: Pack + Ord> Pack for BTreeSet<T> {
    fn pack(&self, out: &mut Packer) {
        pack_all(self.iter(), out);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
        unpack_all(from)
    }
}

impl<K: Pack + Ord, V: Pack> Pack for BTreeMap<K, V> {
    fn pack(&self, out: &mut Packer) {
        self.len().pack(out);
        for (key, value) in self {
            key.pack(out);
            value.pack(out);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
        unpack_all(from)
    }
}

impl<A: Pack, B: Pack> Pack for (A, B) {
    fn pack(&self, out: &mut Packer) {
        self.0.pack(out);
        self.1.pack(out);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
        Ok((A::unpack(from)?, B::unpack(from)?))
    }
}

impl<T: Pack> Pack for Option<T> {
    fn pack(&self, out: &mut Packer) {
        self.is_some().pack(out);
        if let Some(it) = self {
            it.pack(out);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
        match bool::unpack(from)? {
            true => T::unpack(from).map(Some),
            false => Ok(None),
        }
    }
}

impl<T: Pack, E: Pack> Pack for Result<T, E> {
    fn pack(&self, out: &mut Packer) {
        self.is_ok().pack(out);
        match self {
            Ok(it) => it.pack(out),
            Err(error) => error.pack(out),
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
        Ok(match bool::unpack(from)? {
            true => Ok(T::unpack(from)?),
            false => Err(E::unpack(from)?),
        })
    }
}

/// What is boxed may have its like within it.
impl<T: Pack> Pack for Box<T> {
    fn pack(&self, out: &mut Packer) {
        T::pack(self, out);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
        from.inside(T::unpack).map(Self::new)
    }
}

impl<T: Pack + Any + Send + Sync> Pack for Arc<T> {
    fn pack(&self, out: &mut Packer) {
        pack_shared(self, out, |out| T::pack(self, out));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
        match Option::unpack(from)? {
            Some(number) => from.shared(number),
            None => {
                let it = from.inside(T::unpack).map(Self::new)?;
                from.remember(&it);
                Ok(it)
            }
        }
    }
}

impl Pack for Arc<str> {
    fn pack(&self, out: &mut Packer) {
        pack_shared(self, out, |out| out.put(&**self));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
        unpack_slice(from, |from| from.take::<&str>().map(Self::from))
    }
}

impl<T: Pack + Any + Send + Sync> Pack for Arc<[T]> {
    fn pack(&self, out: &mut Packer) {
        pack_shared(self, out, |out| pack_all(self.iter(), out));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged> {
        unpack_slice(from, unpack_all::<T, Self>)
    }
}

/// Writes something shared where it comes first, and its number where it comes again.
fn pack_shared<T: Any + ?Sized>(it: &Arc<T>, out: &mut Packer, write: impl FnOnce(&mut Packer)) {
    let known = out.known(it);
    known.pack(out);
    if known.is_none() {
        write(out);
        out.remember(it);
    }
}

/// Reads something shared whose size is not that of a type.
fn unpack_slice<T: Clone + Any + Send + Sync>(
    from: &mut Unpacker<'_>,
    read: impl FnOnce(&mut Unpacker<'_>) -> Result<T, Damaged>,
) -> Result<T, Damaged> {
    match Option::unpack(from)? {
        Some(number) => from.shared(number).map(Arc::unwrap_or_clone),
        None => {
            let it = read(from)?;
            from.remember(&Arc::new(it.clone()));
            Ok(it)
        }
    }
}
