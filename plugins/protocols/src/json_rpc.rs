//! JSON-RPC 2.0.

use serde_json::{Map, Value, json};

use calls::{Failure, Kind};

/// A request: it has an id and wants an answer.
#[must_use]
pub fn request(id: u64, method: &str, params: Option<Value>) -> Value {
    let mut message = notification(method, params);
    message["id"] = Value::from(id);
    message
}

/// A notification: nobody answers it.
#[must_use]
pub fn notification(method: &str, params: Option<Value>) -> Value {
    let mut message = Map::new();
    message.insert("jsonrpc".to_owned(), Value::from("2.0"));
    message.insert("method".to_owned(), Value::from(method));
    if let Some(params) = params {
        message.insert("params".to_owned(), params);
    }
    Value::from(message)
}

/// A message from the other side.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// The answer to the request with this id.
    Answer {
        /// The id; null where the other side could not tell.
        id: Value,
        /// The result, or the error.
        outcome: Result<Value, RpcError>,
    },
    /// A request of the other side, which wants an answer.
    Request {
        /// Its id.
        id: Value,
        /// What is asked for.
        method: String,
    },
    /// Something that it tells.
    Notification,
}

/// An error object (JSON-RPC 2.0, section 5.1).
#[derive(Clone, Debug, PartialEq)]
pub struct RpcError {
    /// What kind of error.
    pub code: i64,
    /// A sentence.
    pub message: String,
    /// More, where there is.
    pub data: Option<Value>,
}

impl Incoming {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// `communication`, where it is none of JSON-RPC 2.0.
    pub fn read(message: Value) -> Result<Self, Failure> {
        let broken = |why: &str| {
            let shown = calls::failure::start_of(message.to_string().as_bytes());
            Failure::broken(format!("{why}: {shown}"))
        };
        if message["jsonrpc"] != "2.0" {
            return Err(broken("this is no message of JSON-RPC 2.0"));
        }
        if let Some(method) = message["method"].as_str() {
            return Ok(match message.get("id") {
                None => Self::Notification,
                Some(id) => Self::Request {
                    id: id.clone(),
                    method: method.to_owned(),
                },
            });
        }
        let id = message.get("id").cloned().unwrap_or_default();
        let outcome = match (message.get("result"), message.get("error")) {
            (Some(result), None | Some(Value::Null)) => Ok(result.clone()),
            (_, Some(error)) if error.is_object() => Err(RpcError {
                code: error["code"].as_i64().unwrap_or_default(),
                message: error["message"].as_str().unwrap_or_default().to_owned(),
                data: error.get("data").filter(|data| !data.is_null()).cloned(),
            }),
            _ => return Err(broken("this answer has neither a result nor an error")),
        };
        Ok(Self::Answer { id, outcome })
    }
}

impl RpcError {
    /// The failure of a call whose answer this is: `runtime`, with `code`, `message` and `data` to look at
    /// (dsl-reference, "A2A Call" and "MCP Call").
    #[must_use]
    pub fn into_failure(self, title: &str, method: &str) -> Failure {
        let Self {
            code,
            message,
            data,
        } = self;
        let detail = format!("{method} was answered with the error {code}: {message}");
        let mut shown = json!({ "code": code, "message": message });
        if let Some(data) = data {
            shown["data"] = data;
        }
        Failure::new(Kind::Runtime, title, detail).with_data(&shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart() {
        let read = |message| Incoming::read(message);
        assert_eq!(
            read(json!({"jsonrpc": "2.0", "id": 1, "result": null})),
            Ok(Incoming::Answer {
                id: json!(1),
                outcome: Ok(Value::Null)
            })
        );
        let error = json!({"code": -32601, "message": "no such method"});
        assert!(matches!(
            read(json!({"jsonrpc": "2.0", "id": 1, "error": error})),
            Ok(Incoming::Answer {
                outcome: Err(RpcError { code: -32601, .. }),
                ..
            })
        ));
        assert!(matches!(
            read(json!({"jsonrpc": "2.0", "id": "a", "method": "ping"})),
            Ok(Incoming::Request { .. })
        ));
        assert_eq!(
            read(json!({"jsonrpc": "2.0", "method": "progress"})),
            Ok(Incoming::Notification)
        );
        for message in [
            json!({"jsonrpc": "2.0", "id": 1}),
            json!({"id": 1, "result": 1}),
            json!([]),
            json!({"jsonrpc": "2.0", "id": 1, "error": "no"}),
        ] {
            assert_eq!(
                read(message).expect_err("no message").kind,
                Kind::Communication
            );
        }
    }
}
