//! The contract `baton:mcp`, in terms of [`crate::call()`].

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "baton:mcp/connector",
        generate_all,
        with: {
            "baton:connector/types@1.0.0": calls::bindings::baton::connector::types,
        },
    });
}

use bindings::baton::connector::call;
use bindings::exports::baton::mcp::mcp::{Failure, Guest};
use outgoing::{Host, Network, Patient};

use crate::Arguments;

struct Connector;

impl Guest for Connector {
    fn call(
        method: String,
        transport: String,
        parameters: Option<String>,
        protocol_version: Option<String>,
        timeout: Option<u64>,
        client: Option<String>,
    ) -> Result<String, Failure> {
        let arguments = Arguments {
            method,
            transport,
            parameters,
            protocol_version,
            client,
            idempotency_key: call::get().idempotency_key,
        };
        let result = match timeout {
            Some(milliseconds) => crate::call(
                &arguments,
                &Patient::within(milliseconds),
                &Host,
                &process::Patient::within(milliseconds),
            ),
            None => crate::call(&arguments, &Network, &Host, &process::Host),
        };
        result
            .map(|result| result.to_string())
            .map_err(Failure::from)
    }
}

bindings::export!(Connector with_types_in bindings);
