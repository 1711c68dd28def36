//! The functions against a scripted directory.

use std::cell::RefCell;
use std::collections::VecDeque;

use outgoing::{Request, Response, SendError};
use scim::bindings::baton::connector::types::FailureKind;
use scim::bindings::exports::baton::scim::directory::{Contact, Name, User};
use scim::client::Client;
use serde_json::{Value, json};

/// A directory that gives the answers of a script, in order, and keeps what it was asked.
struct Script {
    answers: RefCell<VecDeque<(u16, Value)>>,
    requests: RefCell<Vec<Request>>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        Self {
            answers: RefCell::new(answers.into_iter().collect()),
            requests: RefCell::default(),
        }
    }

    fn asked(&self) -> Vec<String> {
        let requests = self.requests.borrow();
        requests
            .iter()
            .map(|request| format!("{} {}", request.method, request.uri))
            .collect()
    }

    fn body(&self, at: usize) -> Value {
        serde_json::from_slice(self.requests.borrow()[at].body.as_deref().unwrap()).unwrap()
    }
}

impl outgoing::Send for Script {
    fn send(&self, request: &Request) -> Result<Response, SendError> {
        self.requests.borrow_mut().push(request.clone());
        let (status, body) = self.answers.borrow_mut().pop_front().expect("not scripted");
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        Ok(Response {
            status,
            headers: vec![("retry-after".to_owned(), "2".to_owned())],
            body,
        })
    }
}

fn client(network: &Script) -> Client<'_, Script> {
    Client {
        network,
        base_url: "https://d.test/v2".to_owned(),
        token: Some("t".to_owned()),
        idempotency_key: "key-7".to_owned(),
    }
}

fn ada() -> User {
    User {
        id: None,
        external_id: None,
        user_name: "ada".to_owned(),
        name: Some(Name {
            formatted: None,
            family_name: Some("Lovelace".to_owned()),
            given_name: Some("Ada".to_owned()),
        }),
        display_name: None,
        title: None,
        active: Some(true),
        emails: Some(vec![Contact {
            value: "ada@d.test".to_owned(),
            type_: Some("work".to_owned()),
            primary: Some(true),
        }]),
        phone_numbers: None,
        groups: None,
        department: Some("Engines".to_owned()),
        employee_number: None,
        manager: Some("m1".to_owned()),
        extra: Some(r#"{"nickName":"Countess"}"#.to_owned()),
    }
}

fn list(resources: Value) -> Value {
    json!({ "totalResults": resources.as_array().unwrap().len(), "Resources": resources })
}

const EXTENSION: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[test]
fn a_user_is_sent_in_the_spelling_of_scim_and_read_back() {
    let directory = Script::new([(201, Value::Null)]);
    client(&directory).create_user(&ada()).unwrap();
    let sent = directory.body(0);
    assert_eq!(
        sent,
        json!({
            "nickName": "Countess",
            EXTENSION: { "department": "Engines", "manager": { "value": "m1" } },
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", EXTENSION],
            "externalId": "key-7",
            "userName": "ada",
            "name": { "familyName": "Lovelace", "givenName": "Ada" },
            "active": true,
            "emails": [{ "value": "ada@d.test", "type": "work", "primary": true }],
        })
    );
    let back = scim::user::from_json(sent);
    let wanted = User {
        external_id: Some("key-7".to_owned()),
        ..ada()
    };
    assert_eq!(format!("{back:?}"), format!("{wanted:?}"));
    let request = &directory.requests.borrow()[0];
    assert_eq!(request.header("idempotency-key"), Some("key-7"));
    assert_eq!(request.header("authorization"), Some("Bearer t"));
    assert_eq!(
        request.header("content-type"),
        Some("application/scim+json")
    );
}

#[test]
fn creating_again_gives_back_the_user_that_this_call_created() {
    let taken = json!({ "scimType": "uniqueness", "detail": "userName is taken", "status": "409" });
    let found =
        |external_id| list(json!([{ "id": "1", "userName": "ada", "externalId": external_id }]));

    let directory = Script::new([(409, taken.clone()), (200, found("key-7"))]);
    assert_eq!(
        client(&directory)
            .create_user(&ada())
            .unwrap()
            .id
            .as_deref(),
        Some("1")
    );
    assert_eq!(
        directory.asked()[1],
        "GET https://d.test/v2/Users?filter=userName%20eq%20%22ada%22&startIndex=1&count=2"
    );

    let directory = Script::new([(409, taken), (200, found("another"))]);
    let failure = client(&directory).create_user(&ada()).unwrap_err();
    assert_eq!(
        (failure.status, failure.title.as_str()),
        (Some(409), "User exists")
    );
    assert!(failure.detail.unwrap().contains("userName is taken"));
}

#[test]
fn statuses_become_failures() {
    for (status, kind) in [
        (400, FailureKind::Validation),
        (401, FailureKind::Authentication),
        (403, FailureKind::Authorization),
        (404, FailureKind::Communication),
        (429, FailureKind::Communication),
        (503, FailureKind::Communication),
    ] {
        let directory = Script::new([(status, json!({ "detail": "so it is" }))]);
        let failure = client(&directory).get_user("1").unwrap_err();
        assert_eq!(failure.kind, kind, "{status}");
        assert_eq!(
            (failure.status, failure.retry_after),
            (Some(status), Some(2000))
        );
        assert!(failure.detail.unwrap().ends_with("so it is"));
    }
}

#[test]
fn searches_read_page_after_page() {
    let page = |from: usize, to: usize| {
        let users: Vec<Value> = (from..to)
            .map(|n| json!({ "userName": n.to_string() }))
            .collect();
        (200, json!({ "totalResults": 150, "Resources": users }))
    };
    let directory = Script::new([page(0, 100), page(100, 150)]);
    assert_eq!(
        client(&directory)
            .find_users("active eq true")
            .unwrap()
            .len(),
        150
    );
    assert!(directory.asked()[1].ends_with("startIndex=101&count=100"));
}

#[test]
fn names_in_filters_and_paths_are_quoted() {
    let directory = Script::new([(200, list(json!([]))), (204, Value::Null)]);
    let client = client(&directory);
    assert!(client.find_user(r#"a" or userName pr"#).unwrap().is_none());
    assert!(directory.asked()[0].contains("userName%20eq%20%22a%5C%22%20or%20userName%20pr%22"));
    client.delete_user("../Groups").unwrap();
    assert_eq!(
        directory.asked()[1],
        "DELETE https://d.test/v2/Users/..%2FGroups"
    );
}

#[test]
fn an_id_that_leads_elsewhere_is_refused_before_anything_is_asked() {
    let directory = Script::new([]);
    let client = client(&directory);
    for id in ["", ".", ".."] {
        for refused in [
            client.delete_user(id).unwrap_err(),
            client.get_user(id).map(drop).unwrap_err(),
            client.deactivate_user(id).map(drop).unwrap_err(),
            client.add_member(id, "u").unwrap_err(),
            client.remove_member(id, "u").unwrap_err(),
        ] {
            assert_eq!(refused.title, "Invalid id", "{id}");
        }
    }
    assert_eq!(directory.asked(), Vec::<String>::new());
}

#[test]
fn members_are_added_and_removed_once() {
    let group = |members: Value| {
        (
            200,
            json!({ "id": "g", "displayName": "G", "members": members }),
        )
    };
    let directory = Script::new([group(json!([])), (204, Value::Null)]);
    client(&directory).add_member("g", "u").unwrap();
    assert_eq!(
        directory.body(1)["Operations"],
        json!([{ "op": "add", "path": "members", "value": [{ "value": "u" }] }])
    );
    let directory = Script::new([group(json!([{ "value": "u" }]))]);
    client(&directory).add_member("g", "u").unwrap();
    let directory = Script::new([group(json!([{ "value": "u" }])), (204, Value::Null)]);
    client(&directory).remove_member("g", "u").unwrap();
    let remove = &directory.body(1)["Operations"][0];
    assert_eq!(remove["path"], r#"members[value eq "u"]"#);
}

#[test]
fn deleting_what_is_gone_is_no_failure() {
    let directory = Script::new([(404, Value::Null)]);
    client(&directory).delete_user("1").unwrap();
}

#[test]
fn deactivating_asks_again_where_the_answer_is_empty() {
    let directory = Script::new([
        (204, Value::Null),
        (200, json!({ "userName": "ada", "active": false })),
    ]);
    assert_eq!(
        client(&directory).deactivate_user("1").unwrap().active,
        Some(false)
    );
    assert_eq!(
        directory.body(0)["Operations"],
        json!([{ "op": "replace", "path": "active", "value": false }])
    );
}

#[test]
fn several_groups_of_a_name_are_a_failure() {
    let directory = Script::new([(200, list(json!([{ "id": "1" }, { "id": "2" }])))]);
    assert_eq!(
        client(&directory).find_group("G").unwrap_err().status,
        Some(409)
    );
}
