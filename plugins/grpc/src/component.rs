//! The contract `baton:grpc`, in terms of [`crate::call()`].

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "baton:grpc/connector",
        generate_all,
        with: {
            "baton:connector/types@1.0.0": calls::bindings::baton::connector::types,
        },
    });
}

use bindings::baton::connector::call;
use bindings::exports::baton::grpc::grpc::{Failure, Guest};
use outgoing::{Host, Network};

use crate::Arguments;

struct Connector;

impl Guest for Connector {
    fn call(
        proto: String,
        service: String,
        method: String,
        arguments: Option<String>,
    ) -> Result<String, Failure> {
        let context = call::get();
        let arguments = Arguments {
            proto,
            service,
            method,
            arguments,
            idempotency_key: context.idempotency_key,
            deadline: context.deadline,
        };
        crate::call(&arguments, &Network, &Host)
            .map(|output| output.to_string())
            .map_err(Failure::from)
    }
}

bindings::export!(Connector with_types_in bindings);
