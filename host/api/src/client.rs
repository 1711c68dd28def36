//! A typed client of the API.
//!
//! A [`Client`] is cheap to clone and keeps its connections open. Each method is one request to one route;
//! [`Client::watch`] alone goes on by itself. Nothing is retried: whoever calls knows best what may be sent
//! twice. To send the start of a run again safely, give it an idempotency key.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use baton_api::client::{Client, StartOptions};
//! use baton_api::run::StartRun;
//!
//! let client = Client::new("http://127.0.0.1:7070", None)?;
//! let run = client.start("examples", "hello", &StartRun::default(), &StartOptions::default()).await?;
//! let mut events = client.watch(&run.summary.id, None).await?;
//! while let Some(item) = events.next().await? {
//!     println!("{} {}", item.at, item.kind);
//! }
//! # Ok(())
//! # }
//! ```

mod download;
mod error;
mod events;
mod request;
mod tls;
mod watch;

use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::Value;

use crate::approval::{Approval, ApprovalFilter, DecideApproval};
use crate::connector::{CallFunction, CallResult, Connector, ConnectorSummary, Grants};
use crate::diagnostic::Validation;
use crate::event::{BATCHED, EventFilter, LoggedEvent, SentEvents};
use crate::health::Health;
use crate::history::HistoryItem;
use crate::page::{Page, PageRequest};
use crate::routes;
use crate::run::{
    CancelRun, ControlRun, RestartRun, RetryRun, Run, RunFilter, RunSummary, StartRun,
};
use crate::schedule::Schedule;
use crate::secret::{Secret, SetSecret};
use crate::workflow::{PublishedWorkflow, Workflow, WorkflowFilter, WorkflowSummary};

pub use download::Download;
pub use error::{ClientError, NewClientError};
pub use watch::Watch;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may take, besides the time that the request asks to be held back. Installing a large
/// connector compiles it, which takes seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// A client of one server, as one tenant.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    /// Without a trailing slash, so that a path can be put behind it.
    server: String,
    token: Option<String>,
}

/// How a run is started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartOptions {
    /// A key that makes the request safe to send again, at most [`crate::limits::IDEMPOTENCY_KEY_MAX`] characters.
    pub idempotency_key: Option<String>,
    /// How long to hold the answer back for the run to end, in whole seconds, at most
    /// [`crate::limits::WAIT_SECONDS_MAX`].
    pub wait: Option<Duration>,
}

impl Client {
    /// A client of the server at this URL: `http://127.0.0.1:7070`, or `https://…` with a path, if a proxy
    /// puts one before the API. The token is sent along with each request.
    ///
    /// # Errors
    ///
    /// The URL isn't one, or no root certificates are found for https.
    pub fn new(server: &str, token: Option<&str>) -> Result<Self, NewClientError> {
        let url = Url::parse(server)
            .map_err(|error| NewClientError::Url(server.to_owned(), error.to_string()))?;
        let host = url.host_str().unwrap_or_default();
        if !matches!(url.scheme(), "http" | "https") || host.is_empty() {
            let reason = "it must start with http:// or https:// and name a host".to_owned();
            return Err(NewClientError::Url(server.to_owned(), reason));
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            // The API never redirects, and a token must not follow to somewhere else.
            .redirect(reqwest::redirect::Policy::none())
            .tls_backend_preconfigured(tls::config(url.scheme() == "https")?);
        if is_loopback(host) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(NewClientError::Setup)?;
        let server = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self {
            http,
            server,
            token: token.map(str::to_owned),
        })
    }

    /// The server's URL, without a trailing slash.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Whether the server has recovered its runs and takes work.
    ///
    /// # Errors
    ///
    /// See [`ClientError`], as for each of the methods below.
    pub async fn ready(&self) -> Result<Health, ClientError> {
        self.get(routes::READY).json().await
    }

    /// Publishes a workflow document, YAML or JSON.
    pub async fn publish(&self, text: impl Into<String>) -> Result<PublishedWorkflow, ClientError> {
        self.post(routes::WORKFLOWS)
            .bytes("application/yaml", text.into())
            .json()
            .await
    }

    /// What is wrong with a workflow document, YAML or JSON.
    pub async fn validate(&self, text: impl Into<String>) -> Result<Validation, ClientError> {
        self.post(routes::VALIDATE)
            .bytes("application/yaml", text.into())
            .json()
            .await
    }

    /// A page of the versions of the workflows.
    pub async fn workflows(
        &self,
        filter: &WorkflowFilter,
        page: &PageRequest,
    ) -> Result<Page<WorkflowSummary>, ClientError> {
        let request = self.get(routes::WORKFLOWS);
        request
            .query("namespace", filter.namespace.as_deref())
            .query("name", filter.name.as_deref())
            .page(page)
            .json()
            .await
    }

    /// A version of a workflow; the highest without one.
    pub async fn workflow(
        &self,
        namespace: &str,
        name: &str,
        version: Option<&str>,
    ) -> Result<Workflow, ClientError> {
        let path = match version {
            Some(version) => routes::workflow_version(namespace, name, version),
            None => routes::workflow(namespace, name),
        };
        self.get(&path).json().await
    }

    /// Starts a run.
    pub async fn start(
        &self,
        namespace: &str,
        name: &str,
        start: &StartRun,
        options: &StartOptions,
    ) -> Result<Run, ClientError> {
        let request = self
            .post(&routes::workflow_runs(namespace, name))
            .wait(options.wait);
        request
            .header("idempotency-key", options.idempotency_key.as_deref())
            .body(start)
            .json()
            .await
    }

    /// A page of the runs, the newest first.
    pub async fn runs(
        &self,
        filter: &RunFilter,
        page: &PageRequest,
    ) -> Result<Page<RunSummary>, ClientError> {
        self.get(routes::RUNS)
            .query("status", filter.status.map(crate::run::RunStatus::name))
            .query("workflow", filter.workflow.as_deref())
            .query("tag", filter.tag.as_deref())
            .query("parent", filter.parent.as_deref())
            .query("restartOf", filter.restart_of.as_deref())
            .query("startedAfter", filter.started_after.as_deref())
            .query("startedBefore", filter.started_before.as_deref())
            .page(page)
            .json()
            .await
    }

    /// A run.
    pub async fn run(&self, id: &str) -> Result<Run, ClientError> {
        self.get(&routes::run(id)).json().await
    }

    /// A run when it has ended, or as it is after `wait`, in whole seconds and at most
    /// [`crate::limits::WAIT_SECONDS_MAX`].
    pub async fn wait(&self, id: &str, wait: Duration) -> Result<Run, ClientError> {
        self.get(&routes::run(id)).wait(Some(wait)).json().await
    }

    /// A page of a run's history, from the first line on.
    pub async fn history(
        &self,
        id: &str,
        page: &PageRequest,
    ) -> Result<Page<HistoryItem>, ClientError> {
        self.get(&routes::run_history(id)).page(page).json().await
    }

    /// A run's history after the line `after` and each line that is added to it, until the run has ended.
    pub async fn watch(&self, id: &str, after: Option<u64>) -> Result<Watch, ClientError> {
        Watch::open(self.clone(), id, after).await
    }

    /// Cancels a run.
    pub async fn cancel(&self, id: &str, cancel: &CancelRun) -> Result<Run, ClientError> {
        self.post(&routes::run_cancel(id)).body(cancel).json().await
    }

    /// Sends events (CloudEvents in their JSON form), all or none.
    pub async fn send_events(&self, events: &[Value]) -> Result<SentEvents, ClientError> {
        let body = Value::from(events).to_string();
        self.post(routes::EVENTS).bytes(BATCHED, body).json().await
    }

    /// The event with this id, of this source where several have sent one.
    pub async fn event(&self, id: &str, source: Option<&str>) -> Result<LoggedEvent, ClientError> {
        self.get(&routes::event(id))
            .query("source", source)
            .json()
            .await
    }

    /// A page of the events of the log, the oldest first. With `wait`, in whole seconds and at most
    /// [`crate::limits::WAIT_SECONDS_MAX`], an answer without events is held back for one to come.
    pub async fn events(
        &self,
        filter: &EventFilter,
        page: &PageRequest,
        wait: Option<Duration>,
    ) -> Result<Page<LoggedEvent>, ClientError> {
        let after = filter.after.map(|after| after.to_string());
        self.get(routes::EVENTS)
            .wait(wait)
            .query("type", filter.kind.as_deref())
            .query("source", filter.source.as_deref())
            .query("subject", filter.subject.as_deref())
            .query("after", after.as_deref())
            .page(page)
            .json()
            .await
    }

    /// Suspends a run.
    pub async fn suspend(&self, id: &str, control: &ControlRun) -> Result<Run, ClientError> {
        let request = self.post(&routes::run_suspend(id));
        request.body(control).json().await
    }

    /// Resumes a suspended run.
    pub async fn resume(&self, id: &str, control: &ControlRun) -> Result<Run, ClientError> {
        let request = self.post(&routes::run_resume(id));
        request.body(control).json().await
    }

    /// Tries a faulted run again, from the task that failed.
    pub async fn retry(&self, id: &str, retry: &RetryRun) -> Result<Run, ClientError> {
        self.post(&routes::run_retry(id)).body(retry).json().await
    }

    /// Starts a new run with what an ended run was started with.
    pub async fn restart(
        &self,
        id: &str,
        restart: &RestartRun,
        options: &StartOptions,
    ) -> Result<Run, ClientError> {
        let request = self.post(&routes::run_restart(id)).wait(options.wait);
        request
            .header("idempotency-key", options.idempotency_key.as_deref())
            .body(restart)
            .json()
            .await
    }

    /// Deletes a run that has ended.
    pub async fn delete_run(&self, id: &str) -> Result<(), ClientError> {
        let request = self.request(Method::DELETE, &routes::run(id));
        request.send().await.map(|_| ())
    }

    /// A page of the approvals.
    pub async fn approvals(
        &self,
        filter: &ApprovalFilter,
        page: &PageRequest,
    ) -> Result<Page<Approval>, ClientError> {
        let status = filter.status.map(crate::approval::ApprovalStatus::name);
        self.get(routes::APPROVALS)
            .query("status", status)
            .query("assignee", filter.assignee.as_deref())
            .query("run", filter.run.as_deref())
            .page(page)
            .json()
            .await
    }

    /// An approval.
    pub async fn approval(&self, id: &str) -> Result<Approval, ClientError> {
        self.get(&routes::approval(id)).json().await
    }

    /// Decides an approval, in the name of the token.
    pub async fn decide(&self, id: &str, decide: &DecideApproval) -> Result<Approval, ClientError> {
        self.post(&routes::approval(id)).body(decide).json().await
    }

    /// A page of the workflows that start by themselves.
    pub async fn schedules(&self, page: &PageRequest) -> Result<Page<Schedule>, ClientError> {
        self.get(routes::SCHEDULES).page(page).json().await
    }

    /// When a workflow starts by itself.
    pub async fn schedule(&self, namespace: &str, name: &str) -> Result<Schedule, ClientError> {
        self.get(&routes::schedule(namespace, name)).json().await
    }

    /// Lets a workflow start no more by itself.
    pub async fn pause_schedule(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Schedule, ClientError> {
        self.post(&routes::schedule_pause(namespace, name))
            .json()
            .await
    }

    /// Lets a workflow start by itself again.
    pub async fn resume_schedule(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Schedule, ClientError> {
        self.post(&routes::schedule_resume(namespace, name))
            .json()
            .await
    }

    /// Installs a component under a name; under the name of its WIT package without one.
    pub async fn install(
        &self,
        name: Option<&str>,
        component: Vec<u8>,
    ) -> Result<Connector, ClientError> {
        self.post(routes::CONNECTORS)
            .query("name", name)
            .bytes("application/wasm", component)
            .json()
            .await
    }

    /// A page of the connectors, by name.
    pub async fn connectors(
        &self,
        page: &PageRequest,
    ) -> Result<Page<ConnectorSummary>, ClientError> {
        self.get(routes::CONNECTORS).page(page).json().await
    }

    /// A connector.
    pub async fn connector(&self, name: &str) -> Result<Connector, ClientError> {
        self.get(&routes::connector(name)).json().await
    }

    /// Removes a connector and all that it was granted.
    pub async fn remove_connector(&self, name: &str) -> Result<(), ClientError> {
        self.request(Method::DELETE, &routes::connector(name))
            .send()
            .await
            .map(|_| ())
    }

    /// Replaces all that a connector was granted.
    pub async fn grant(&self, name: &str, grants: &Grants) -> Result<Connector, ClientError> {
        self.request(Method::PUT, &routes::connector_grants(name))
            .body(grants)
            .json()
            .await
    }

    /// Sets a secret.
    pub async fn set_secret(&self, name: &str, secret: &SetSecret) -> Result<Secret, ClientError> {
        self.request(Method::PUT, &routes::secret(name))
            .body(secret)
            .json()
            .await
    }

    /// Lists secrets, without their values.
    pub async fn secrets(&self, page: &PageRequest) -> Result<Page<Secret>, ClientError> {
        self.get(routes::SECRETS).page(page).json().await
    }

    /// Removes a secret.
    pub async fn remove_secret(&self, name: &str) -> Result<(), ClientError> {
        self.request(Method::DELETE, &routes::secret(name))
            .send()
            .await
            .map(|_| ())
    }

    /// Calls a function of a connector once, outside of any run.
    pub async fn call(&self, name: &str, call: &CallFunction) -> Result<CallResult, ClientError> {
        self.post(&routes::connector_call(name))
            .body(call)
            .json()
            .await
    }

    /// All that the host keeps, as `baton restore` takes it: for operators. It comes as it is read, and has to be
    /// checked by whoever keeps it.
    pub async fn backup(&self) -> Result<Download, ClientError> {
        let request = self.get(routes::BACKUP).without_timeout();
        let response = request.send().await?;
        Ok(Download::new(self.clone(), response))
    }
}

/// An HTTP client that is set up as [`Client`] is, for requests to others than a host: it follows no redirect, and
/// trusts the root certificates of the machine where `https` is needed.
///
/// # Errors
///
/// The machine has no root certificates.
pub fn http(https: bool) -> Result<reqwest::Client, NewClientError> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .tls_backend_preconfigured(tls::config(https)?)
        .build()
        .map_err(NewClientError::Setup)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']);
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_server() {
        for text in ["", "127.0.0.1:7070", "ftp://example.org", "http://"] {
            let error = Client::new(text, None).expect_err(text).to_string();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn keeps_the_path_of_a_proxy() {
        let client = Client::new("http://example.org/baton/", None).unwrap();
        assert_eq!(client.server(), "http://example.org/baton");
    }

    #[test]
    fn knows_loopback() {
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["example.org", "10.0.0.1", "localhost.example.org"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
