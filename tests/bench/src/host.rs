//! The hosts that are measured.

use baton_tests::{Client, Host, Start, guests};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::driver::Target;

/// `baton dev` on an empty folder, with the connectors `adder` (impure) and `pure`, and these workflows. What is
/// allowed is granted to the http connector.
pub(crate) async fn alone(documents: &[String], allowed: &[&str]) -> Host {
    let start = allowed
        .iter()
        .fold(Start::default(), |start, rule| start.allow(rule));
    let host = start.start().await;
    furnish(&host, documents).await;
    host
}

/// The host and its only tenant.
pub(crate) fn target(host: &Host) -> Target {
    Target::new(host, None)
}

/// A host for many, so that what bounds one tenant is not in the way.
pub(crate) struct Many {
    /// The host.
    pub(crate) host: Host,
    /// Its tenants.
    pub(crate) tenants: Vec<Target>,
    _config: TempDir,
}

impl Many {
    /// `baton serve` on an empty folder with so many tenants, each of which has the connectors `adder`, `pure` and
    /// `hostile` and these workflows, and may reach what is allowed by the http connector.
    pub(crate) async fn start(count: usize, documents: &[String], allowed: &[&str]) -> Self {
        let tokens: Vec<_> = (0..count)
            .map(|number| format!("token-of-tenant-{number:04}-0123456789abcdef"))
            .collect();
        let tables: Vec<_> = tokens
            .iter()
            .enumerate()
            .map(|(number, token)| {
                let digest = hex::encode(Sha256::digest(token));
                format!(
                    "[[token]]\ntenant = \"t{number}\"\nname = \"bench\"\nsha256 = \"{digest}\"\n"
                )
            })
            .collect();
        let config = tempfile::tempdir().expect("a temporary directory can be made");
        let path = config.path().join("baton.toml");
        let text = format!("log-level = \"warn,baton=info\"\n{}", tables.concat());
        std::fs::write(&path, text).expect("a new file can be written");
        let host = Start::default().serve(&path, &tokens[0]).start().await;
        for token in &tokens {
            let tenant = host.with_token(Some(token));
            tenant
                .install("hostile", guests::hostile())
                .await
                .expect(201);
            furnish(&tenant, documents).await;
            if !allowed.is_empty() {
                tenant.grant("http", &json!({ "egress": allowed })).await;
            }
        }
        let tenants = tokens
            .iter()
            .map(|token| Target::new(&host, Some(token)))
            .collect();
        Self {
            host,
            tenants,
            _config: config,
        }
    }

    /// Starts it again on the same data, at another address.
    pub(crate) async fn restart(&mut self) {
        self.host.restart().await;
        for tenant in &mut self.tenants {
            *tenant = tenant.moved(&self.host);
        }
    }
}

async fn furnish(client: &Client, documents: &[String]) {
    client.install("adder", guests::adder()).await.expect(201);
    client
        .install("pure", guests::pure_adder())
        .await
        .expect(201);
    for document in documents {
        client.publish(document.clone()).await.expect(201);
    }
}
