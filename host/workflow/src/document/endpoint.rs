//! Where something is to be had (dsl-reference, "Endpoint" and "External Resource").

use super::read::{Field, Read, Reader, is_expression};
use super::{Authentication, Located, Location, Reusable};
use crate::diagnostic::code;

/// An endpoint, written as a URI or as a mapping.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The URI: a template (RFC 6570, simple expansion) or an expression.
    pub uri: Located<String>,
    /// How to authenticate there.
    pub authentication: Option<Reusable<Authentication>>,
    /// Where it is written.
    pub location: Location,
}

/// Something that is kept elsewhere.
#[derive(Debug, Clone)]
pub struct ExternalResource {
    /// `name`: what it is called.
    pub name: Option<Located<String>>,
    /// `endpoint`: where it is.
    pub endpoint: Endpoint,
}

impl Read for Endpoint {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let location = field.location();
        if field.as_str().is_some() {
            return Some(Self {
                uri: Uri::read(field, reader)?.0,
                authentication: None,
                location,
            });
        }
        let mut object =
            reader.object_or(field, "an endpoint", "a URI or an endpoint (a mapping)")?;
        let uri = object.required::<Uri>("uri");
        let authentication = object.optional("authentication");
        object.finish()?;
        Some(Self {
            uri: uri?.0,
            authentication: authentication?,
            location,
        })
    }
}

impl Read for ExternalResource {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "an external resource")?;
        let name = object.optional("name");
        let endpoint = object.required("endpoint");
        object.finish_with(|key| (key == "uri").then_some("did you mean `endpoint`?"))?;
        Some(Self {
            name: name?,
            endpoint: endpoint?,
        })
    }
}

/// A URI, a template of one, or an expression.
pub(super) struct Uri(pub(super) Located<String>);

impl Read for Uri {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = Located::<String>::read(field, reader)?;
        if is_expression(&text) || is_uri_template(&text) {
            return Some(Self(text));
        }
        let message = format!("`{}` is neither a URI nor an expression", text.value);
        let help = if text.contains("${") {
            "a text with expressions in it must be an expression as a whole: ${ \"https://example.org/\\(.id)\" }; or name a value in braces: https://example.org/{id}"
        } else {
            "write it like https://example.org/path or https://example.org/{id}"
        };
        reader.error(code::BAD_URI, &text.location, message, help.to_owned());
        None
    }
}

/// Whether a text can be a URI template (schema, `uriTemplate`): a URI reference without white space, in
/// which every brace is closed and encloses a name.
pub(super) fn is_uri_template(text: &str) -> bool {
    let scheme = text
        .split_once(':')
        .map(|(scheme, _)| scheme)
        .filter(|scheme| !scheme.contains(['/', '?', '#', '{']));
    let right_scheme = scheme.is_none_or(|scheme| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    });
    let mut open = false;
    for character in text.chars() {
        match character {
            '{' if !open => open = true,
            '}' if open => open = false,
            '{' | '}' | '"' | '<' | '>' | '\\' | '^' | '`' => return false,
            other if other.is_whitespace() || other.is_control() => return false,
            _ => {}
        }
    }
    !text.is_empty() && !open && right_scheme && !text.contains("{}") && !text.contains("${")
}

#[cfg(test)]
mod tests {
    use super::is_uri_template;

    #[test]
    fn templates_are_told_from_other_text() {
        let right = [
            "https://a.b/c",
            "https://a.b/{id}?q={q}#x",
            "/relative",
            "file:///x",
            "urn:a:b",
            "{base}/x",
            "http://localhost:8080/a",
        ];
        let wrong = [
            "",
            "https://a b",
            "https://a/{",
            "https://a/}",
            "https://a/{}",
            "${ .x",
            "https://a/${ .x }",
            "1a:b",
            "a\nb",
        ];
        for text in right {
            assert!(is_uri_template(text), "{text}");
        }
        for text in wrong {
            assert!(!is_uri_template(text), "{text}");
        }
    }
}
