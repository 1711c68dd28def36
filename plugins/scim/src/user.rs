//! Users, from and to SCIM's JSON.

use serde_json::{Map, Value, json};

use crate::bindings::exports::baton::scim::directory::{Contact, Membership, Name, User};

/// The schema of users (RFC 7643, section 4.1).
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of their enterprise extension (RFC 7643, section 4.3).
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A user as the directory takes it: without its id, its groups and what is not given.
///
/// # Errors
///
/// Where `extra` is no object.
pub fn to_json(user: &User) -> Result<Value, String> {
    let mut fields = match user.extra.as_deref().map(serde_json::from_str::<Value>) {
        None => Map::new(),
        Some(Ok(Value::Object(fields))) => fields,
        Some(_) => return Err("user.extra: expected an object of attributes".to_owned()),
    };
    let mut schemas = vec![USER];
    let extension = without_null(json!({
        "department": user.department,
        "employeeNumber": user.employee_number,
        "manager": user.manager.as_ref().map(|id| json!({ "value": id })),
    }));
    if !extension.is_empty() {
        schemas.push(ENTERPRISE);
        fields.insert(ENTERPRISE.to_owned(), Value::Object(extension));
    }
    fields.extend(without_null(json!({
        "schemas": schemas,
        "externalId": user.external_id,
        "userName": user.user_name,
        "name": user.name.as_ref().map(|name| without_null(json!({
            "formatted": name.formatted,
            "familyName": name.family_name,
            "givenName": name.given_name,
        }))),
        "displayName": user.display_name,
        "title": user.title,
        "active": user.active,
        "emails": user.emails.as_deref().map(contacts),
        "phoneNumbers": user.phone_numbers.as_deref().map(contacts),
    })));
    Ok(Value::Object(fields))
}

/// A user as the directory gives it. What has another type than SCIM's schema says is left out.
pub fn from_json(mut value: Value) -> User {
    let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
    let extension = value.get(ENTERPRISE).cloned().unwrap_or_default();
    let user = User {
        id: text(&value, "id"),
        external_id: text(&value, "externalId"),
        user_name: text(&value, "userName").unwrap_or_default(),
        name: value
            .get("name")
            .filter(|name| name.is_object())
            .map(|name| Name {
                formatted: text(name, "formatted"),
                family_name: text(name, "familyName"),
                given_name: text(name, "givenName"),
            }),
        display_name: text(&value, "displayName"),
        title: text(&value, "title"),
        active: value.get("active").and_then(Value::as_bool),
        emails: contacts_of(&value, "emails"),
        phone_numbers: contacts_of(&value, "phoneNumbers"),
        groups: value.get("groups").and_then(Value::as_array).map(|groups| {
            let membership = |group: &Value| {
                Some(Membership {
                    id: text(group, "value")?,
                    display_name: text(group, "display"),
                })
            };
            groups.iter().filter_map(membership).collect()
        }),
        department: text(&extension, "department"),
        employee_number: text(&extension, "employeeNumber"),
        manager: extension
            .get("manager")
            .and_then(|manager| text(manager, "value")),
        extra: None,
    };
    const KNOWN: [&str; 12] = [
        "schemas",
        "id",
        "externalId",
        "userName",
        "name",
        "displayName",
        "title",
        "active",
        "emails",
        "phoneNumbers",
        "groups",
        ENTERPRISE,
    ];
    let rest = value.as_object_mut().map(|fields| {
        fields.retain(|name, value| !KNOWN.contains(&name.as_str()) && !value.is_null());
        std::mem::take(fields)
    });
    let extra = rest
        .filter(|rest| !rest.is_empty())
        .map(|rest| Value::Object(rest).to_string());
    User { extra, ..user }
}

fn contacts(contacts: &[Contact]) -> Value {
    let contact = |contact: &Contact| {
        let Contact {
            value,
            type_,
            primary,
        } = contact;
        Value::Object(without_null(
            json!({ "value": value, "type": type_, "primary": primary }),
        ))
    };
    contacts.iter().map(contact).collect()
}

fn contacts_of(user: &Value, name: &str) -> Option<Vec<Contact>> {
    let contact = |contact: &Value| {
        Some(Contact {
            value: contact.get("value")?.as_str()?.to_owned(),
            type_: contact
                .get("type")
                .and_then(Value::as_str)
                .map(str::to_owned),
            primary: contact.get("primary").and_then(Value::as_bool),
        })
    };
    Some(
        user.get(name)?
            .as_array()?
            .iter()
            .filter_map(contact)
            .collect(),
    )
}

/// The fields of an object, less those that are null.
fn without_null(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(mut fields) => {
            fields.retain(|_, value| !value.is_null());
            fields
        }
        _ => Map::new(),
    }
}
