//! Servers that speak the protocols of the language's calls, each a real implementation of its protocol.

use std::path::{Path, PathBuf};

use crate::process::Process;
use crate::scim::on_a_free_port;
use crate::{Authority, Client, eventually, paths};

/// A running server of some protocol, on a free port of loopback. It stops when it is dropped.
#[derive(Debug)]
pub struct Service {
    port: u16,
    process: Process,
}

impl Service {
    /// The gRPC service of `tests/servers/greeter.py` (grpcio from PyPI).
    ///
    /// # Panics
    ///
    /// When it is not installed or does not start; as for all of them.
    pub async fn greeter() -> Self {
        Self::python("greeter.py", None).await
    }

    /// The same over TLS.
    ///
    /// # Panics
    ///
    /// See [`Service::greeter`].
    pub async fn secured_greeter(authority: &Authority) -> Self {
        Self::python("greeter.py", Some(authority)).await
    }

    /// The A2A agent of `tests/servers/agent.py` (a2a-sdk from PyPI).
    ///
    /// # Panics
    ///
    /// See [`Service::greeter`].
    pub async fn agent() -> Self {
        Self::python("agent.py", None).await
    }

    /// The pages of `tests/servers/pages.py`, some behind passwords (httpbin from PyPI).
    ///
    /// # Panics
    ///
    /// See [`Service::greeter`].
    pub async fn pages() -> Self {
        Self::python("pages.py", None).await
    }

    /// The provider of identities of `tests/servers/identity.mjs` (oidc-provider from npm), with an API that takes
    /// its tokens.
    ///
    /// # Panics
    ///
    /// See [`Service::greeter`].
    pub async fn identity() -> Self {
        let provider = paths::installed(
            "BATON_IDENTITY_PROVIDER",
            "node/node_modules/oidc-provider/lib/index.js",
        );
        let provider = provider.to_string_lossy().into_owned();
        Self::script(&paths::node(), "identity.mjs", vec![provider]).await
    }

    /// The websocket server of `tests/servers/echo.py` (websockets from PyPI).
    ///
    /// # Panics
    ///
    /// See [`Service::greeter`].
    pub async fn websocket() -> Self {
        Self::python("echo.py", None).await
    }

    /// The same over TLS.
    ///
    /// # Panics
    ///
    /// See [`Service::greeter`].
    pub async fn secured_websocket(authority: &Authority) -> Self {
        Self::python("echo.py", Some(authority)).await
    }

    /// A NATS server (Debian's package `nats-server`), with these arguments besides.
    ///
    /// # Panics
    ///
    /// See [`Service::greeter`].
    pub async fn nats(arguments: &[&str]) -> Self {
        let program = paths::program("BATON_NATS_SERVER", "nats-server");
        let fixed = ["--addr", "127.0.0.1", "--port", "-1", "--http_port", "-1"];
        let all: Vec<&str> = fixed.iter().chain(arguments).copied().collect();
        let process = Process::start(&program, &all, &[]);
        let port = ready("nats-server", &process, |output| {
            listening(output, "for client connections on ")
        })
        .await;
        Self { port, process }
    }

    /// How many subscriptions of clients a NATS server has now.
    ///
    /// # Panics
    ///
    /// When it is no NATS server.
    pub async fn subscriptions(&self) -> u64 {
        let port = listening(&self.process.output(), "http monitor on ");
        let url = format!("http://127.0.0.1:{}", port.expect("a NATS server"));
        let clients = Client::new(&url, None).get("/connz").await.json();
        let counts = clients["connections"].as_array().into_iter().flatten();
        counts.filter_map(|it| it["subscriptions"].as_u64()).sum()
    }

    /// A server of the Model Context Protocol over HTTP, below `/mcp` (server-everything from npm).
    ///
    /// # Panics
    ///
    /// See [`Service::greeter`].
    pub async fn mcp() -> Self {
        let script = Self::mcp_script();
        let arguments = [
            script.to_string_lossy().into_owned(),
            "streamableHttp".into(),
        ];
        let (process, url) = on_a_free_port("the MCP server", "/mcp", |port| {
            Process::start(&paths::node(), &arguments, &[("PORT", port)])
        })
        .await;
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
        Self {
            port: port.expect("the address ends with the port"),
            process,
        }
    }

    /// The script of that server, which `node` runs.
    ///
    /// # Panics
    ///
    /// See [`Service::greeter`].
    pub fn mcp_script() -> PathBuf {
        paths::installed(
            "BATON_MCP_SERVER",
            "node/node_modules/@modelcontextprotocol/server-everything/dist/index.js",
        )
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address, for what speaks HTTP.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it has written so far.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// A NATS server over TLS.
    ///
    /// # Panics
    ///
    /// See [`Service::greeter`].
    pub async fn secured_nats(authority: &Authority) -> Self {
        let (certificate, key) = (authority.certificate(), authority.key());
        Self::nats(&["--tls", "--tlscert", &certificate, "--tlskey", &key]).await
    }

    /// A script of `tests/servers` that says `ready PORT`, over TLS where there is an authority.
    async fn python(script: &str, authority: Option<&Authority>) -> Self {
        let python = paths::installed("BATON_PYTHON", "venv/bin/python3");
        let files = authority.map(|authority| vec![authority.certificate(), authority.key()]);
        Self::script(&python, script, files.unwrap_or_default()).await
    }

    /// The same by whatever runs the script, with further arguments.
    async fn script(program: &Path, script: &str, further: Vec<String>) -> Self {
        let script: PathBuf = paths::file("tests/servers").join(script);
        let mut arguments = vec![script.to_string_lossy().into_owned()];
        arguments.extend(further);
        let process = Process::start(program, &arguments, &[]);
        let port = ready(&script.to_string_lossy(), &process, |output| {
            let line = output
                .lines()
                .find_map(|line| line.strip_prefix("ready "))?;
            line.parse().ok()
        })
        .await;
        Self { port, process }
    }
}

/// The port that a NATS server says that it listens on.
fn listening(output: &str, words: &str) -> Option<u16> {
    let line = output.lines().find(|line| line.contains(words))?;
    line.rsplit(':').next()?.trim().parse().ok()
}

/// Waits until a server says its port.
async fn ready(what: &str, process: &Process, port: impl Fn(&str) -> Option<u16>) -> u16 {
    eventually(&format!("{what} says its port"), async || {
        // Where it has ended before, asking for its id shows what it said.
        process.id();
        port(&process.output())
    })
    .await
}
