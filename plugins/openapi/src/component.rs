//! The contract `baton:openapi`, in terms of [`crate::call()`].

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "baton:openapi/connector",
        generate_all,
        with: {
            "baton:connector/types@1.0.0": calls::bindings::baton::connector::types,
        },
    });
}

use bindings::baton::connector::call;
use bindings::exports::baton::openapi::openapi::{Failure, Guest, OutputFormat};
use outgoing::{Host, Network};

use crate::Arguments;

struct Connector;

impl Guest for Connector {
    fn call(
        document: String,
        operation_id: String,
        parameters: Option<String>,
        authentication: Option<String>,
        output: Option<OutputFormat>,
        redirect: Option<bool>,
    ) -> Result<String, Failure> {
        let arguments = Arguments {
            document,
            operation_id,
            parameters,
            authentication,
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

bindings::export!(Connector with_types_in bindings);
