//! The contract `baton:http`, in terms of [`crate::call()`].

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "baton:http/connector",
        generate_all,
    });
}

use bindings::baton::connector::call;
use bindings::baton::connector::types::{Failure, FailureKind};
use bindings::exports::baton::http::http::{Guest, OutputFormat};
use outgoing::{Host, Network};

use crate::{Arguments, Kind};

struct Connector;

impl Guest for Connector {
    fn request(
        method: String,
        endpoint: String,
        headers: Option<String>,
        query: Option<String>,
        body: Option<String>,
        output: Option<OutputFormat>,
        redirect: Option<bool>,
    ) -> Result<String, Failure> {
        let arguments = Arguments {
            method,
            endpoint,
            headers,
            query,
            body,
            output: match output {
                Some(OutputFormat::Raw) => crate::OutputFormat::Raw,
                Some(OutputFormat::Content) | None => crate::OutputFormat::Content,
                Some(OutputFormat::Response) => crate::OutputFormat::Response,
            },
            redirect: redirect.unwrap_or(false),
            idempotency_key: call::get().idempotency_key,
        };
        crate::call(&arguments, &Network, &Host).map_err(Failure::from)
    }
}

impl From<crate::Failure> for Failure {
    fn from(failure: crate::Failure) -> Self {
        Self {
            kind: match failure.kind {
                Kind::Configuration => FailureKind::Configuration,
                Kind::Validation => FailureKind::Validation,
                Kind::Authentication => FailureKind::Authentication,
                Kind::Authorization => FailureKind::Authorization,
                Kind::Timeout => FailureKind::Timeout,
                Kind::Communication => FailureKind::Communication,
            },
            title: failure.title,
            detail: Some(failure.detail),
            status: failure.status,
            retry_after: failure.retry_after,
            data: failure.data,
        }
    }
}

bindings::export!(Connector with_types_in bindings);
