//! The host as a process.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use tempfile::TempDir;

use crate::client::Client;
use crate::process::Process;
use crate::{eventually, paths};

/// How a host is to be started: by default `baton dev` with a data directory of its own.
#[derive(Clone, Debug, Default)]
pub struct Start {
    data: Option<PathBuf>,
    config: Option<PathBuf>,
    arguments: Vec<String>,
    token: Option<String>,
    under: Vec<String>,
}

impl Start {
    /// Keep the data in this directory. Default: a new temporary one.
    pub fn data(mut self, directory: &Path) -> Self {
        self.data = Some(directory.to_owned());
        self
    }

    /// Grant this egress rule to the http connector (`--allow`).
    pub fn allow(self, rule: &str) -> Self {
        self.argument("--allow").argument(rule)
    }

    /// One more argument.
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Start `baton serve` with this configuration instead, and send this token with each request.
    pub fn serve(mut self, config: &Path, token: &str) -> Self {
        self.config = Some(config.to_owned());
        self.token = Some(token.to_owned());
        self
    }

    /// Start it by way of another program, which is given the host's command line as its last arguments
    /// and becomes the host, under the same process id.
    pub fn under(mut self, program: &[&str]) -> Self {
        self.under = program.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    ///
    /// When it ends before, showing what it said.
    pub async fn start(self) -> Host {
        let (data, temporary) = match &self.data {
            Some(directory) => (directory.clone(), None),
            None => {
                let directory = tempfile::tempdir().expect("a temporary directory can be made");
                (directory.path().to_owned(), Some(directory))
            }
        };
        let (process, client) = launch(&self, &data).await;
        Host {
            start: self,
            data,
            process,
            client,
            _temporary: temporary,
        }
    }
}

/// A running host. Requests go through it by way of [`Client`].
#[derive(Debug)]
pub struct Host {
    start: Start,
    data: PathBuf,
    process: Process,
    client: Client,
    _temporary: Option<TempDir>,
}

impl Host {
    /// `baton dev` with these egress rules for the http connector.
    pub async fn dev(rules: &[&str]) -> Self {
        rules
            .iter()
            .fold(Start::default(), |start, rule| start.allow(rule))
            .start()
            .await
    }

    /// Its process: output, memory, processor time.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// SIGKILL.
    pub async fn kill9(&mut self) {
        self.process.kill9().await;
    }

    /// Starts it again on the same data, after [`Host::kill9`] or [`Host::stop`].
    pub async fn restart(&mut self) {
        (self.process, self.client) = launch(&self.start, &self.data).await;
    }

    /// Starts it again, and kills it after so long, whether it is ready by then or not.
    pub async fn restart_briefly(&mut self, time: Duration) {
        self.process = spawn(&self.start, &self.data);
        tokio::time::sleep(time).await;
        self.process.kill9().await;
    }

    /// SIGTERM, and waits for the end.
    pub async fn stop(&mut self) -> ExitStatus {
        self.process.terminate().await
    }
}

impl Deref for Host {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

fn spawn(start: &Start, data: &Path) -> Process {
    let mut arguments: Vec<String> = match &start.config {
        None => vec!["dev".into()],
        Some(config) => vec![
            "serve".into(),
            "--config".into(),
            config.display().to_string(),
        ],
    };
    arguments.extend([
        "--listen".into(),
        "127.0.0.1:0".into(),
        "--data".into(),
        data.display().to_string(),
    ]);
    arguments.extend(start.arguments.iter().cloned());
    let mut words = start.under.clone();
    words.push(paths::baton().display().to_string());
    words.extend(arguments);
    Process::start(Path::new(&words[0]), &words[1..], &[])
}

async fn launch(start: &Start, data: &Path) -> (Process, Client) {
    let mut process = spawn(start, data);
    let base = eventually("the host announces its address", async || {
        let ended = process.ended();
        let output = process.output();
        assert!(
            ended.is_none(),
            "the host ended with {}; it said:\n{output}",
            ended.unwrap_or_default()
        );
        announced(&output)
    })
    .await;
    let client = Client::new(&base, start.token.as_deref());
    eventually("the host is ready", async || {
        let ended = process.ended();
        assert!(
            ended.is_none(),
            "the host ended; it said:\n{}",
            process.output()
        );
        client
            .try_get("/readyz")
            .await
            .filter(|answer| answer.status == 200)
    })
    .await;
    (process, client)
}

/// The first loopback address with a port in what a host has said.
fn announced(output: &str) -> Option<String> {
    const SCHEME: &str = "http://127.0.0.1:";
    let from = output.find(SCHEME)?;
    let port: String = output[from + SCHEME.len()..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    // The line may still be on its way: a port is complete when something follows it.
    let complete = output.len() > from + SCHEME.len() + port.len();
    (complete && port != "0" && !port.is_empty()).then(|| format!("{SCHEME}{port}"))
}
