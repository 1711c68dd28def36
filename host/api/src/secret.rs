//! Secrets: values that connectors use without holding them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A secret as it is set. What was there under the name is replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetSecret {
    /// The value. It can't be read back.
    pub value: SecretValue,
    /// The hosts that it may be sent to: names, names with `*.` in front for all below them, or addresses, each with
    /// a port or at every port. At least one, at most 64.
    #[schema(examples(json!(["api.example.org", "*.example.org", "127.0.0.1:8080"])))]
    pub hosts: Vec<String>,
    /// The members of the value that are no secret, such as a user name or the address of a token server: workflows
    /// get them as they are.
    #[serde(default)]
    pub public: Vec<String>,
}

/// The value of a secret: at most 32 KiB in all.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum SecretValue {
    /// A text.
    Text(String),
    /// Texts by name, at most 64.
    Members(BTreeMap<String, String>),
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}

/// A secret without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Secret {
    /// The name.
    pub name: String,
    /// The hosts that it may be sent to.
    pub hosts: Vec<String>,
    /// The names of its members; left out where it is a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<String>>,
    /// The members that are no secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public: Vec<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was last set.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_text_or_texts_and_is_not_shown() {
        for (text, expected) in [
            (
                r#"{"value":"hunter2","hosts":["a.example"]}"#,
                SecretValue::Text("hunter2".to_owned()),
            ),
            (
                r#"{"value":{"password":"hunter2"},"hosts":["a.example"],"public":[]}"#,
                SecretValue::Members([("password".to_owned(), "hunter2".to_owned())].into()),
            ),
        ] {
            let secret: SetSecret = serde_json::from_str(text).unwrap();
            assert_eq!(secret.value, expected);
            assert!(!format!("{secret:?}").contains("hunter2"));
        }
        let wrong = r#"{"value":{"password":["hunter2"]},"hosts":[]}"#;
        let error = serde_json::from_str::<SetSecret>(wrong).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
