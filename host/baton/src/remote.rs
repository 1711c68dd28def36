//! A host somewhere, reached over its API.

use baton_api::Client;
use baton_api::client::{ClientError, NewClientError};
use baton_api::page::{Page, PageRequest};
use clap::Args;

use crate::failure::Failure;

/// Where `baton dev` listens unless it is told otherwise.
const SERVER_DEFAULT: &str = "http://127.0.0.1:7070";

/// Which host a command talks to, and as whom.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Host")]
pub(crate) struct Remote {
    // Not read by clap from the environment: some commands do more when the flag itself is there.
    /// The host's address [env: BATON_SERVER] [default: http://127.0.0.1:7070]
    #[arg(long, value_name = "URL")]
    server: Option<String>,

    /// The token that says who you are; a host that runs with `baton dev` needs none
    #[arg(
        long,
        value_name = "TOKEN",
        env = "BATON_TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
}

impl Remote {
    /// A client of the host.
    ///
    /// # Errors
    ///
    /// The address is none.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let server = self
            .server
            .clone()
            .or_else(|| std::env::var("BATON_SERVER").ok());
        let server = server.as_deref().unwrap_or(SERVER_DEFAULT);
        Ok(Client::new(server, self.token.as_deref())?)
    }

    /// Whether the command line itself names a host.
    pub(crate) fn names_a_host(&self) -> bool {
        self.server.is_some()
    }
}

impl From<NewClientError> for Failure {
    fn from(error: NewClientError) -> Self {
        Self::invalid("cannot reach a host").because(&error)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let failure = Self::new(&error);
        match &error {
            ClientError::NotAName => Self::invalid(&error),
            ClientError::Unreachable { .. } => {
                failure.help("start a host with `baton dev`, or name the one that runs with --server URL or BATON_SERVER")
            }
            ClientError::Refused { problem, .. } if problem.status == 401 => {
                failure.help("give a token of that host with --token or BATON_TOKEN")
            }
            ClientError::Refused { problem, .. } if problem.status >= 500 => match &problem.request_id {
                Some(id) => failure.help(format!("the host's log has more under the request id {id}")),
                None => failure,
            },
            ClientError::Refused { retry_after: Some(wait), .. } => {
                failure.help(format!("try again in {} s", wait.as_secs().max(1)))
            }
            _ => failure,
        }
    }
}

/// The first items of a list that comes in pages, as many as `--limit` says. Where there are more, that is said on standard error.
pub(crate) async fn limited<T>(
    limit: usize,
    page: impl AsyncFnMut(PageRequest) -> Result<Page<T>, ClientError>,
) -> Result<Vec<T>, Failure> {
    let (items, are_more) = collect(limit, page).await?;
    if are_more {
        anstream::eprintln!(
            "only the first {} are shown: --limit shows more",
            items.len()
        );
    }
    Ok(items)
}

/// The first `limit` items of a list that comes in pages, and whether there are more.
pub(crate) async fn collect<T>(
    limit: usize,
    mut page: impl AsyncFnMut(PageRequest) -> Result<Page<T>, ClientError>,
) -> Result<(Vec<T>, bool), Failure> {
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let Page { items: more, next } = page(PageRequest::after(cursor)).await?;
        items.extend(more);
        let are_more = items.len() > limit || next.is_some();
        items.truncate(limit);
        if !are_more || items.len() == limit {
            return Ok((items, are_more));
        }
        cursor = next;
    }
}
