//! The contract `baton:scim`, in terms of [`crate::directory`].

use outgoing::Network;

use crate::bindings::baton::connector::call;
use crate::bindings::baton::connector::types::{Failure, FailureKind};
use crate::bindings::exports::baton::scim::directory::{Group, Guest, Operation, User};
use crate::bindings::wasi::config::store;
use crate::client::{Client, failure};

struct Connector;

/// The directory that the settings name.
fn directory() -> Result<Client<'static, Network>, Failure> {
    let Some(base_url) = setting("base-url")? else {
        let detail = "the connector scim needs the setting `base-url`, where the directory is, as \
                      https://directory.example.org/scim/v2: give it with the grant";
        return Err(failure(
            FailureKind::Configuration,
            "Missing setting",
            detail.to_owned(),
        ));
    };
    Ok(Client {
        network: &Network,
        base_url: base_url.trim_end_matches('/').to_owned(),
        token: setting("token")?,
        idempotency_key: call::get().idempotency_key,
    })
}

fn setting(name: &str) -> Result<Option<String>, Failure> {
    let value = store::get(name).map_err(|error| {
        let detail = format!("the setting `{name}` cannot be read: {error:?}");
        failure(FailureKind::Configuration, "Setting not readable", detail)
    })?;
    Ok(value.filter(|value| !value.is_empty()))
}

impl Guest for Connector {
    fn create_user(user: User) -> Result<User, Failure> {
        directory()?.create_user(&user)
    }

    fn get_user(id: String) -> Result<User, Failure> {
        directory()?.get_user(&id)
    }

    fn find_user(user_name: String) -> Result<Option<User>, Failure> {
        directory()?.find_user(&user_name)
    }

    fn find_users(filter: String) -> Result<Vec<User>, Failure> {
        directory()?.find_users(&filter)
    }

    fn patch_user(id: String, operations: Vec<Operation>) -> Result<User, Failure> {
        directory()?.patch_user(&id, &operations)
    }

    fn deactivate_user(id: String) -> Result<User, Failure> {
        directory()?.deactivate_user(&id)
    }

    fn delete_user(id: String) -> Result<(), Failure> {
        directory()?.delete_user(&id)
    }

    fn create_group(display_name: String) -> Result<Group, Failure> {
        directory()?.create_group(&display_name)
    }

    fn get_group(id: String) -> Result<Group, Failure> {
        directory()?.get_group(&id)
    }

    fn find_group(display_name: String) -> Result<Option<Group>, Failure> {
        directory()?.find_group(&display_name)
    }

    fn add_member(group_id: String, user_id: String) -> Result<(), Failure> {
        directory()?.add_member(&group_id, &user_id)
    }

    fn remove_member(group_id: String, user_id: String) -> Result<(), Failure> {
        directory()?.remove_member(&group_id, &user_id)
    }
}

crate::bindings::export!(Connector with_types_in crate::bindings);
