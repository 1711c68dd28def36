//! One request to the directory, and its errors.

use outgoing::{ErrorKind, Request, Response, Send, Uri};
use serde_json::Value;

use crate::bindings::baton::connector::types::{Failure, FailureKind};

/// Where the directory is, and who is asking.
pub struct Client<'n, N> {
    /// What sends requests.
    pub network: &'n N,
    /// The setting `base-url`, without a slash at its end.
    pub base_url: String,
    /// The setting `token`.
    pub token: Option<String>,
    /// The call's idempotency key.
    pub idempotency_key: String,
}

impl<N: Send> Client<'_, N> {
    /// Sends a request to `path` below the base URL, and gives back the content; null where there is none.
    ///
    /// # Errors
    ///
    /// Where no response comes, or one with a status that is not a success.
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let text = format!("{}{path}", self.base_url);
        let uri = Uri::parse(text.as_str()).map_err(|error| Failure {
            status: None,
            ..failure(
                FailureKind::Configuration,
                "Invalid setting",
                format!("base-url: {text:?} is no URI: {error}"),
            )
        })?;
        let mut headers = vec![("accept".to_owned(), "application/scim+json".to_owned())];
        if let Some(token) = &self.token {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        if method != "GET" {
            headers.push(("idempotency-key".to_owned(), self.idempotency_key.clone()));
        }
        if body.is_some() {
            headers.push((
                "content-type".to_owned(),
                "application/scim+json".to_owned(),
            ));
        }
        let request = Request {
            method: method.to_owned(),
            uri: uri.to_owned(),
            headers,
            body: body.map(|body| body.to_string().into_bytes()),
        };
        let response = self.network.send(&request).map_err(|error| {
            let (kind, title) = match error.kind {
                ErrorKind::Configuration => (FailureKind::Configuration, "Not supported"),
                ErrorKind::Authentication => (FailureKind::Authentication, "Authentication failed"),
                ErrorKind::Refused => (FailureKind::Authorization, "Request not allowed"),
                ErrorKind::Invalid => (FailureKind::Configuration, "Invalid setting"),
                ErrorKind::Timeout => {
                    (FailureKind::Timeout, "The directory did not answer in time")
                }
                ErrorKind::Communication => (
                    FailureKind::Communication,
                    "The directory cannot be reached",
                ),
            };
            failure(kind, title, format!("{method} {text}: {}", error.detail))
        })?;
        match response.status {
            200..=299 if response.body.is_empty() => Ok(Value::Null),
            200..=299 => serde_json::from_slice(&response.body).map_err(|error| {
                let detail =
                    format!("{method} {text} answered with something that is no JSON: {error}");
                failure(FailureKind::Communication, "Invalid response", detail)
            }),
            _ => Err(refusal(method, &text, &response)),
        }
    }
}

/// A failure with what happened.
pub fn failure(kind: FailureKind, title: &str, detail: String) -> Failure {
    Failure {
        kind,
        title: title.to_owned(),
        detail: Some(detail),
        status: None,
        retry_after: None,
        data: None,
    }
}

/// An error of the directory (RFC 7644, section 3.12).
fn refusal(method: &str, uri: &str, response: &Response) -> Failure {
    let error: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |name: &str| error.get(name).and_then(Value::as_str);
    let kind = match response.status {
        400 => FailureKind::Validation,
        401 => FailureKind::Authentication,
        403 => FailureKind::Authorization,
        _ => FailureKind::Communication,
    };
    let title = match (text("scimType"), response.status) {
        (Some("uniqueness"), _) | (None, 409) => "Exists already",
        (Some("invalidFilter"), _) => "Invalid filter",
        (Some(_), _) | (None, 400) => "The directory refuses the data",
        (_, 401) => "The directory does not accept the token",
        (_, 403) => "The directory does not allow this",
        (_, 404) => "Not found",
        (_, 429) => "Too many requests",
        _ => "The directory failed",
    };
    let mut detail = format!("{method} {uri} answered {}", response.status);
    if let Some(said) = text("detail") {
        detail.push_str(": ");
        detail.extend(said.chars().take(500));
    }
    let seconds = response
        .header("retry-after")
        .and_then(|value| value.trim().parse::<u64>().ok());
    Failure {
        status: Some(response.status),
        retry_after: seconds.and_then(|seconds| seconds.checked_mul(1000)),
        data: error.is_object().then(|| error.to_string()),
        ..failure(kind, title, detail)
    }
}
