//! What a document keeps elsewhere (dsl-reference, "External Resource" and "Catalog"): schemas, functions and
//! scripts.
//!
//! This crate fetches nothing. Lowering says what it needs ([`Wanted`]), whoever can fetches it and lowers again
//! with what came back ([`Resources`]): a function may need further resources of its own. What has been
//! fetched once is kept with the workflow version, so that a version never changes.

mod place;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

pub use place::catalog_function;
pub(crate) use place::{Placed, place};

use crate::diagnostic::Diagnostic;
use crate::document::{Document, Reading};

/// How many resources a workflow may have, those of its functions included.
pub const RESOURCES_MAX: usize = 64;

/// How large a resource may be, in bytes: as large as a document may be.
pub const RESOURCE_BYTES_MAX: usize = crate::yaml::TEXT_BYTES_MAX;

/// What has been fetched for a document, or could not be.
#[derive(Debug, Default)]
pub struct Resources {
    home: Option<String>,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// The text, or why there is none.
    text: Result<Arc<str>, String>,
    /// The text, read as a function where something calls it.
    function: OnceLock<Reading>,
}

/// A resource that lowering needs and that has not been fetched.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Where it is: an absolute URI of the scheme `http`, `https` or, where files may be read, `file`.
    pub uri: String,
    /// How to authenticate there, in the form of dsl-reference, "Authentication".
    pub authentication: Option<Value>,
    /// What to say where nobody fetches it: a warning, at the place that needs it.
    pub unfetched: Diagnostic,
}

impl Resources {
    /// Of a document that stands nowhere: it may keep nothing in files, and relative URIs mean nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of a document that is the file with this URI (`file:///…`): it may keep things in files, and relative
    /// URIs start there.
    pub fn of_file(uri: &str) -> Self {
        Self {
            home: Some(uri.to_owned()),
            entries: BTreeMap::new(),
        }
    }

    /// Adds what came of fetching `uri`: the text, or why there is none, in a form that fits behind "error: ".
    pub fn insert(&mut self, uri: &str, text: Result<String, String>) {
        let entry = Entry {
            text: text.map(Into::into),
            function: OnceLock::new(),
        };
        self.entries.insert(uri.to_owned(), entry);
    }

    /// What has been fetched, by URI, in their order.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .filter_map(|(uri, entry)| Some((uri.as_str(), &**entry.text.as_ref().ok()?)))
    }

    /// How many have been fetched or could not be.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The document's own URI, where it is a file.
    pub fn home(&self) -> Option<&str> {
        self.home.as_deref()
    }

    /// What came of fetching `uri`; none where nobody has.
    pub(crate) fn text(&self, uri: &str) -> Option<Result<&Arc<str>, &str>> {
        let entry = self.entries.get(uri)?;
        Some(entry.text.as_ref().map_err(String::as_str))
    }

    /// The function at `uri`, whose text is there.
    pub(crate) fn function(&self, uri: &str) -> Option<&Reading> {
        let entry = self.entries.get(uri)?;
        let text = entry.text.as_ref().ok()?;
        let read = || Document::read_function(text.clone(), uri);
        Some(entry.function.get_or_init(read))
    }
}
