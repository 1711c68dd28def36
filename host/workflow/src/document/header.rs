//! What a workflow is called (dsl-reference, "Document").

use semver::Version;
use serde_json::{Map, Value};

use super::read::{Field, Read, Reader};
use super::{Located, Location};
use crate::diagnostic::code;

/// The `document` of a workflow.
#[derive(Debug, Clone)]
pub struct Header {
    /// The version of the language: 1.0.x.
    pub dsl: Located<Version>,
    /// The namespace: 1 to 63 letters, digits and hyphens, no hyphen at either end.
    pub namespace: Located<String>,
    /// The name, with the same form.
    pub name: Located<String>,
    /// The workflow's own version.
    pub version: Located<Version>,
    /// A title for people.
    pub title: Option<Located<String>>,
    /// A summary for people, in Markdown.
    pub summary: Option<Located<String>>,
    /// Keys and values to find it by.
    pub tags: Option<Located<Map<String, Value>>>,
    /// Anything else.
    pub metadata: Option<Located<Map<String, Value>>>,
}

impl Header {
    /// The header of a document that has none.
    pub(super) fn of_nothing(location: &Location) -> Self {
        let none = || Located {
            value: String::new(),
            location: location.clone(),
        };
        let version = || Located {
            value: Version::new(1, 0, 0),
            location: location.clone(),
        };
        Self {
            dsl: version(),
            namespace: none(),
            name: none(),
            version: version(),
            title: None,
            summary: None,
            tags: None,
            metadata: None,
        }
    }
}

impl Read for Header {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "the workflow's `document`")?;
        let dsl = object.required("dsl");
        let namespace = object.required::<Located<String>>("namespace");
        let name = object.required::<Located<String>>("name");
        let version = object.required("version");
        let title = object.optional("title");
        let summary = object.optional("summary");
        let tags = object.optional("tags");
        let metadata = object.optional("metadata");
        let namespace = namespace.and_then(|text| label(text, object.reader()));
        let name = name.and_then(|text| label(text, object.reader()));
        let dsl = dsl.and_then(|version| supported(version, object.reader()));
        object.finish();
        Some(Self {
            dsl: dsl?,
            namespace: namespace?,
            name: name?,
            version: version?,
            title: title?,
            summary: summary?,
            tags: tags?,
            metadata: metadata?,
        })
    }
}

impl Read for Located<Version> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = Located::<String>::read(field, reader)?;
        match Version::parse(&text) {
            Ok(version) => Some(field.located(version)),
            Err(error) => {
                let message = format!("`{}` is not a semantic version: {error}", text.value);
                reader.error(
                    code::BAD_VALUE,
                    &text.location,
                    message,
                    "write three numbers: '1.0.0'".to_owned(),
                );
                None
            }
        }
    }
}

/// Checks that a name has the form of a DNS label (schema, `WorkflowName`).
fn label(name: Located<String>, reader: &mut Reader<'_>) -> Option<Located<String>> {
    let right = (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if right {
        return Some(name);
    }
    let message = format!("`{}` cannot be a name here", name.value);
    let help = "use 1 to 63 letters, digits and hyphens, with a letter or digit at both ends";
    reader.error(code::BAD_NAME, &name.location, message, help.to_owned());
    None
}

fn supported(version: Located<Version>, reader: &mut Reader<'_>) -> Option<Located<Version>> {
    if version.major == 1 && version.minor == 0 {
        return Some(version);
    }
    let message = format!("version {} of the DSL is not supported", version.value);
    reader.error(
        code::UNSUPPORTED_DSL,
        &version.location,
        message,
        "this host speaks 1.0.x: write dsl: '1.0.3'".to_owned(),
    );
    None
}
