//! A schema as a graph of its subschemas, by what leads from one to the other.
//!
//! It is made to tell beforehand what checking a value takes. Keywords are read as all drafts together have them:
//! where that takes one for a subschema that its draft ignores, the graph is larger than it need be, never smaller.

use std::collections::HashMap;
use std::fmt::Display;

use referencing::{Draft, Registry, RegistryBuilder, Resolver, uri};
use serde_json::{Map, Value};

use super::BadSchema;
use super::pattern::SchemaPatterns;
use crate::extent;

/// How many subschemas may look at the same value one through the other: the library goes from one to the next by
/// recursion, at publication as when a value is checked.
const LEVELS_IN_PLACE_MAX: usize = 128;

/// What a text is read with beside patterns (`format`, `minLength` and so on) is as dear as a pattern of this size.
const TEXT_KEYWORD_BYTES: usize = 16 << 10;

/// How many bytes of a keyword's own value (names, constants, alternatives) count as a step.
const BYTES_PER_STEP: usize = 16;

/// The subschemas; the first is the schema itself.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
}

/// The place of a subschema among the others.
pub(super) type NodeIndex = usize;

/// A subschema.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Where it is, as a JSON pointer.
    place: String,
    /// The steps that its own keywords take, whatever the value is.
    pub(super) steps: usize,
    /// What reads texts: the size of its compiled patterns, in bytes.
    pub(super) text_bytes: usize,
    /// What reads the names of members: the size of its compiled patterns, in bytes.
    pub(super) name_bytes: usize,
    /// Whether it compares all items with one another.
    pub(super) is_unique: bool,
    /// Whether it looks at what others have looked at (`unevaluatedProperties`, `unevaluatedItems`), which asks all that
    /// look at the same value again.
    pub(super) is_unevaluated: bool,
    /// Those that look at the same value.
    pub(super) in_place: Vec<NodeIndex>,
    /// Those that look at the member of a name.
    pub(super) properties: HashMap<String, NodeIndex>,
    /// Those that look at members that have no such name.
    pub(super) other_members: Vec<NodeIndex>,
    /// Those that may look at any member.
    pub(super) members: Vec<NodeIndex>,
    /// Those that look at the names of members.
    pub(super) names: Vec<NodeIndex>,
    /// Those that look at the first items, in their order.
    pub(super) first_items: Vec<NodeIndex>,
    /// Those that look at the items behind them.
    pub(super) other_items: Vec<NodeIndex>,
    /// Those that may look at any item.
    pub(super) items: Vec<NodeIndex>,
}

impl Graph {
    /// Reads a schema that the library has compiled.
    ///
    /// # Errors
    ///
    /// A reference that leads out of the schema, a circle or a chain of subschemas that look at the same value, and patterns
    /// for which there is no room.
    pub(super) fn new(document: &Value, patterns: &mut SchemaPatterns) -> Result<Self, BadSchema> {
        let draft = Draft::default().detect(document);
        let root = draft.create_resource_ref(document);
        let id = root.id().unwrap_or_default();
        let unresolved = |error: referencing::Error| BadSchema::at("", error);
        let base = uri::from_str(id.trim_end_matches('#')).map_err(unresolved)?;
        let registry = Registry::new()
            .draft(draft)
            .add(base.as_str(), root)
            .and_then(RegistryBuilder::prepare)
            .map_err(unresolved)?;
        let resolved = registry.resolver(base).lookup("#").map_err(unresolved)?;
        let (contents, resolver, draft) = resolved.into_inner();
        let mut reading = Reading::new();
        reading.enter(contents, String::new(), resolver, draft);
        reading.read_all(patterns)?;
        let graph = Self {
            nodes: reading.nodes,
        };
        graph.check_in_place()?;
        Ok(graph)
    }

    /// Checks that no subschema comes back to itself, or to too many others, without going into the value.
    fn check_in_place(&self) -> Result<(), BadSchema> {
        let mut heights = vec![Height::Unknown; self.nodes.len()];
        (0..self.nodes.len()).try_for_each(|node| self.height(node, 0, &mut heights).map(|_| ()))
    }

    /// How many subschemas look at the same value from this one on.
    fn height(
        &self,
        node: NodeIndex,
        above: usize,
        heights: &mut [Height],
    ) -> Result<usize, BadSchema> {
        match heights[node] {
            Height::Known(height) if above + height <= LEVELS_IN_PLACE_MAX => return Ok(height),
            Height::Unknown if above < LEVELS_IN_PLACE_MAX => {}
            Height::Open => {
                return Err(self.refused(
                    node,
                    "it leads back to itself without going into the data; let what refers to it stand under \
                     `properties`, `items` or the like",
                ));
            }
            _ => {
                return Err(self.refused(
                    node,
                    &format!(
                        "more than {LEVELS_IN_PLACE_MAX} subschemas lead from one to the next without going into the \
                         data; take references and `allOf` out of the chain"
                    ),
                ));
            }
        }
        heights[node] = Height::Open;
        let mut height = 0;
        for &next in &self.nodes[node].in_place {
            height = height.max(self.height(next, above + 1, heights)?);
        }
        heights[node] = Height::Known(height + 1);
        Ok(height + 1)
    }

    fn refused(&self, node: NodeIndex, why: &str) -> BadSchema {
        BadSchema::at(&self.nodes[node].place, why)
    }
}

/// What is known of how many subschemas look at the same value.
#[derive(Clone, Copy)]
enum Height {
    Unknown,
    /// It is being looked at.
    Open,
    Known(usize),
}

/// A schema that is being read, subschema by subschema.
struct Reading<'r> {
    nodes: Vec<Node>,
    /// The subschemas that have a node, by where they are in memory: one is one, however it is come to.
    known: HashMap<*const Value, NodeIndex>,
    open: Vec<Open<'r>>,
    /// Those that a dynamic reference may mean, by its name.
    anchors: HashMap<String, Vec<NodeIndex>>,
    /// The dynamic references.
    dynamic: Vec<(NodeIndex, String)>,
}

/// A subschema that has a node, and has not been read.
struct Open<'r> {
    node: NodeIndex,
    members: &'r Map<String, Value>,
    resolver: Resolver<'r>,
    draft: Draft,
}

/// What `$recursiveAnchor` is as a name: the one that a fragment can't have.
const RECURSIVE: &str = "#";

impl<'r> Reading<'r> {
    fn new() -> Self {
        Self {
            nodes: Vec::new(),
            known: HashMap::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            dynamic: Vec::new(),
        }
    }

    /// The node of a subschema whose references `resolver` resolves.
    fn enter(
        &mut self,
        schema: &'r Value,
        place: String,
        resolver: Resolver<'r>,
        draft: Draft,
    ) -> NodeIndex {
        let node = *self.known.entry(schema).or_insert(self.nodes.len());
        if node == self.nodes.len() {
            self.nodes.push(Node {
                place,
                steps: 1,
                ..Node::default()
            });
            if let Value::Object(members) = schema {
                self.open.push(Open {
                    node,
                    members,
                    resolver,
                    draft,
                });
            }
        }
        node
    }

    fn read_all(&mut self, patterns: &mut SchemaPatterns) -> Result<(), BadSchema> {
        while let Some(open) = self.open.pop() {
            for (keyword, value) in open.members {
                self.keyword(&open, keyword, value, patterns)?;
            }
        }
        for (node, name) in std::mem::take(&mut self.dynamic) {
            let anchored = self.anchors.get(&name);
            self.nodes[node]
                .in_place
                .extend(anchored.into_iter().flatten());
        }
        Ok(())
    }

    fn keyword(
        &mut self,
        open: &Open<'r>,
        keyword: &str,
        value: &'r Value,
        patterns: &mut SchemaPatterns,
    ) -> Result<(), BadSchema> {
        let node = open.node;
        match keyword {
            "$ref" => self.refer(open, keyword, value)?,
            "$dynamicRef" => {
                self.refer(open, keyword, value)?;
                let name = value.as_str().and_then(|it| it.split_once('#'));
                let name = name.map_or_else(String::new, |(_, name)| name.to_owned());
                self.dynamic.push((node, name));
            }
            "$recursiveRef" => {
                self.refer(open, keyword, value)?;
                self.dynamic.push((node, RECURSIVE.to_owned()));
            }
            "$dynamicAnchor" => {
                let name = value.as_str().unwrap_or_default().to_owned();
                self.anchors.entry(name).or_default().push(node);
            }
            "$recursiveAnchor" => {
                let anchored = self.anchors.entry(RECURSIVE.to_owned());
                anchored.or_default().push(node);
            }
            "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else" | "dependentSchemas"
            | "dependencies" => {
                let inner = self.all_within(open, keyword, value)?;
                self.nodes[node].in_place.extend(inner);
            }
            "properties" => {
                for (name, schema) in value.as_object().into_iter().flatten() {
                    let inner =
                        self.within(open, &format!("{keyword}/{}", escaped(name)), schema)?;
                    self.nodes[node].properties.insert(name.clone(), inner);
                }
            }
            "additionalProperties" => {
                let inner = self.all_within(open, keyword, value)?;
                self.nodes[node].other_members.extend(inner);
            }
            "patternProperties" => {
                for name in value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name)
                {
                    let bytes = patterns
                        .weigh(name)
                        .map_err(|why| open.bad(self, keyword, why))?;
                    self.nodes[node].name_bytes += bytes;
                }
                let inner = self.all_within(open, keyword, value)?;
                self.nodes[node].members.extend(inner);
            }
            "unevaluatedProperties" => {
                let inner = self.all_within(open, keyword, value)?;
                self.nodes[node].members.extend(inner);
                self.nodes[node].is_unevaluated = true;
            }
            "propertyNames" => {
                let inner = self.all_within(open, keyword, value)?;
                self.nodes[node].names.extend(inner);
            }
            "prefixItems" => {
                let inner = self.all_within(open, keyword, value)?;
                self.nodes[node].first_items.extend(inner);
            }
            "items" if value.is_array() => {
                let inner = self.all_within(open, keyword, value)?;
                self.nodes[node].first_items.extend(inner);
            }
            "items" | "additionalItems" => {
                let inner = self.all_within(open, keyword, value)?;
                self.nodes[node].other_items.extend(inner);
            }
            "contains" => {
                let inner = self.all_within(open, keyword, value)?;
                self.nodes[node].items.extend(inner);
            }
            "unevaluatedItems" => {
                let inner = self.all_within(open, keyword, value)?;
                self.nodes[node].items.extend(inner);
                self.nodes[node].is_unevaluated = true;
            }
            // Nothing leads there but references; dynamic ones must be found for all that.
            "$defs" | "definitions" => {
                self.all_within(open, keyword, value)?;
            }
            "pattern" => {
                let text = value.as_str().unwrap_or_default();
                let bytes = patterns
                    .weigh(text)
                    .map_err(|why| open.bad(self, keyword, why))?;
                self.nodes[node].text_bytes += bytes;
            }
            "format" | "minLength" | "maxLength" | "contentEncoding" | "contentMediaType" => {
                self.nodes[node].text_bytes += TEXT_KEYWORD_BYTES;
            }
            "uniqueItems" => self.nodes[node].is_unique = true,
            _ => {
                let bytes = extent::measure(value).unwrap_or(extent::BYTES_MAX);
                self.nodes[node].steps += bytes / BYTES_PER_STEP;
            }
        }
        Ok(())
    }

    /// What a reference refers to looks at the same value.
    fn refer(&mut self, open: &Open<'r>, keyword: &str, value: &Value) -> Result<(), BadSchema> {
        // The library passes over an empty one.
        let Some(reference) = value.as_str().filter(|it| !it.is_empty()) else {
            return Ok(());
        };
        let resolved = open.resolver.lookup(reference);
        let resolved = resolved.map_err(|error| open.bad(self, keyword, error))?;
        let (schema, resolver, draft) = resolved.into_inner();
        let place = match reference.strip_prefix('#') {
            Some(place) if place.starts_with('/') => place.to_owned(),
            _ => format!("{}/{keyword}", self.nodes[open.node].place),
        };
        let inner = self.enter(schema, place, resolver, draft);
        self.nodes[open.node].in_place.push(inner);
        Ok(())
    }

    /// The subschemas in the value of a keyword: it, its items or its members.
    fn all_within(
        &mut self,
        open: &Open<'r>,
        keyword: &str,
        value: &'r Value,
    ) -> Result<Vec<NodeIndex>, BadSchema> {
        match value {
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(at, schema)| self.within(open, &format!("{keyword}/{at}"), schema))
                    .collect()
            }
            Value::Object(members) if MAPS.contains(&keyword) => members
                .iter()
                // A `dependencies` may be a list of names.
                .filter(|(_, schema)| !schema.is_array())
                .map(|(name, schema)| {
                    let step = format!("{keyword}/{}", escaped(name));
                    self.within(open, &step, schema)
                })
                .collect(),
            schema => Ok(vec![self.within(open, keyword, schema)?]),
        }
    }

    /// The node of a subschema that stands within another.
    fn within(
        &mut self,
        open: &Open<'r>,
        step: &str,
        schema: &'r Value,
    ) -> Result<NodeIndex, BadSchema> {
        let draft = open.draft.detect(schema);
        let resolver = open
            .resolver
            .in_subresource(draft.create_resource_ref(schema));
        let resolver = resolver.map_err(|error| open.bad(self, step, error))?;
        let place = format!("{}/{step}", self.nodes[open.node].place);
        Ok(self.enter(schema, place, resolver, draft))
    }
}

/// The keywords whose members are subschemas.
const MAPS: [&str; 5] = [
    "dependentSchemas",
    "dependencies",
    "patternProperties",
    "$defs",
    "definitions",
];

impl Open<'_> {
    fn bad(&self, reading: &Reading<'_>, step: &str, why: impl Display) -> BadSchema {
        BadSchema::at(&format!("{}/{step}", reading.nodes[self.node].place), why)
    }
}

/// A name as a step of a JSON pointer (RFC 6901, section 3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
