//! Where in a document a part is, as a JSON pointer.

use std::fmt;
use std::sync::Arc;

/// A JSON pointer (RFC 6901) that shares its beginning with its parent's.
///
/// Writing each part's pointer out would take memory by the square of a document with long keys; this
/// takes one small allocation a part. [`ToString`] writes it out.
#[derive(Clone, Default)]
pub struct Pointer(Option<Arc<Step>>);

struct Step {
    parent: Pointer,
    token: Token,
}

enum Token {
    Key(Box<str>),
    Index(usize),
}

impl Pointer {
    /// The whole document.
    pub fn root() -> Self {
        Self(None)
    }

    /// The value under `key` of the mapping that this points to.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.child(Token::Key(key.into()))
    }

    /// The item `index`, from 0, of the list that this points to.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.child(Token::Index(index))
    }

    /// The key that it ends with. `None` for the whole document and for items of lists.
    pub fn last_key(&self) -> Option<&str> {
        match &self.0.as_deref()?.token {
            Token::Key(key) => Some(key),
            Token::Index(_) => None,
        }
    }

    fn child(&self, token: Token) -> Self {
        Self(Some(Arc::new(Step {
            parent: self.clone(),
            token,
        })))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(step) = &self.0 else { return Ok(()) };
        // As deep as the document, which is bounded.
        fmt::Display::fmt(&step.parent, f)?;
        match &step.token {
            Token::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1")),
            Token::Index(index) => write!(f, "/{index}"),
        }
    }
}

impl fmt::Debug for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::Pointer;

    #[test]
    fn special_characters_are_escaped_as_in_rfc_6901() {
        assert_eq!(Pointer::root().to_string(), "");
        assert_eq!(
            Pointer::root()
                .key("a/b")
                .key("m~n")
                .index(0)
                .key("")
                .to_string(),
            "/a~1b/m~0n/0/"
        );
    }
}
