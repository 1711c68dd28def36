//! A mapping whose keys are known to the specification.

use super::{Field, Read, Reader, nearest};
use crate::diagnostic::code;
use crate::document::Location;
use crate::yaml::Entry;

/// A mapping while it is read. Each key that is asked for counts as known; [`Object::finish`] reports the
/// others.
pub(crate) struct Object<'r, 'f, 'a> {
    reader: &'r mut Reader<'a>,
    field: Field<'f>,
    entries: &'f [Entry],
    what: &'static str,
    known: Vec<&'static str>,
    /// Keys of which one must be there and is not.
    missing: Vec<Vec<&'static str>>,
}

impl<'r, 'f, 'a> Object<'r, 'f, 'a> {
    pub(super) fn new(
        reader: &'r mut Reader<'a>,
        field: &Field<'f>,
        entries: &'f [Entry],
        what: &'static str,
    ) -> Self {
        Self {
            reader,
            field: field.clone(),
            entries,
            what,
            known: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Where to point at to speak of the mapping.
    pub(crate) fn location(&self) -> Location {
        self.field.location()
    }

    pub(crate) fn reader(&mut self) -> &mut Reader<'a> {
        self.reader
    }

    /// Says more exactly what it is: the kind of a task.
    pub(crate) fn describe(&mut self, kind: &'static str) {
        self.what = match kind {
            "call" => "a `call` task",
            "do" => "a `do` task",
            "emit" => "an `emit` task",
            "for" => "a `for` task",
            "fork" => "a `fork` task",
            "listen" => "a `listen` task",
            "raise" => "a `raise` task",
            "run" => "a `run` task",
            "set" => "a `set` task",
            "switch" => "a `switch` task",
            "try" => "a `try` task",
            "wait" => "a `wait` task",
            other => other,
        };
    }

    /// The value under a key, which is known from now on.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<Field<'f>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.peek(key)
    }

    /// The value under a key, which is not known for having been asked for.
    pub(crate) fn peek(&self, key: &str) -> Option<Field<'f>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(Field {
            node: &entry.value,
            key_span: Some(entry.key_span),
            pointer: self.field.pointer.key(key),
        })
    }

    /// Whether it has a key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// Where a key is written.
    pub(crate) fn key_location(&self, key: &str) -> Location {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        let span = entry.map_or(self.location().span, |entry| entry.key_span);
        Location {
            span,
            pointer: self.field.pointer.key(key),
        }
    }

    /// The keys that it has, in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'f str> + use<'f> {
        self.entries.iter().map(|entry| entry.key.as_str())
    }

    /// Reads the value of a key that may be missing. `None` if it was wrong, `Some(None)` if it is missing.
    pub(crate) fn optional<T: Read>(&mut self, key: &'static str) -> Option<Option<T>> {
        match self.get(key) {
            None => Some(None),
            Some(field) => T::read(&field, self.reader).map(Some),
        }
    }

    /// Reads the value of a key that must be there. `None` if it was missing or wrong.
    pub(crate) fn required<T: Read>(&mut self, key: &'static str) -> Option<T> {
        if self.get(key).is_none() {
            self.missing(key);
        }
        self.optional(key)?
    }

    /// Notes that a key is missing, to be reported in the end.
    pub(crate) fn missing(&mut self, key: &'static str) {
        self.missing.push(vec![key]);
    }

    /// Notes that it must have one of several keys where it has none of them, to be reported in the end.
    pub(crate) fn need_one_of(&mut self, keys: &[&'static str]) {
        if !keys.iter().any(|key| self.has(key)) {
            self.missing.push(keys.to_vec());
        }
    }

    /// Which one of several keys that exclude one another it has. All are known from now on. `None` if it
    /// has none or several, which is reported.
    pub(crate) fn one_of(&mut self, keys: &[&'static str]) -> Option<&'static str> {
        for key in keys {
            self.get(key);
        }
        let found: Vec<_> = keys.iter().copied().filter(|key| self.has(key)).collect();
        match found[..] {
            [key] => return Some(key),
            [] => self.missing.push(keys.to_vec()),
            [first, second, ..] => self.conflict(
                first,
                second,
                format!("{} can have only one of the keys {}", self.what, list(keys)),
            ),
        }
        None
    }

    /// Reports that two keys exclude one another.
    pub(crate) fn conflict(&mut self, first: &str, second: &str, message: String) {
        let (mut at, mut other, mut other_key) =
            (self.key_location(second), self.key_location(first), first);
        if at.span.start < other.span.start {
            std::mem::swap(&mut at, &mut other);
            other_key = second;
        }
        let source = self.reader.source();
        let diagnostic = self.reader.diagnostic(
            code::CONFLICTING_KEYS,
            &at,
            message,
            format!("remove one of `{first}` and `{second}`"),
        );
        self.reader.report(diagnostic.with_related(
            source,
            other.span,
            format!("`{other_key}` stands here"),
        ));
    }

    /// Ends reading: reports the keys that are missing and those that nobody has asked for. `None` if there
    /// was one.
    pub(crate) fn finish(self) -> Option<()> {
        self.finish_with(|_| None)
    }

    /// The same, with advice for keys that are often put here and do not belong here.
    pub(crate) fn finish_with(
        mut self,
        advice: impl Fn(&str) -> Option<&'static str>,
    ) -> Option<()> {
        let mut right = self.missing.is_empty();
        for entry in self.entries {
            if self.known.contains(&entry.key.as_str()) {
                continue;
            }
            right = false;
            if self.reader.is_full() {
                break;
            }
            let help = self.advice(&entry.key, &advice);
            let location = Location {
                span: entry.key_span,
                pointer: self.field.pointer.key(&entry.key),
            };
            let key: String = entry.key.chars().take(80).collect();
            self.reader.error(
                code::UNKNOWN_KEY,
                &location,
                format!("unknown key `{key}` in {}", self.what),
                help,
            );
        }
        self.report_missing();
        right.then_some(())
    }

    /// What to do about an unknown key. When the advice leads to a key that is missing, that is the same
    /// thing wrong, and need not be reported twice.
    fn advice(&mut self, key: &str, advice: &impl Fn(&str) -> Option<&'static str>) -> String {
        let free = self.known.iter().copied().filter(|key| !self.has(key));
        let help = match (advice(key), nearest(key, free)) {
            (Some(advice), _) => advice.to_owned(),
            (None, Some(key)) => format!("did you mean `{key}`?"),
            (None, None) => return format!("{} has {}", self.what, list_of_keys(&self.known)),
        };
        self.missing
            .retain(|keys| !keys.iter().any(|key| help.contains(&format!("`{key}`"))));
        help
    }

    fn report_missing(self) {
        let (single, groups): (Vec<_>, Vec<_>) =
            self.missing.into_iter().partition(|keys| keys.len() == 1);
        let mut needs: Vec<_> = groups
            .iter()
            .map(|keys| format!("exactly one of {}", list_of_keys(keys)))
            .collect();
        if !single.is_empty() {
            needs.insert(0, list_of_keys(&single.concat()));
        }
        if !needs.is_empty() {
            let message = format!("{} needs {}", self.what, needs.join(" and "));
            self.reader
                .error(code::MISSING_KEY, &self.field.location(), message, None);
        }
    }
}

fn list_of_keys(keys: &[&str]) -> String {
    format!(
        "the key{} {}",
        if keys.len() == 1 { "" } else { "s" },
        list(keys)
    )
}

/// Keys as a list in a sentence.
fn list(keys: &[&str]) -> String {
    let quoted: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
    quoted.join(", ")
}
