//! What checking a value takes, told before it is done.
//!
//! The library that checks has no bound of its own: subschemas that refer to one another twice double the work with
//! each level, without any end to speak of. So the way that it goes is gone beforehand, without looking at what
//! anything says, and counted. It is the same for the same schema and value, for ever: a replay comes to the same.

use serde_json::Value;

use super::graph::{Graph, Node, NodeIndex};
use crate::extent;

/// How deep subschemas may be within one another at a value, over all of its levels. The library works by recursion;
/// this many have been tried on a stack of 2 MiB, with room to spare.
const LEVELS_MAX: usize = 1_000;

/// How many bytes of a name or of the way to a value count as a step.
const BYTES_PER_STEP: usize = 64;

/// How often those that look at the same value are asked, where `unevaluatedProperties` or `unevaluatedItems` looks at
/// what they have looked at.
const TIMES_ASKED_AGAIN: usize = 3;

/// A byte of a text counts as a step for each so many bytes of a pattern that it is held against.
const PATTERN_BYTES_PER_STEP: usize = 1 << 17;

/// Checking the value would take too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooMuch {
    /// More steps than there are left.
    Steps,
    /// More than [`LEVELS_MAX`] subschemas within one another.
    Levels,
}

impl TooMuch {
    /// What is wrong, and what to do.
    pub(super) fn message(self) -> String {
        match self {
            Self::Steps => "too many subschemas look at the same values: let `$ref`, `allOf`, `anyOf` and `oneOf` lead to \
                            each place once, or check less at a time"
                .to_owned(),
            Self::Levels => format!(
                "more than {LEVELS_MAX} subschemas are within one another: nest the data less, or let fewer `$ref` and \
                 `allOf` lead on to others"
            ),
        }
    }
}

impl Graph {
    /// How many steps it takes at most to check a value, where those are not more than `limit`.
    ///
    /// # Errors
    ///
    /// Where it takes more, or goes too deep.
    pub(super) fn effort(&self, value: &Value, limit: usize) -> Result<usize, TooMuch> {
        let mut walk = Walk {
            graph: self,
            left: limit,
        };
        walk.visit(0, value, Way::default())?;
        Ok(limit - walk.left)
    }
}

/// The way to a value through a schema.
#[derive(Clone, Copy, Default)]
struct Way {
    /// How many subschemas are on it.
    levels: usize,
    /// How long the pointer to the value is, in bytes: each violation tells it.
    bytes: usize,
}

impl Way {
    /// One subschema further.
    fn further(self) -> Self {
        Self {
            levels: self.levels + 1,
            ..self
        }
    }

    /// One subschema further, at a member or item whose name has so many bytes.
    fn into(self, bytes: usize) -> Self {
        Self {
            bytes: self.bytes + bytes,
            ..self.further()
        }
    }
}

struct Walk<'g> {
    graph: &'g Graph,
    left: usize,
}

impl<'g> Walk<'g> {
    fn take(&mut self, steps: usize) -> Result<(), TooMuch> {
        self.left = self.left.checked_sub(steps).ok_or(TooMuch::Steps)?;
        Ok(())
    }

    fn visit(&mut self, node: NodeIndex, value: &Value, way: Way) -> Result<(), TooMuch> {
        if way.levels > LEVELS_MAX {
            return Err(TooMuch::Levels);
        }
        let graph = self.graph;
        let node = &graph.nodes[node];
        self.take(node.steps + way.bytes / BYTES_PER_STEP)?;
        let times = if node.is_unevaluated {
            TIMES_ASKED_AGAIN
        } else {
            1
        };
        for _ in 0..times {
            for &inner in &node.in_place {
                self.visit(inner, value, way.further())?;
            }
        }
        match value {
            Value::String(text) => self.take(reading(text, node.text_bytes)),
            Value::Array(items) => self.visit_items(node, value, items, way),
            Value::Object(members) => members
                .iter()
                .try_for_each(|(name, value)| self.visit_member(node, name, value, way)),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    fn visit_items(
        &mut self,
        node: &'g Node,
        array: &Value,
        items: &[Value],
        way: Way,
    ) -> Result<(), TooMuch> {
        if node.is_unique {
            self.take(extent::measure(array).unwrap_or(extent::BYTES_MAX) / 8)?;
        }
        let way = way.into(std::mem::size_of::<u64>());
        for (at, item) in items.iter().enumerate() {
            let of_its_place = match node.first_items.get(at) {
                Some(first) => std::slice::from_ref(first),
                None => &node.other_items,
            };
            for &inner in of_its_place.iter().chain(&node.items) {
                self.visit(inner, item, way)?;
            }
        }
        Ok(())
    }

    fn visit_member(
        &mut self,
        node: &'g Node,
        name: &str,
        value: &Value,
        way: Way,
    ) -> Result<(), TooMuch> {
        self.take(1 + name.len() / BYTES_PER_STEP + reading(name, node.name_bytes))?;
        let way = way.into(name.len());
        let of_its_name = match node.properties.get(name) {
            Some(property) => std::slice::from_ref(property),
            None => &node.other_members,
        };
        for &inner in of_its_name.iter().chain(&node.members) {
            self.visit(inner, value, way)?;
        }
        node.names.iter().try_for_each(|&inner| {
            let name = Value::String(name.to_owned());
            self.visit(inner, &name, way)
        })
    }
}

/// The steps that it takes to hold a text against patterns of that size.
fn reading(text: &str, pattern_bytes: usize) -> usize {
    text.len().saturating_mul(pattern_bytes) / PATTERN_BYTES_PER_STEP
}
