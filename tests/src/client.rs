//! Requests over HTTP, and what the tests do most with the host's API.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::eventually;

/// A client of one server, with its token if it wants one.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    token: Option<String>,
    http: reqwest::Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// Expects a status.
    ///
    /// # Panics
    ///
    /// When it is another, showing the body.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the body: {}", self.text());
        self
    }

    /// Expects a problem detail (RFC 9457) with this status, and returns it.
    ///
    /// # Panics
    ///
    /// When it is something else: another status or media type, a member missing, no JSON.
    pub fn problem(self, status: u16) -> Value {
        let answer = self.expect(status);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{}",
            answer.text()
        );
        let problem = answer.json();
        assert_eq!(problem["status"], status, "{problem}");
        for member in ["type", "title"] {
            assert!(problem[member].is_string(), "no `{member}` in {problem}");
        }
        problem
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON: {error}: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Plain requests.
impl Client {
    /// A client of the server at this address, which has no slash at its end.
    pub fn new(base: &str, token: Option<&str>) -> Self {
        Self {
            base: base.to_owned(),
            token: token.map(str::to_owned),
            http: http(),
        }
    }

    /// The server's address.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// The same server with another token, or none.
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self {
            token: token.map(str::to_owned),
            ..self.clone()
        }
    }

    /// A request to be sent by hand, with the token in it.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request and reads the answer.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        self.attempt(method, path, headers, body)
            .await
            .unwrap_or_else(|error| panic!("no answer to {method} {path}: {error:?}"))
    }

    /// Sends a request to a server that may not be there, or may go away before it has answered.
    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Option<Answer> {
        self.attempt(method, path, headers, body).await.ok()
    }

    async fn attempt(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Result<Answer> {
        let request = headers
            .iter()
            .fold(self.request(method, path), |request, (name, value)| {
                request.header(*name, *value)
            });
        read(request.body(body)).await
    }

    /// Sends a GET request.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// Sends a GET request to a server that may not be there.
    pub async fn try_get(&self, path: &str) -> Option<Answer> {
        read(self.request("GET", path)).await.ok()
    }

    /// Sends JSON.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "POST",
            path,
            &[("content-type", "application/json")],
            body.to_string(),
        )
        .await
    }

    /// Sends JSON.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "PUT",
            path,
            &[("content-type", "application/json")],
            body.to_string(),
        )
        .await
    }
}

/// What the tests do most with the host's API.
impl Client {
    /// Publishes a document.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub async fn publish(&self, document: impl Into<String>) -> Answer {
        self.send(
            "POST",
            "/v1/workflows",
            &[("content-type", "application/yaml")],
            document.into(),
        )
        .await
    }

    /// Publishes a file of the repository.
    ///
    /// # Panics
    ///
    /// When there is no such file, or the host refuses it.
    pub async fn publish_file(&self, path: &str) {
        let text = std::fs::read_to_string(crate::paths::file(path)).expect("the file can be read");
        let answer = self.publish(text).await;
        assert!(
            matches!(answer.status, 200 | 201),
            "{path} was refused: {}",
            answer.text()
        );
    }

    /// Starts a run of a workflow, named `namespace/name`, and returns its id.
    ///
    /// # Panics
    ///
    /// When the host refuses.
    pub async fn start(&self, workflow: &str, input: &Value) -> String {
        let run = self
            .post(
                &format!("/v1/workflows/{workflow}/runs"),
                &json!({ "input": input }),
            )
            .await
            .expect(202)
            .json();
        run["id"].as_str().expect("a run has an id").to_owned()
    }

    /// A run as it is now.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub async fn run(&self, id: &str) -> Value {
        self.get(&format!("/v1/runs/{id}")).await.expect(200).json()
    }

    /// Waits until a run has ended, and returns it.
    ///
    /// # Panics
    ///
    /// After a minute.
    pub async fn ended(&self, id: &str) -> Value {
        eventually("the run ends", async || {
            let run = self.run(id).await;
            matches!(
                run["status"].as_str(),
                Some("completed" | "faulted" | "cancelled")
            )
            .then_some(run)
        })
        .await
    }

    /// Publishes a document, starts a run of it, and returns the ended run.
    ///
    /// # Panics
    ///
    /// When the host refuses, or after a minute.
    pub async fn run_document(&self, document: &str, input: &Value) -> Value {
        let answer = self.publish(document).await;
        assert!(
            matches!(answer.status, 200 | 201),
            "the document was refused: {}",
            answer.text()
        );
        let workflow = answer.json();
        let name = |member: &str| {
            workflow[member]
                .as_str()
                .unwrap_or_else(|| panic!("no `{member}` in {workflow}"))
                .to_owned()
        };
        let id = self
            .start(&format!("{}/{}", name("namespace"), name("name")), input)
            .await;
        self.ended(&id).await
    }

    /// The whole history of a run, page by page.
    ///
    /// # Panics
    ///
    /// When there is no such run.
    pub async fn history(&self, id: &str) -> Vec<Value> {
        self.all(&format!("/v1/runs/{id}/history")).await
    }

    /// All items of a list, page by page.
    ///
    /// # Panics
    ///
    /// When there is no such list.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let at = if cursor.is_empty() {
                path.to_owned()
            } else {
                format!("{path}{joint}cursor={cursor}")
            };
            let page = self.get(&at).await.expect(200).json();
            items.extend(
                page["items"]
                    .as_array()
                    .unwrap_or_else(|| panic!("no `items` in {page}"))
                    .iter()
                    .cloned(),
            );
            match page["next"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return items,
            }
        }
    }

    /// Installs a connector under a name.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub async fn install(&self, name: &str, component: Vec<u8>) -> Answer {
        self.send(
            "POST",
            &format!("/v1/connectors?name={name}"),
            &[("content-type", "application/wasm")],
            component,
        )
        .await
    }

    /// Sets a connector's grant.
    ///
    /// # Panics
    ///
    /// When the host refuses.
    pub async fn grant(&self, name: &str, grant: &Value) {
        let answer = self
            .put(&format!("/v1/connectors/{name}/grants"), grant)
            .await;
        assert!(
            matches!(answer.status, 200 | 204),
            "the grant was refused: {} {}",
            answer.status,
            answer.text()
        );
    }
}

/// What sends the requests of the tests: by no proxy, and following no redirects.
pub(crate) fn http() -> reqwest::Client {
    // The host's own client has reqwest built with TLS and no provider of it, which this one shares when
    // all is built at once. It fails when there is one already, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    builder.build().expect("a client can be made")
}

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer {
        status,
        headers,
        body: response.bytes().await?,
    })
}
