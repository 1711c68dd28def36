//! The asset system: a real REST service over one JSON file (json-server from npm).

use serde_json::Value;
use tempfile::TempDir;

use crate::process::Process;
use crate::scim::on_a_free_port;
use crate::{Client, paths};

/// A running asset system.
#[derive(Debug)]
pub struct AssetServer {
    client: Client,
    url: String,
    _process: Process,
    _folder: TempDir,
}

impl AssetServer {
    /// Starts one that holds these collections, on a free port.
    ///
    /// # Panics
    ///
    /// When it is not installed or does not start.
    pub async fn start(collections: &Value) -> Self {
        Self::start_with_routes(collections, &serde_json::json!({})).await
    }

    /// The same, which answers under other paths too: `routes` says which is which, as json-server wants it.
    ///
    /// # Panics
    ///
    /// When it is not installed or does not start.
    pub async fn start_with_routes(collections: &Value, routes: &Value) -> Self {
        let script = paths::installed(
            "BATON_ASSET_SERVER",
            "node/node_modules/json-server/lib/cli/bin.js",
        );
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let file = folder.path().join("assets.json");
        std::fs::write(&file, collections.to_string()).expect("a new file can be written");
        let routes_file = folder.path().join("routes.json");
        std::fs::write(&routes_file, routes.to_string()).expect("a new file can be written");
        let (process, url) = on_a_free_port("the asset system", "/db", |port| {
            let arguments = [
                &*script.to_string_lossy(),
                "--host",
                "127.0.0.1",
                "--port",
                port,
                "--routes",
                &*routes_file.to_string_lossy(),
                &*file.to_string_lossy(),
            ]
            .map(str::to_owned);
            Process::start(&paths::node(), &arguments, &[])
        })
        .await;
        Self {
            client: Client::new(&url, None),
            url,
            _process: process,
            _folder: folder,
        }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything of a collection.
    pub async fn all(&self, collection: &str) -> Vec<Value> {
        let answer = self
            .client
            .get(&format!("/{collection}"))
            .await
            .expect(200)
            .json();
        answer.as_array().cloned().unwrap_or_default()
    }
}
