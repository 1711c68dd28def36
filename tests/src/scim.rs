//! The directory: a real SCIM 2.0 server (scim2-server from PyPI), empty at its start.

use serde_json::{Value, json};

use crate::process::Process;
use crate::{Client, eventually, paths};

/// The bearer token that the directory asks for.
pub const SCIM_TOKEN: &str = "token-of-the-directory";

/// A running SCIM server. Requests to it carry [`SCIM_TOKEN`].
#[derive(Debug)]
pub struct ScimServer {
    client: Client,
    url: String,
    _process: Process,
}

impl ScimServer {
    /// Starts one with these groups in it, on a free port.
    ///
    /// # Panics
    ///
    /// When it is not installed or does not start.
    pub async fn start(groups: &[&str]) -> Self {
        let program = paths::installed("BATON_SCIM_SERVER", "venv/bin/scim2-server");
        let (process, url) = on_a_free_port("the directory", "/v2/ServiceProviderConfig", |port| {
            let arguments = [
                "--hostname",
                "127.0.0.1",
                "--port",
                port,
                "--bearer-token",
                SCIM_TOKEN,
            ];
            Process::start(&program, &arguments, &[])
        })
        .await;
        let server = Self {
            client: Client::new(&url, Some(SCIM_TOKEN)),
            url,
            _process: process,
        };
        for group in groups {
            server.create_group(group).await;
        }
        server
    }

    /// Its address, without the path `/v2` that its resources are under.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// All users that it holds.
    pub async fn users(&self) -> Vec<Value> {
        self.resources("/v2/Users").await
    }

    /// The user names of a group's members.
    ///
    /// # Panics
    ///
    /// When there is no such group.
    pub async fn members(&self, group: &str) -> Vec<String> {
        let groups = self.resources("/v2/Groups").await;
        let group = groups
            .iter()
            .find(|found| found["displayName"] == group)
            .expect("the group is there");
        let users = self.users().await;
        let name = |id: &Value| {
            users
                .iter()
                .find(|user| user["id"] == *id)
                .map(|user| user["userName"].clone())
        };
        let members = group["members"].as_array().cloned().unwrap_or_default();
        members
            .iter()
            .map(|member| {
                name(&member["value"])
                    .unwrap_or_default()
                    .as_str()
                    .unwrap_or("?")
                    .to_owned()
            })
            .collect()
    }

    async fn create_group(&self, name: &str) {
        let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name });
        let headers = [("content-type", "application/scim+json")];
        self.client
            .send("POST", "/v2/Groups", &headers, group.to_string())
            .await
            .expect(201);
    }

    async fn resources(&self, path: &str) -> Vec<Value> {
        let answer = self.client.get(path).await.expect(200).json();
        answer["Resources"].as_array().cloned().unwrap_or_default()
    }
}

/// Starts a server that must be told its port, on one that is free. Another process may take the port in
/// between; then another port is tried.
pub(crate) async fn on_a_free_port(
    what: &str,
    probe: &str,
    start: impl Fn(&str) -> Process,
) -> (Process, String) {
    for _ in 0..5 {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let port = socket
            .local_addr()
            .expect("a bound socket has an address")
            .port();
        drop(socket);
        let mut process = start(&port.to_string());
        let url = format!("http://127.0.0.1:{port}");
        let client = Client::new(&url, None);
        let answered = eventually(what, async || {
            if process.ended().is_some() {
                return Some(false);
            }
            client.try_get(probe).await.map(|_| true)
        })
        .await;
        if answered && process.ended().is_none() {
            return (process, url);
        }
        eprintln!(
            "{what} did not start on port {port}; it said:\n{}",
            process.output()
        );
    }
    panic!("{what} did not start");
}
