//! The defaults of a message.

use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Fills in what `message` leaves out: `messageId`, which is the same for every attempt of a call, and `role`
/// (dsl-reference, "A2A Call"); and `kind`, without which it is no message (A2A 0.3, section 6.4).
pub fn complete(parameters: &mut Map<String, Value>, idempotency_key: &str) {
    let Some(message) = parameters.get_mut("message").and_then(Value::as_object_mut) else {
        return;
    };
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, idempotency_key.as_bytes());
    let defaults = [
        ("messageId", json!(id.to_string())),
        ("role", json!("user")),
        ("kind", json!("message")),
    ];
    for (name, value) in defaults {
        message.entry(name).or_insert(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_gets_the_same_id_for_every_attempt() {
        let completed = |key| {
            let mut parameters = Map::from_iter([("message".to_owned(), json!({ "parts": [] }))]);
            complete(&mut parameters, key);
            parameters["message"].clone()
        };
        let one = completed("key-1");
        assert_eq!(one["role"], "user");
        assert_eq!(one, completed("key-1"));
        assert_ne!(one["messageId"], completed("key-2")["messageId"]);
        let id = one["messageId"].as_str().expect("an id");
        assert!(Uuid::parse_str(id).is_ok(), "{id}");
    }

    #[test]
    fn what_is_there_stays() {
        let given = json!({ "messageId": "m", "role": "agent", "kind": "message" });
        let mut parameters = Map::from_iter([("message".to_owned(), given.clone())]);
        complete(&mut parameters, "key");
        assert_eq!(parameters["message"], given);
    }
}
