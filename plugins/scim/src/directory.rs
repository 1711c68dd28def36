//! The functions of the connector.

use outgoing::Send;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::bindings::baton::connector::types::{Failure, FailureKind};
use crate::bindings::exports::baton::scim::directory::{Group, Operation, OperationKind, User};
use crate::client::{Client, failure};
use crate::group::GROUP;
use crate::{group, user};

/// How many users a search gives at most.
pub const USERS_MAX: usize = 1000;
/// The message of a patch (RFC 7644, section 3.5.2).
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

impl<N: Send> Client<'_, N> {
    /// Creates a user, or gives back the one that an earlier attempt has created.
    pub fn create_user(&self, user: &User) -> Result<User, Failure> {
        let mut wanted = user.clone();
        let external_id = wanted
            .external_id
            .get_or_insert_with(|| self.idempotency_key.clone())
            .clone();
        let body = user::to_json(&wanted)
            .map_err(|detail| failure(FailureKind::Validation, "Invalid user", detail))?;
        match self.send("POST", "/Users", Some(&body)) {
            Ok(created) => Ok(user::from_json(created)),
            // After a crash nobody knows whether the first attempt got through. If it did, the user has
            // the external id that only this call gives.
            Err(refused) if refused.status == Some(409) => match self.find_user(&user.user_name)? {
                Some(found) if found.external_id.as_ref() == Some(&external_id) => Ok(found),
                _ => Err(Failure {
                    title: "User exists".to_owned(),
                    ..refused
                }),
            },
            Err(refused) => Err(refused),
        }
    }

    /// The user of that id.
    pub fn get_user(&self, id: &str) -> Result<User, Failure> {
        self.send("GET", &resource("/Users", id)?, None)
            .map(user::from_json)
    }

    /// The user of that name.
    pub fn find_user(&self, user_name: &str) -> Result<Option<User>, Failure> {
        let found = self.search("/Users", &format!("userName eq {}", quote(user_name)), 2)?;
        Ok(found.into_iter().next().map(user::from_json))
    }

    /// All users that a filter fits.
    pub fn find_users(&self, filter: &str) -> Result<Vec<User>, Failure> {
        let found = self.search("/Users", filter, USERS_MAX)?;
        Ok(found.into_iter().map(user::from_json).collect())
    }

    /// Changes a user.
    pub fn patch_user(&self, id: &str, operations: &[Operation]) -> Result<User, Failure> {
        let operations = operations
            .iter()
            .map(operation)
            .collect::<Result<Vec<_>, _>>()?;
        match self.patch(&resource("/Users", id)?, operations)? {
            // A directory may answer with nothing (RFC 7644, section 3.5.2).
            Value::Null => self.get_user(id),
            changed => Ok(user::from_json(changed)),
        }
    }

    /// Makes a user inactive.
    pub fn deactivate_user(&self, id: &str) -> Result<User, Failure> {
        let value = Some("false".to_owned());
        let path = Some("active".to_owned());
        self.patch_user(
            id,
            &[Operation {
                op: OperationKind::Replace,
                path,
                value,
            }],
        )
    }

    /// Deletes a user.
    pub fn delete_user(&self, id: &str) -> Result<(), Failure> {
        match self.send("DELETE", &resource("/Users", id)?, None) {
            Err(refused) if refused.status != Some(404) => Err(refused),
            _ => Ok(()),
        }
    }

    /// Creates a group. SCIM does not ask for unique names, so that an earlier attempt is looked for first.
    pub fn create_group(&self, display_name: &str) -> Result<Group, Failure> {
        let earlier = self.search(
            "/Groups",
            &format!("displayName eq {}", quote(display_name)),
            100,
        )?;
        let ours = |group: &Group| group.external_id.as_ref() == Some(&self.idempotency_key);
        if let Some(group) = earlier.iter().map(group::from_json).find(ours) {
            return Ok(group);
        }
        let body = json!({
            "schemas": [GROUP],
            "displayName": display_name,
            "externalId": self.idempotency_key,
        });
        self.send("POST", "/Groups", Some(&body))
            .map(|created| group::from_json(&created))
    }

    /// The group of that id.
    pub fn get_group(&self, id: &str) -> Result<Group, Failure> {
        let found = self.send("GET", &resource("/Groups", id)?, None)?;
        Ok(group::from_json(&found))
    }

    /// The group of that name.
    pub fn find_group(&self, display_name: &str) -> Result<Option<Group>, Failure> {
        let found = self.search(
            "/Groups",
            &format!("displayName eq {}", quote(display_name)),
            2,
        )?;
        if found.len() > 1 {
            let detail = format!("the directory has several groups of the name {display_name:?}");
            let ambiguous = failure(FailureKind::Communication, "Several groups", detail);
            return Err(Failure {
                status: Some(409),
                ..ambiguous
            });
        }
        Ok(found.first().map(group::from_json))
    }

    /// Adds a user to a group.
    pub fn add_member(&self, group_id: &str, user_id: &str) -> Result<(), Failure> {
        // Not every directory takes the same member twice as one.
        if self
            .get_group(group_id)?
            .members
            .iter()
            .any(|member| member == user_id)
        {
            return Ok(());
        }
        let add = json!({ "op": "add", "path": "members", "value": [{ "value": user_id }] });
        self.patch(&resource("/Groups", group_id)?, vec![add])
            .map(drop)
    }

    /// Takes a user out of a group.
    pub fn remove_member(&self, group_id: &str, user_id: &str) -> Result<(), Failure> {
        if !self
            .get_group(group_id)?
            .members
            .iter()
            .any(|member| member == user_id)
        {
            return Ok(());
        }
        let path = format!("members[value eq {}]", quote(user_id));
        let remove = json!({ "op": "remove", "path": path });
        self.patch(&resource("/Groups", group_id)?, vec![remove])
            .map(drop)
    }

    fn patch(&self, path: &str, operations: Vec<Value>) -> Result<Value, Failure> {
        self.send(
            "PATCH",
            path,
            Some(&json!({ "schemas": [PATCH], "Operations": operations })),
        )
    }

    /// The resources that a filter fits, page by page (RFC 7644, section 3.4.2.4).
    fn search(&self, path: &str, filter: &str, most: usize) -> Result<Vec<Value>, Failure> {
        let mut found: Vec<Value> = Vec::new();
        loop {
            let (start, count) = (found.len() + 1, (most - found.len()).min(100));
            let query = format!("filter={}&startIndex={start}&count={count}", encode(filter));
            let mut page = self.send("GET", &format!("{path}?{query}"), None)?;
            let total = page
                .get("totalResults")
                .and_then(Value::as_u64)
                .unwrap_or(0);
            let resources = page.get_mut("Resources").and_then(Value::as_array_mut);
            let resources = resources.map(std::mem::take).unwrap_or_default();
            let is_last = resources.is_empty();
            found.extend(resources);
            if is_last || found.len() as u64 >= total || found.len() >= most {
                found.truncate(most);
                return Ok(found);
            }
        }
    }
}

fn operation(operation: &Operation) -> Result<Value, Failure> {
    let mut json = json!({ "op": match operation.op {
        OperationKind::Add => "add",
        OperationKind::Remove => "remove",
        OperationKind::Replace => "replace",
    } });
    if let Some(path) = &operation.path {
        json["path"] = path.as_str().into();
    }
    if let Some(value) = &operation.value {
        json["value"] = serde_json::from_str(value).map_err(|error| {
            failure(
                FailureKind::Validation,
                "Invalid operation",
                format!("value: no JSON: {error}"),
            )
        })?;
    }
    Ok(json)
}

/// A string of a filter, which is one of JSON (RFC 7644, section 3.4.2.2).
fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// The path of a resource.
///
/// # Errors
///
/// `validation`: with that id, it would be the path of something else. There is no way to encode `.` and `..` that
/// keeps them from being taken away on the way (RFC 3986, section 6.2.2).
fn resource(kind: &str, id: &str) -> Result<String, Failure> {
    if matches!(id, "" | "." | "..") {
        return Err(failure(
            FailureKind::Validation,
            "Invalid id",
            format!("`{id}` can't be the id of a resource"),
        ));
    }
    Ok(format!("{kind}/{}", encode(id)))
}

/// A part of a path or a query.
fn encode(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}
