//! URI templates: a URI with the input's members in it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::extent::BYTES_MAX;

/// All but the unreserved characters of RFC 3986, as RFC 6570 section 3.2.2 encodes them.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A URI template of which only Simple String Expansion is allowed (dsl-reference, "URI Template";
/// RFC 6570 section 3.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UriTemplate {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A member of the input, by its whole name: `pet.id` is the member "pet.id".
    Variable(String),
}

impl UriTemplate {
    /// Parses a template; none where there is no variable in it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, behind)) = rest.split_once('{') {
            let Some((name, behind)) = behind.split_once('}') else {
                break;
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Variable(name.trim().to_owned()));
            rest = behind;
        }
        if parts.is_empty() {
            return None;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Some(Self { parts })
    }

    /// Puts the members of `input` in. One that isn't there is the empty string.
    ///
    /// # Errors
    ///
    /// A member is an array or an object, or makes a part of the path one that means another path: `.` or `..`
    /// (RFC 3986 section 5.2.4). No encoding keeps these from being taken for that.
    pub(crate) fn expand(&self, input: &Value) -> Result<String, String> {
        let mut uri = String::new();
        let mut filled = Vec::new();
        for part in &self.parts {
            if uri.len() > BYTES_MAX {
                return Err(format!("the URI would be longer than {BYTES_MAX} bytes"));
            }
            match part {
                Part::Literal(text) => uri.push_str(text),
                Part::Variable(name) => {
                    filled.push((uri.len(), name));
                    push(&mut uri, name, input)?;
                }
            }
        }
        match filled.iter().find(|(at, _)| is_dots(&uri, *at)) {
            Some((_, name)) => Err(format!(
                "the variable {{{name}}} of the URI makes a part of its path `.` or `..`, which would lead to another path"
            )),
            None => Ok(uri),
        }
    }
}

/// Appends a member of the input, encoded.
fn push(uri: &mut String, name: &str, input: &Value) -> Result<(), String> {
    match input.get(name) {
        None | Some(Value::Null) => {}
        Some(Value::String(text)) => uri.extend(utf8_percent_encode(text, RESERVED)),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => uri.push_str(&value.to_string()),
        Some(Value::Array(_) | Value::Object(_)) => {
            return Err(format!(
                "the variable {{{name}}} of the URI is an array or an object; \
                 only a string, a number, a boolean or null can stand in a URI"
            ));
        }
    }
    Ok(())
}

/// Whether the segment of the path around the byte `at` is `.` or `..`, encoded or not.
fn is_dots(uri: &str, at: usize) -> bool {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    if at > path.len() {
        return false;
    }
    let start = path[..at].rfind('/').map_or(0, |slash| slash + 1);
    let end = path[at..].find('/').map_or(path.len(), |slash| at + slash);
    let segment = &path[start..end];
    segment.len() <= 6 && matches!(&*segment.to_lowercase().replace("%2e", "."), "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(template: &str, input: &Value, expected: &str) {
        let expanded = UriTemplate::parse(template)
            .map_or_else(|| Ok(template.to_owned()), |it| it.expand(input));
        assert_eq!(expanded.as_deref(), Ok(expected));
    }

    #[test]
    fn members_of_the_input_are_put_in() {
        check(
            "https://a.example/pet/{petId}",
            &json!({"petId": 1}),
            "https://a.example/pet/1",
        );
        check(
            "/{a}/{b}?c={c}",
            &json!({"a": "x y/z", "b": true, "c": null}),
            "/x%20y%2Fz/true?c=",
        );
        check(
            "/{pet.id}",
            &json!({"pet.id": "ü", "pet": {"id": 2}}),
            "/%C3%BC",
        );
        check("/{missing}/end", &json!({}), "//end");
        check("/plain", &json!({}), "/plain");
        check("/open{brace", &json!({}), "/open{brace");
    }

    #[test]
    fn members_cannot_lead_to_another_path() {
        let input = json!({"dot": ".", "dots": "..", "none": "", "name": "..x"});
        for (template, is_refused) in [
            ("https://a.example/users/{dots}", true),
            ("https://a.example/users/{dot}/keys", true),
            ("https://a.example/users/{dots}?all=1", true),
            ("https://a.example/users/{dots}#top", true),
            ("/{dot}{dot}", true),
            ("/.{none}/x", true),
            ("/%2E{dot}", true),
            ("{dots}/x", true),
            ("/{name}/{dot}{dots}", false),
            ("/users/{none}", false),
            ("/../users/{name}", false),
            ("/users?up={dots}", false),
            ("/users#{dots}", false),
        ] {
            let expanded = UriTemplate::parse(template)
                .expect("a variable")
                .expand(&input);
            assert_eq!(expanded.is_err(), is_refused, "{template} {expanded:?}");
        }
    }

    #[test]
    fn only_scalars_can_stand_in_a_uri() {
        let expanded = UriTemplate::parse("/{a}")
            .expect("a variable")
            .expand(&json!({"a": [1]}));
        assert!(expanded.is_err_and(|message| message.contains("{a}")));
    }
}
