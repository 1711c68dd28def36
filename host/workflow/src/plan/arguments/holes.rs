//! The expressions among arguments: where they stand, nothing is known before they have been evaluated.

use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::Value;

use crate::expression::enclosed;
use crate::plan::builder::child;

/// The pointers of the expressions in a value.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Holes(BTreeSet<String>);

impl Holes {
    /// Those of `value`. With `is_loose`, any text may be an expression.
    pub(super) fn of(value: &Value, is_loose: bool) -> Self {
        let mut holes = Self::default();
        holes.find(value, String::new(), is_loose);
        holes
    }

    /// Whether what is at `place` is an expression, or stands within one.
    pub(super) fn cover(&self, place: &str) -> bool {
        let ends = place.match_indices('/').map(|(at, _)| at);
        ends.chain([place.len()])
            .any(|end| self.0.contains(&place[..end]))
    }

    /// Whether what is at `place` is an expression, or holds one.
    pub(super) fn are_within(&self, place: &str) -> bool {
        let inside = format!("{place}/");
        let from = (Bound::Included(inside.as_str()), Bound::Unbounded);
        let next = self.0.range::<str, _>(from).next();
        self.0.contains(place) || next.is_some_and(|hole| hole.starts_with(&inside))
    }

    fn find(&mut self, value: &Value, pointer: String, is_loose: bool) {
        match value {
            Value::String(text) if is_loose || enclosed(text).is_some() => {
                self.0.insert(pointer);
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.find(item, format!("{pointer}/{index}"), is_loose);
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    self.find(member, child(&pointer, key), is_loose);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_expression_may_stand_for_anything() {
        let value = json!({"a": "${ .x }", "b": [1, {"c/d": "${ .y }"}], "e": "text"});
        let holes = Holes::of(&value, false);
        assert_eq!(holes, Holes(["/a", "/b/1/c~1d"].map(str::to_owned).into()));
        for (place, is_covered, holds_one) in [
            ("", false, true),
            ("/a", true, true),
            ("/a/x/y", true, false),
            ("/b", false, true),
            ("/b/1", false, true),
            ("/b/0", false, false),
            ("/b/1/c~1d", true, true),
            ("/b/1/c", false, false),
            ("/ab", false, false),
            ("/e", false, false),
        ] {
            assert_eq!(holes.cover(place), is_covered, "{place}");
            assert_eq!(holes.are_within(place), holds_one, "{place}");
        }
        assert!(Holes::of(&value, true).cover("/e"));
    }
}
