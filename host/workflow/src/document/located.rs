//! Values that know where they are written.

use std::ops::Deref;

use super::Pointer;
use crate::diagnostic::Span;

/// Where a part of a document is written.
#[derive(Debug, Clone)]
pub struct Location {
    /// Its bytes in the text. For a value that is not written, those of its key.
    pub span: Span,
    /// Its place in the document.
    pub pointer: Pointer,
}

/// A value, and where it is written.
#[derive(Debug, Clone)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub location: Location,
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
