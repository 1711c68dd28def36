//! The contract `baton:a2a`, in terms of [`crate::call()`].

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "baton:a2a/connector",
        generate_all,
        with: {
            "baton:connector/types@1.0.0": calls::bindings::baton::connector::types,
        },
    });
}

use bindings::baton::connector::call;
use bindings::exports::baton::a2a::a2a::{Failure, Guest};
use outgoing::{Host, Network};

use crate::Arguments;

struct Connector;

impl Guest for Connector {
    fn call(
        method: String,
        agent_card: Option<String>,
        server: Option<String>,
        parameters: Option<String>,
    ) -> Result<String, Failure> {
        let arguments = Arguments {
            method,
            agent_card,
            server,
            parameters,
            idempotency_key: call::get().idempotency_key,
        };
        crate::call(&arguments, &Network, &Host)
            .map(|result| result.to_string())
            .map_err(Failure::from)
    }
}

bindings::export!(Connector with_types_in bindings);
