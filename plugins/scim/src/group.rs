//! Groups, from SCIM's JSON.

use serde_json::Value;

use crate::bindings::exports::baton::scim::directory::Group;

/// The schema of groups (RFC 7643, section 4.2).
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A group as the directory gives it.
pub fn from_json(value: &Value) -> Group {
    let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
    let members = value.get("members").and_then(Value::as_array);
    Group {
        id: text(value, "id").unwrap_or_default(),
        display_name: text(value, "displayName").unwrap_or_default(),
        external_id: text(value, "externalId"),
        members: members
            .into_iter()
            .flatten()
            .filter_map(|member| text(member, "value"))
            .collect(),
    }
}
