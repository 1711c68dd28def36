//! The streamable HTTP transport (Model Context Protocol 2025-06-18, "Transports").

use calls::arguments::object;
use calls::value::kind_of;
use calls::{Endpoint, Failure};
use outgoing::authentication::{Authenticated, Environment};
use outgoing::{Answer, Open, Request};
use protocols::sse::Events;
use serde_json::Value;

use crate::session::{self, Received};
use crate::transport::{Outcome, Transport};

/// How many messages may stand before the answer in a stream. A server that only talks is not waited for.
const MESSAGES_MAX: usize = 10_000;

/// A session over HTTP: each message of ours is a POST, and what comes back is JSON or a stream of events.
pub struct Http<'n, N, E> {
    network: Authenticated<'n, N, E>,
    endpoint: Endpoint,
    headers: Vec<(String, String)>,
    session: Option<String>,
    version: Option<String>,
    idempotency_key: &'n str,
}

impl<'n, N: Open, E: Environment> Http<'n, N, E> {
    /// Reads the settings of the transport: `{ endpoint, headers }`.
    ///
    /// # Errors
    ///
    /// `validation` where they are none; `configuration` for a way of authentication that is not supported.
    pub fn read(
        settings: &Value,
        idempotency_key: &'n str,
        network: &'n N,
        host: &'n E,
    ) -> Result<Self, Failure> {
        let endpoint = settings.get("endpoint").unwrap_or(&Value::Null);
        let endpoint = Endpoint::read("transport.http.endpoint", endpoint)?;
        let given = settings.get("headers").map(Value::to_string);
        let given = object("transport.http.headers", given.as_deref())?;
        let mut headers = Vec::new();
        for (name, value) in given {
            let value = match value {
                Value::Null => continue,
                Value::String(text) => text,
                value @ (Value::Bool(_) | Value::Number(_)) => value.to_string(),
                other => {
                    return Err(Failure::validation(format!(
                        "transport.http.headers.{name}: expected text, and found {}",
                        kind_of(&other)
                    )));
                }
            };
            headers.push((name, value));
        }
        Ok(Self {
            network: endpoint.network(network, host),
            endpoint,
            headers,
            session: None,
            version: None,
            idempotency_key,
        })
    }

    /// A request to the server, with what the session says.
    fn build(&self, method: &str, body: Option<&Value>) -> Request {
        let mut headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        headers.push(("accept", "application/json, text/event-stream"));
        if let Some(session) = &self.session {
            headers.push(("mcp-session-id", session));
        }
        if let Some(version) = &self.version {
            headers.push(("mcp-protocol-version", version));
        }
        if let Some(body) = body {
            headers.push(("content-type", "application/json"));
            if is_the_call(body) {
                headers.push(("idempotency-key", self.idempotency_key));
            }
        }
        let body = body.map(|body| body.to_string().into_bytes());
        self.endpoint.request(method, &headers, body)
    }

    /// Sends a message, and gives the answer to it where the status is a success.
    fn post(&mut self, message: &Value) -> Result<(Request, Answer), Failure> {
        let request = self.build("POST", Some(message));
        let failed = |error| Failure::no_response(&request, &error);
        let answer = self.network.open(&request).map_err(failed)?;
        if !(200..=299).contains(&answer.status) {
            let response = answer.whole().map_err(failed)?;
            return Err(Failure::status(&request, &response));
        }
        if let Some(session) = answer.header("mcp-session-id") {
            self.session = Some(session.to_owned());
        }
        Ok((request, answer))
    }

    /// Deals with a message of the server's. Gives the answer where it is the one to `id`.
    fn take(&mut self, message: Value, id: &Value) -> Result<Option<Outcome>, Failure> {
        match session::receive(message, id)? {
            Received::Outcome(outcome) => Ok(Some(outcome)),
            Received::Request { reply } => self.send(&reply).map(|()| None),
            Received::Other => Ok(None),
        }
    }

    fn stream(
        &mut self,
        request: &Request,
        mut answer: Answer,
        id: &Value,
    ) -> Result<Outcome, Failure> {
        let mut events = Events::new(&mut *answer.body);
        for _ in 0..MESSAGES_MAX {
            let event = events
                .receive()
                .map_err(|error| Failure::no_response(request, &error))?;
            let Some(event) = event else {
                return Err(Failure::broken(format!(
                    "POST {}: the stream of events ended without an answer",
                    request.uri
                )));
            };
            if !matches!(event.kind.as_str(), "" | "message") || event.data.is_empty() {
                continue;
            }
            let message = json(request, event.data.as_bytes())?;
            if let Some(outcome) = self.take(message, id)? {
                return Ok(outcome);
            }
        }
        Err(Failure::broken(format!(
            "POST {}: no answer was among the first {MESSAGES_MAX} messages",
            request.uri
        )))
    }
}

impl<N: Open, E: Environment> Transport for Http<'_, N, E> {
    fn request(&mut self, message: &Value) -> Result<Outcome, Failure> {
        let id = message["id"].clone();
        let (request, answer) = self.post(message)?;
        let media_type = answer.header("content-type").unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "text/event-stream" => self.stream(&request, answer, &id),
            "application/json" => {
                let response = answer
                    .whole()
                    .map_err(|error| Failure::no_response(&request, &error))?;
                let message = json(&request, &response.body)?;
                self.take(message, &id)?.ok_or_else(|| {
                    Failure::broken(format!("POST {}: this answers something else", request.uri))
                })
            }
            other => Err(Failure::broken(format!(
                "POST {}: the answer is neither JSON nor a stream of events, but {other:?}",
                request.uri
            ))),
        }
    }

    fn send(&mut self, message: &Value) -> Result<(), Failure> {
        self.post(message).map(drop)
    }

    fn agreed(&mut self, version: &str) {
        self.version = Some(version.to_owned());
    }

    fn close(&mut self) {
        if self.session.is_some() {
            // A server need not allow it (405), and forgets the session some day by itself.
            let _ = self.network.open(&self.build("DELETE", None));
        }
    }
}

fn json(request: &Request, text: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(text).map_err(|error| {
        let shown = calls::failure::start_of(text);
        let uri = &request.uri;
        Failure::broken(format!(
            "POST {uri}: the answer is no JSON: {error}: {shown}"
        ))
    })
}

/// Whether a message is the one for whose sake the session is there. The key of the call is its own: what opens the
/// session under the same key would be taken for it by whoever goes by keys.
fn is_the_call(message: &Value) -> bool {
    let method = message["method"].as_str();
    message.get("id").is_some() && method.is_some_and(|method| method != "initialize")
}
