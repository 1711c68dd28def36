//! The contract `baton:http`, in terms of [`crate::call()`].

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "baton:http/connector",
        generate_all,
        with: {
            "baton:connector/types@1.0.0": calls::bindings::baton::connector::types,
        },
    });
}

use bindings::baton::connector::call;
use bindings::exports::baton::http::http::{Failure, Guest, OutputFormat};
use outgoing::{Host, Network};

use crate::Arguments;

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

bindings::export!(Connector with_types_in bindings);
