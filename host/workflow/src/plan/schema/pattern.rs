//! Regular expressions of schemas. They run natively, so that they must be of the kind that takes linear time, and
//! what they take of memory has a bound.

use std::collections::HashMap;

use serde_json::json;

/// How large a compiled pattern may be, in bytes. The default of the library is ten times that.
pub(super) const PATTERN_BYTES_MAX: usize = 1 << 20;

/// How large all patterns in the schemas of a workflow may be together, in bytes: a plan is kept for as long as it runs.
const PATTERNS_BYTES_MAX: usize = 16 << 20;

/// How much a pattern may take that is compiled to say what is wrong with it, in bytes.
const TRIED_BYTES_MAX: usize = 10 * PATTERN_BYTES_MAX;

/// The sizes that a pattern is held to have, in bytes.
const SIZES: [usize; 4] = [1 << 14, 1 << 16, 1 << 18, PATTERN_BYTES_MAX];

/// The room that is left for patterns, and what those weigh that have been met.
#[derive(Debug)]
pub(crate) struct SchemaPatterns {
    left: usize,
    known: HashMap<String, usize>,
}

impl Default for SchemaPatterns {
    fn default() -> Self {
        Self {
            left: PATTERNS_BYTES_MAX,
            known: HashMap::new(),
        }
    }
}

impl SchemaPatterns {
    /// About how large a pattern is when it is compiled, in bytes. Takes the room that it needs.
    ///
    /// # Errors
    ///
    /// A message, where it is too large, or there is no room for it beside the others.
    pub(super) fn weigh(&mut self, text: &str) -> Result<usize, String> {
        if let Some(&bytes) = self.known.get(text) {
            return self.take(bytes);
        }
        let bytes = match SIZES.into_iter().find(|size| compiles(text, *size)) {
            Some(bytes) => bytes,
            None if compiles(text, TRIED_BYTES_MAX) => {
                return Err(format!(
                    "the pattern takes more than {PATTERN_BYTES_MAX} bytes when it is compiled; repeat less with `{{n}}`, \
                     or check the length with `maxLength`"
                ));
            }
            // It is none, which is said elsewhere.
            None => 0,
        };
        self.known.insert(text.to_owned(), bytes);
        self.take(bytes)
    }

    fn take(&mut self, bytes: usize) -> Result<usize, String> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            format!(
                "the patterns of the workflow take more than {PATTERNS_BYTES_MAX} bytes when they are compiled; have fewer \
                 of them, or shorter ones"
            )
        })?;
        Ok(bytes)
    }
}

/// Whether a pattern compiles within so many bytes, as the library of schemas reads it.
fn compiles(text: &str, size: usize) -> bool {
    let options = jsonschema::PatternOptions::regex().size_limit(size);
    let options = jsonschema::options().with_pattern_options(options);
    options.build(&json!({ "pattern": text })).is_ok()
}
