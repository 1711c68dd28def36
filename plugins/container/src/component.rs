//! The contract `baton:container`, in terms of [`crate::run()`].

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "baton:container/connector",
        generate_all,
    });
}

use bindings::baton::connector::call;
use bindings::baton::connector::types::{Failure, FailureKind};
use bindings::exports::baton::container::container::{
    self as contract, Guest, ProcessResult, PullPolicy,
};
use bindings::wasi::clocks::wall_clock;
use process::Host;

use crate::{Cleanup, Container, Kind, Pull, engine};

struct Connector;

impl Guest for Connector {
    fn run(
        image: String,
        name: String,
        command: Option<String>,
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
        ports: Vec<(String, String)>,
        volumes: Vec<(String, String)>,
        stdin: Option<String>,
        cleanup: contract::Cleanup,
        after: Option<u64>,
        pull_policy: PullPolicy,
        detached: bool,
    ) -> Result<ProcessResult, Failure> {
        let call = call::get();
        let container = Container {
            image,
            name: engine::name(&name),
            command,
            arguments,
            environment,
            ports,
            volumes,
            stdin,
            cleanup: match cleanup {
                contract::Cleanup::Always => Cleanup::Always,
                contract::Cleanup::Never => Cleanup::Never,
                contract::Cleanup::Eventually => Cleanup::Eventually(after.unwrap_or_default()),
            },
            pull: match pull_policy {
                PullPolicy::IfNotPresent => Pull::Missing,
                PullPolicy::Always => Pull::Always,
                PullPolicy::Never => Pull::Never,
            },
            detached,
            key: format!("{}/{}", call.idempotency_key, call.attempt),
        };
        let now = wall_clock::now();
        let now = i64::try_from(now.seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1000);
        let finished = crate::run(&container, now, &Host).map_err(Failure::from)?;
        Ok(ProcessResult {
            code: finished.code,
            stdout: finished.stdout,
            stderr: finished.stderr,
        })
    }
}

impl From<crate::Failure> for Failure {
    fn from(failure: crate::Failure) -> Self {
        Self {
            kind: match failure.kind {
                Kind::Configuration => FailureKind::Configuration,
                Kind::Validation => FailureKind::Validation,
                Kind::Authorization => FailureKind::Authorization,
                Kind::Runtime => FailureKind::Runtime,
            },
            title: failure.title.to_owned(),
            detail: Some(failure.detail),
            status: None,
            retry_after: None,
            data: None,
        }
    }
}

bindings::export!(Connector with_types_in bindings);
