//! JSON (RFC 8259) with places, for what programs write. Not all of JSON is YAML: tabs before a
//! value, keys of any length, escaped surrogate pairs.

use super::{DEPTH_MAX, Data, Entry, KEY_BYTES_MAX, NODES_MAX, Node, Parsed};
use crate::diagnostic::{Diagnostic, Source, Span};

/// Reads `source` if it is a JSON object. Says nothing about what is none, nor about what goes beyond the
/// bounds, since the YAML parser says it better; only what both languages refuse is an error here.
pub(super) fn parse(source: &Source) -> Option<Result<Parsed, Vec<Diagnostic>>> {
    let mut scanner = Scanner {
        source,
        at: 0,
        depth: 0,
        nodes: 0,
        duplicates: Vec::new(),
        warnings: Vec::new(),
    };
    if source.text().starts_with('\u{feff}') {
        scanner.at = '\u{feff}'.len_utf8();
    }
    scanner.skip_space();
    if scanner.peek() != Some(b'{') {
        return None;
    }
    let root = scanner.value()?;
    scanner.skip_space();
    if scanner.at != source.text().len() {
        return None;
    }
    if scanner.duplicates.is_empty() {
        Some(Ok(Parsed {
            root,
            warnings: scanner.warnings,
        }))
    } else {
        Some(Err(scanner.duplicates))
    }
}

struct Scanner<'a> {
    source: &'a Source,
    at: usize,
    depth: usize,
    nodes: usize,
    duplicates: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.source.text().as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    fn accept(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self) -> Option<Node> {
        self.skip_space();
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return None;
        }
        let start = self.at;
        let data = match self.peek()? {
            b'{' => self.nested(Self::object)?,
            b'[' => self.nested(Self::array)?,
            b'"' => Data::String(self.string()?),
            _ => self.word()?,
        };
        Some(Node {
            span: Span::new(start, self.at),
            data,
        })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Option<Data>) -> Option<Data> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let data = read(self)?;
        self.depth -= 1;
        Some(data)
    }

    fn array(&mut self) -> Option<Data> {
        let mut items = Vec::new();
        if self.accept(b']') {
            return Some(Data::Sequence(items));
        }
        loop {
            items.push(self.value()?);
            if self.accept(b']') {
                return Some(Data::Sequence(items));
            }
            self.accept(b',').then_some(())?;
        }
    }

    fn object(&mut self) -> Option<Data> {
        let mut entries = super::build::Entries::default();
        if self.accept(b'}') {
            return Some(Data::Mapping(entries.into_vec()));
        }
        loop {
            self.skip_space();
            let start = self.at;
            let key = self.string().filter(|key| key.len() <= KEY_BYTES_MAX)?;
            let key_span = Span::new(start, self.at);
            self.accept(b':').then_some(())?;
            let value = self.value()?;
            if let Err(twice) = entries.insert(
                self.source,
                Entry {
                    key,
                    key_span,
                    value,
                },
            ) {
                self.duplicates.push(twice);
            }
            if self.accept(b'}') {
                return Some(Data::Mapping(entries.into_vec()));
            }
            self.accept(b',').then_some(())?;
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return None;
        }
        loop {
            self.at += 1;
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 1,
                _ => {}
            }
        }
        self.at += 1;
        serde_json::from_str(self.source.text().get(start..self.at)?).ok()
    }

    fn word(&mut self) -> Option<Data> {
        let start = self.at;
        while let Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.') = self.peek() {
            self.at += 1;
        }
        let text = &self.source.text()[start..self.at];
        // What JSON says and what YAML says about these texts is the same.
        serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
        let (data, rounded) = super::scalar::resolve(text).ok()?;
        if rounded {
            self.warnings.push(super::build::inexact(
                self.source,
                Span::new(start, self.at),
            ));
        }
        // A number that is too large for a double is a string to the resolver.
        (!matches!(data, Data::String(_))).then_some(data)
    }
}
