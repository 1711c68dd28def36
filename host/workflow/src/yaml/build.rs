//! From the events of a YAML parser to a tree, with a stack of its own instead of recursion.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as Marks, Tag};

use super::{
    DEPTH_MAX, Data, Entry, KEY_BYTES_MAX, NODES_MAX, Node, Parsed, TEXT_BYTES_MAX, scalar,
};
use crate::diagnostic::{self, Diagnostic, Source, Span, code};

/// How many things are reported before reading on is no longer worth it.
const PROBLEMS_MAX: usize = 100;

/// Reads the one YAML document that `source` is.
pub(super) fn parse(source: &Source) -> Result<Parsed, Vec<Diagnostic>> {
    let mut builder = Builder::new(source);
    if let Err(fatal) = builder.run() {
        builder.errors.push(fatal);
    }
    if !builder.errors.is_empty() {
        diagnostic::sort(&mut builder.errors);
        return Err(builder.errors);
    }
    match builder.root {
        Some(root) => Ok(Parsed {
            root,
            warnings: builder.warnings,
        }),
        None => Err(vec![Diagnostic::error(
            source,
            code::SYNTAX,
            Span::default(),
            "the text is empty",
        )]),
    }
}

/// The entries of a mapping under construction.
#[derive(Default)]
pub(super) struct Entries {
    entries: Vec<Entry>,
    seen: HashMap<String, Span>,
}

impl Entries {
    /// Adds an entry. The first of several with one key stays.
    pub(super) fn insert(&mut self, source: &Source, entry: Entry) -> Result<(), Diagnostic> {
        if let Some(first) = self.seen.get(&entry.key) {
            let message = format!("the key `{}` stands twice in the same mapping", entry.key);
            return Err(
                Diagnostic::error(source, code::DUPLICATE_KEY, entry.key_span, message)
                    .with_related(source, *first, "it stands here first")
                    .with_help("remove or rename one of the two".to_owned()),
            );
        }
        self.seen.insert(entry.key.clone(), entry.key_span);
        self.entries.push(entry);
        Ok(())
    }

    /// All entries, in the order in which they came.
    pub(super) fn into_vec(self) -> Vec<Entry> {
        self.entries
    }

    fn last_end(&self) -> Option<usize> {
        self.entries
            .last()
            .map(|entry| entry.value.span.end.max(entry.key_span.end))
    }
}

/// The warning about an integer that 64 bits cannot hold.
pub(super) fn inexact(source: &Source, span: Span) -> Diagnostic {
    let message = "the number does not fit into 64 bits and is rounded";
    Diagnostic::warning(source, code::INEXACT_NUMBER, span, message)
        .with_help("put it into quotes to keep all its digits".to_owned())
}

struct Builder<'a> {
    source: &'a Source,
    /// The byte of each character, for a text in which they differ.
    bytes: Option<Vec<u32>>,
    stack: Vec<Frame>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    /// The bytes of all strings and keys, counting what aliases repeat.
    content_bytes: usize,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

/// A collection whose end has not come yet.
struct Frame {
    start: usize,
    anchor: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping {
        entries: Entries,
        key: Option<(String, Span)>,
    },
}

type Step<T> = Result<T, Diagnostic>;

impl<'a> Builder<'a> {
    fn new(source: &'a Source) -> Self {
        let text = source.text();
        // Offsets fit into 32 bits, since the size of the text is bounded.
        let bytes =
            (!text.is_ascii()).then(|| text.char_indices().map(|(byte, _)| byte as u32).collect());
        Self {
            source,
            bytes,
            stack: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            nodes: 0,
            content_bytes: 0,
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn run(&mut self) -> Step<()> {
        let mut parser = Parser::new_from_str(self.source.text());
        while let Some(event) = parser.next_event() {
            let (event, marks) = event.map_err(|error| self.syntax(&error))?;
            self.event(event, marks)?;
            if self.errors.len() >= PROBLEMS_MAX {
                return Ok(());
            }
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, marks: Marks) -> Step<()> {
        let span = self.span(marks);
        match event {
            Event::DocumentStart(_) if self.root.is_some() => Err(self
                .error(code::SYNTAX, span, "a second document begins here")
                .with_help("put each workflow into a text of its own".to_owned())),
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, tag.as_deref(), anchor, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), "seq", span)?;
                self.open(span, anchor, Content::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), "map", span)?;
                self.open(
                    span,
                    anchor,
                    Content::Mapping {
                        entries: Entries::default(),
                        key: None,
                    },
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn open(&mut self, span: Span, anchor: usize, content: Content) -> Step<()> {
        if self.expects_key() {
            return Err(self
                .error(code::NOT_JSON, span, "a list or mapping cannot be a key")
                .with_help(
                    "a value in curly braces that is an expression must be in quotes: \"${ … }\""
                        .to_owned(),
                ));
        }
        if self.stack.len() >= DEPTH_MAX {
            return Err(self.too_deep(span));
        }
        self.stack.push(Frame {
            start: span.start,
            anchor,
            content,
        });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Step<()> {
        let frame = self
            .stack
            .pop()
            .expect("the parser ends only what it has begun");
        let (data, last_end) = match frame.content {
            Content::Sequence(items) => {
                let end = items.last().map(|item| item.span.end);
                (Data::Sequence(items), end)
            }
            Content::Mapping { entries, .. } => {
                let end = entries.last_end();
                (Data::Mapping(entries.into_vec()), end)
            }
        };
        // In block style a collection ends with its last value, and the event comes with what follows it.
        let end = if span.is_empty() {
            last_end.unwrap_or(frame.start)
        } else {
            span.end
        };
        self.value(
            Node {
                span: Span::new(frame.start, end),
                data,
            },
            frame.anchor,
        )
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        anchor: usize,
        span: Span,
    ) -> Step<()> {
        self.count(1, text.len(), span)?;
        if self.expects_key() {
            return self.key(text, style, span);
        }
        let kind = match tag {
            None if style == ScalarStyle::Plain => None,
            None => Some("str"),
            Some(tag) if tag.is_yaml_core_schema() => Some(tag.suffix.as_str()),
            // The non-specific tag says that it is not to be resolved.
            Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => Some("str"),
            Some(tag) => return Err(self.unknown_tag(tag, span)),
        };
        let data = match kind {
            Some("str") => Data::String(text.to_owned()),
            None | Some("int" | "float" | "bool" | "null") => match scalar::resolve(text) {
                Ok((data, rounded)) => {
                    if rounded {
                        self.warnings.push(inexact(self.source, span));
                    }
                    data
                }
                Err(scalar::NoJsonValue) => {
                    let error = self.error(
                        code::NOT_JSON,
                        span,
                        format!("`{text}` has no value in JSON"),
                    );
                    self.errors.push(
                        error.with_help("put it into quotes if it is meant as text".to_owned()),
                    );
                    Data::Null
                }
            },
            Some(_) => {
                return Err(tag.map_or_else(
                    || self.error(code::SYNTAX, span, "unexpected tag"),
                    |tag| self.unknown_tag(tag, span),
                ));
            }
        };
        let span = if style == ScalarStyle::Literal || style == ScalarStyle::Folded {
            self.trimmed(span)
        } else {
            span
        };
        self.value(Node { span, data }, anchor)
    }

    fn key(&mut self, text: &str, style: ScalarStyle, span: Span) -> Step<()> {
        if text.len() > KEY_BYTES_MAX {
            let message = format!(
                "a key of {} bytes, more than the {KEY_BYTES_MAX} that are allowed",
                text.len()
            );
            return Err(self.error(code::TOO_LARGE, span, message));
        }
        if style == ScalarStyle::Plain && text == "<<" {
            let error = self.error(code::NOT_JSON, span, "merge keys are not part of YAML 1.2");
            self.errors.push(
                error.with_help(
                    "write the keys out, or define what is shared under `use`".to_owned(),
                ),
            );
        } else if style == ScalarStyle::Plain && text.is_empty() {
            let error = self.error(code::SYNTAX, span, "a key is missing before this colon");
            self.errors.push(error);
        }
        if let Some(Frame {
            content: Content::Mapping { key, .. },
            ..
        }) = self.stack.last_mut()
        {
            *key = Some((text.to_owned(), span));
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Step<()> {
        if self.expects_key() {
            return Err(self.error(code::NOT_JSON, span, "an alias cannot be a key"));
        }
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(self.error(
                code::SYNTAX,
                span,
                "the alias stands inside the value that it refers to",
            ));
        };
        let size = Size::of(node);
        if self.stack.len() + size.depth > DEPTH_MAX {
            return Err(self.too_deep(span));
        }
        // Counted before it is copied, so that a bomb never goes off.
        let mut node = node.clone();
        node.span = span;
        self.count(size.nodes, size.content_bytes, span)?;
        self.value(node, 0)
    }

    /// Puts a finished value where it belongs.
    fn value(&mut self, node: Node, anchor: usize) -> Step<()> {
        if anchor != 0 {
            let size = Size::of(&node);
            self.count(size.nodes, size.content_bytes, node.span)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Frame {
                content: Content::Sequence(items),
                ..
            }) => items.push(node),
            Some(Frame {
                content: Content::Mapping { entries, key },
                ..
            }) => {
                let (key, key_span) = key.take().expect("a value follows its key");
                if let Err(twice) = entries.insert(
                    self.source,
                    Entry {
                        key,
                        key_span,
                        value: node,
                    },
                ) {
                    self.errors.push(twice);
                }
            }
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(
            self.stack.last(),
            Some(Frame {
                content: Content::Mapping { key: None, .. },
                ..
            })
        )
    }

    fn count(&mut self, nodes: usize, content_bytes: usize, span: Span) -> Step<()> {
        self.nodes += nodes;
        self.content_bytes += content_bytes;
        if self.nodes > NODES_MAX {
            let message = format!(
                "the document has more than the {NODES_MAX} values that are allowed, counting what aliases repeat"
            );
            return Err(self.error(code::TOO_LARGE, span, message));
        }
        if self.content_bytes > 2 * TEXT_BYTES_MAX {
            let message =
                "the document is larger than is allowed, counting what its aliases repeat";
            return Err(self.error(code::TOO_LARGE, span, message));
        }
        Ok(())
    }

    fn check_collection_tag(&self, tag: Option<&Tag>, expected: &str, span: Span) -> Step<()> {
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == expected) => {
                Err(self.unknown_tag(tag, span))
            }
            _ => Ok(()),
        }
    }

    fn unknown_tag(&self, tag: &Tag, span: Span) -> Diagnostic {
        self.error(
            code::NOT_JSON,
            span,
            format!("the tag `{tag}` has no meaning here"),
        )
        .with_help("remove it; text that starts with `!` must be in quotes".to_owned())
    }

    fn too_deep(&self, span: Span) -> Diagnostic {
        self.error(
            code::TOO_DEEP,
            span,
            format!("nested deeper than the {DEPTH_MAX} levels that are allowed"),
        )
    }

    fn syntax(&self, error: &ScanError) -> Diagnostic {
        let at = self.byte(error.marker().index());
        let span = Span::new(at, self.source.text().ceil_char_boundary(at + 1));
        if error.info() == "recursion limit exceeded" {
            return self.too_deep(span);
        }
        self.error(
            code::SYNTAX,
            span,
            format!("this is neither YAML nor JSON: {}", error.info()),
        )
        .with_help(self.advice(at, error.info()))
    }

    /// What usually is behind the parser's words.
    fn advice(&self, at: usize, info: &str) -> Option<String> {
        let text = self.source.text();
        let line = &text[text[..at].rfind('\n').map_or(0, |before| before + 1)..];
        let line = line.lines().next().unwrap_or_default();
        let advice = if line
            .chars()
            .take_while(|c| c.is_whitespace())
            .any(|c| c == '\t')
            || info.contains("tab")
        {
            "YAML is indented with spaces, not with tabs"
        } else if line.contains(": ")
            && (info.contains("mapping values") || info.contains("simple key"))
        {
            "text with a colon and a space in it must be in quotes; check the indentation of this line and of the one before"
        } else if line.contains("${") {
            "an expression inside of curly braces, or with quotes in it, must be in single quotes: '${ … }'"
        } else {
            return None;
        };
        Some(advice.to_owned())
    }

    fn error(&self, code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.source, code, span, message)
    }

    fn byte(&self, character: usize) -> usize {
        let length = self.source.text().len();
        match &self.bytes {
            None => character.min(length),
            Some(bytes) => bytes.get(character).map_or(length, |byte| *byte as usize),
        }
    }

    fn span(&self, marks: Marks) -> Span {
        Span::new(self.byte(marks.start.index()), self.byte(marks.end.index()))
    }

    /// Without the white space at its end, which belongs to a block scalar's text but not to what one would underline.
    fn trimmed(&self, span: Span) -> Span {
        let text = self
            .source
            .text()
            .get(span.start..span.end)
            .unwrap_or_default();
        Span::new(span.start, span.start + text.trim_end().len())
    }
}

/// How much a value is.
struct Size {
    nodes: usize,
    content_bytes: usize,
    /// How many levels of collections.
    depth: usize,
}

impl Size {
    /// Recurses as deep as the value, which is bounded.
    fn of(node: &Node) -> Self {
        let (mut size, children): (_, Vec<_>) = match &node.data {
            Data::Sequence(items) => (
                Self {
                    nodes: 1,
                    content_bytes: 0,
                    depth: 1,
                },
                items.iter().collect(),
            ),
            Data::Mapping(entries) => {
                let content_bytes = entries.iter().map(|entry| entry.key.len()).sum();
                (
                    Self {
                        nodes: 1 + entries.len(),
                        content_bytes,
                        depth: 1,
                    },
                    entries.iter().map(|entry| &entry.value).collect(),
                )
            }
            Data::String(text) => (
                Self {
                    nodes: 1,
                    content_bytes: text.len(),
                    depth: 0,
                },
                Vec::new(),
            ),
            Data::Null | Data::Bool(_) | Data::Number(_) => (
                Self {
                    nodes: 1,
                    content_bytes: 0,
                    depth: 0,
                },
                Vec::new(),
            ),
        };
        let mut deepest = 0;
        for child in children {
            let child = Self::of(child);
            size.nodes += child.nodes;
            size.content_bytes += child.content_bytes;
            deepest = deepest.max(child.depth);
        }
        size.depth += deepest;
        size
    }
}
