//! One request and its answer.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ANSWER_TIMEOUT, Client, ClientError};
use crate::limits;
use crate::page::PageRequest;
use crate::problem::{PROBLEM_JSON, Problem};
use crate::routes;

/// How much of an answer that isn't understood an error shows, in bytes.
const SHOWN_MAX: usize = 200;

/// A request that is being put together.
pub(super) struct Request<'c> {
    client: &'c Client,
    path: String,
    builder: RequestBuilder,
    query: Vec<(&'static str, String)>,
    timeout: Option<Duration>,
}

impl Client {
    pub(super) fn get(&self, path: &str) -> Request<'_> {
        self.request(Method::GET, path)
    }

    pub(super) fn post(&self, path: &str) -> Request<'_> {
        self.request(Method::POST, path)
    }

    pub(super) fn request(&self, method: Method, path: &str) -> Request<'_> {
        let mut builder = self.http.request(method, format!("{}{path}", self.server));
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token);
        }
        Request {
            client: self,
            path: path.to_owned(),
            builder,
            query: Vec::new(),
            timeout: Some(ANSWER_TIMEOUT),
        }
    }
}

impl Request<'_> {
    /// Adds a query parameter, unless it has no value.
    pub(super) fn query(mut self, name: &'static str, value: Option<&str>) -> Self {
        self.query
            .extend(value.map(|value| (name, value.to_owned())));
        self
    }

    pub(super) fn page(self, page: &PageRequest) -> Self {
        let limit = page.limit.map(|limit| limit.to_string());
        self.query("cursor", page.cursor.as_deref())
            .query("limit", limit.as_deref())
    }

    /// Adds a header, unless it has no value.
    pub(super) fn header(mut self, name: &'static str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.builder = self.builder.header(name, value);
        }
        self
    }

    /// Asks for the answer to be held back.
    pub(super) fn wait(mut self, wait: Option<Duration>) -> Self {
        let Some(wait) = wait else { return self };
        let seconds = wait.as_secs().min(limits::WAIT_SECONDS_MAX);
        self.timeout = Some(ANSWER_TIMEOUT + Duration::from_secs(seconds));
        self.header("prefer", Some(&format!("wait={seconds}")))
    }

    /// Lets the answer take as long as it takes.
    pub(super) fn without_timeout(mut self) -> Self {
        self.timeout = None;
        self
    }

    pub(super) fn body(mut self, body: &impl Serialize) -> Self {
        self.builder = self.builder.json(body);
        self
    }

    pub(super) fn bytes(
        mut self,
        content_type: &'static str,
        body: impl Into<reqwest::Body>,
    ) -> Self {
        self.builder = self.builder.header(CONTENT_TYPE, content_type).body(body);
        self
    }

    /// Sends the request, and reads the answer as JSON.
    pub(super) async fn json<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let client = self.client;
        let response = self
            .header(ACCEPT.as_str(), Some("application/json"))
            .send()
            .await?;
        let status = response.status().as_u16();
        let body = read(client, response).await?;
        serde_json::from_slice(&body)
            .map_err(|error| not_understood(client, status, error.to_string()))
    }

    /// Sends the request, and gives the answer unless it is a refusal.
    pub(super) async fn send(self) -> Result<Response, ClientError> {
        let Self {
            client,
            path,
            builder,
            query,
            timeout,
        } = self;
        if routes::leads_elsewhere(&path) {
            return Err(ClientError::NotAName);
        }
        let (http, request) = builder.build_split();
        let unreachable = |error: reqwest::Error| ClientError::unreachable(&client.server, &error);
        let mut request = request.map_err(unreachable)?;
        if !query.is_empty() {
            request.url_mut().query_pairs_mut().extend_pairs(query);
        }
        *request.timeout_mut() = timeout;
        let response = http.execute(request).await.map_err(unreachable)?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(refusal(client, response).await),
        }
    }
}

async fn read(client: &Client, response: Response) -> Result<bytes::Bytes, ClientError> {
    response
        .bytes()
        .await
        .map_err(|error| ClientError::unreachable(&client.server, &error))
}

/// What the server said with a status that is no success.
async fn refusal(client: &Client, response: Response) -> ClientError {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let is_problem = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with(PROBLEM_JSON));
    let body = match read(client, response).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    if !is_problem {
        let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN_MAX)])
            .trim()
            .to_owned();
        return not_understood(client, status, shown);
    }
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => ClientError::Refused {
            problem: Box::new(problem),
            retry_after,
        },
        Err(error) => not_understood(client, status, error.to_string()),
    }
}

/// `Retry-After` in its form of seconds (RFC 9110 section 10.2.3), which is the one that the server uses.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .parse()
        .ok()
        .map(Duration::from_secs)
}

fn not_understood(client: &Client, status: u16, reason: String) -> ClientError {
    ClientError::NotUnderstood {
        server: client.server.clone(),
        status,
        reason,
    }
}
