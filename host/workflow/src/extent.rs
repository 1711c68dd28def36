//! How large a value may become.
//!
//! A document can make data grow: a loop that puts its input into itself twice doubles it each time.
//! Everything a run holds is therefore bounded, by rules that depend on nothing but the data, so that a
//! replay comes to the same.

use serde_json::Value;

use crate::error::{Error, ErrorKind};

/// How deeply arrays and objects may be nested within one another. A value deeper than this could not be
/// read back from the journal, and working on it would need a stack that grows with it.
pub const DEPTH_MAX: usize = 100;

/// How large a value may be, in bytes of JSON text, roughly: every member and item counts a little more
/// than its text.
pub const BYTES_MAX: usize = 16 << 20;

/// How much data one event may make a run produce, in bytes. It is what a run may hold on to before
/// somebody else has a turn.
pub const BYTES_PER_EVENT_MAX: usize = 256 << 20;

/// What a value weighs beside its text: its place in an array or object.
const PLACE: usize = 8;

/// The size of a value in bytes; none where it is nested too deeply.
pub(crate) fn measure(value: &Value) -> Option<usize> {
    measure_within(value, DEPTH_MAX)
}

fn measure_within(value: &Value, depth: usize) -> Option<usize> {
    let own = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => {
            let depth = depth.checked_sub(1)?;
            items
                .iter()
                .try_fold(0, |sum, item| Some(sum + measure_within(item, depth)?))?
        }
        Value::Object(members) => {
            let depth = depth.checked_sub(1)?;
            let member =
                |(key, value): (&String, &Value)| Some(key.len() + measure_within(value, depth)?);
            members
                .iter()
                .try_fold(0, |sum, entry| Some(sum + member(entry)?))?
        }
    };
    Some(own + PLACE)
}

/// Checks that a value that comes from outside is one that a run can hold.
///
/// # Errors
///
/// A `validation` error that says which bound `what` goes beyond.
pub fn check(what: &str, value: &Value) -> Result<(), Error> {
    match measure(value) {
        Some(bytes) if bytes <= BYTES_MAX => Ok(()),
        Some(bytes) => Err(beyond(what, &too_large(bytes))),
        None => Err(beyond(what, &too_deep())),
    }
}

/// Whether a value can stand within an error, which is a value too.
pub(crate) fn fits_in_an_error(value: &Value) -> bool {
    measure_within(value, DEPTH_MAX - 1).is_some_and(|bytes| bytes <= BYTES_MAX / 2)
}

fn beyond(what: &str, why: &str) -> Error {
    Error::new(ErrorKind::Validation, format!("{what} is too large"), why)
}

fn too_deep() -> String {
    format!("it is nested more than {DEPTH_MAX} deep")
}

fn too_large(bytes: usize) -> String {
    format!(
        "it has {bytes} bytes, and {BYTES_MAX} are allowed: hand on only what is needed, with `output.as`"
    )
}

/// What is left of the bounds while a value is being made.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    bytes: usize,
    depth: usize,
}

impl Room {
    /// For one value, of which the event may still produce `left` bytes.
    pub(crate) fn new(left: usize) -> Self {
        Self {
            bytes: left.min(BYTES_MAX),
            depth: DEPTH_MAX,
        }
    }

    /// Takes room for a value that is about to be copied in; before it is, since it may not fit.
    ///
    /// # Errors
    ///
    /// A message that says which bound there is.
    pub(crate) fn take(&mut self, value: &Value) -> Result<(), String> {
        let bytes = measure_within(value, self.depth)
            .ok_or_else(|| format!("the value would be {}", nested()))?;
        self.take_bytes(bytes)
    }

    /// Takes room for something of that size.
    pub(crate) fn take_bytes(&mut self, bytes: usize) -> Result<(), String> {
        let left = self.bytes.checked_sub(bytes + PLACE);
        self.bytes = left.ok_or_else(|| {
            format!(
                "the value would be larger than {BYTES_MAX} bytes, or the run would have made more than \
                 {BYTES_PER_EVENT_MAX} bytes without a call or a wait"
            )
        })?;
        Ok(())
    }

    /// Goes one array or object further in.
    ///
    /// # Errors
    ///
    /// A message that says which bound there is.
    pub(crate) fn descend(&mut self) -> Result<(), String> {
        self.depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| format!("the value would be {}", nested()))?;
        Ok(())
    }

    /// Comes back out.
    pub(crate) fn ascend(&mut self) {
        self.depth += 1;
    }

    /// How much is left of what the event may produce, of which `before` were left at the start.
    pub(crate) fn left_of(&self, before: usize) -> usize {
        before - (before.min(BYTES_MAX) - self.bytes)
    }
}

fn nested() -> String {
    format!("nested more than {DEPTH_MAX} deep")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nested_arrays(depth: usize) -> Value {
        (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
    }

    #[test]
    fn depth_and_size_are_bounded() {
        assert!(check("it", &nested_arrays(DEPTH_MAX)).is_ok());
        let error = check("it", &nested_arrays(DEPTH_MAX + 1)).expect_err("it is too deep");
        assert_eq!(
            error.detail.as_deref(),
            Some("it is nested more than 100 deep")
        );
        assert!(check("it", &Value::String("x".repeat(BYTES_MAX - PLACE))).is_ok());
        assert!(check("it", &Value::String("x".repeat(BYTES_MAX))).is_err());
    }

    #[test]
    fn room_is_used_up() {
        let mut room = Room::new(64);
        assert_eq!(room.take(&json!("0123456789")), Ok(()));
        assert_eq!(room.take(&json!([1, 2])), Ok(()));
        assert!(room.take(&json!("0123456789")).is_err());
    }

    #[test]
    fn what_can_be_held_can_be_read_back() {
        let text = nested_arrays(DEPTH_MAX).to_string();
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }
}
