//! The contract `baton:asyncapi`, in terms of [`crate::publish`] and [`crate::subscribe`].

mod network;

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "baton:asyncapi/connector",
        generate_all,
        with: {
            "baton:connector/types@1.0.0": calls::bindings::baton::connector::types,
        },
    });
}

use bindings::baton::connector::{call, items};
use bindings::exports::baton::asyncapi::asyncapi::{Failure, Guest};
use outgoing::Host;
use serde_json::Value;

use crate::{Arguments, Take};
use network::Network;

struct Connector;

/// The workflow, as what takes messages.
struct Workflow;

impl Take for Workflow {
    fn take(&mut self, message: Value) -> bool {
        items::push(&message.to_string())
    }
}

impl Guest for Connector {
    fn publish(
        document: String,
        message: String,
        operation: Option<String>,
        channel: Option<String>,
        server: Option<String>,
        protocol: Option<String>,
        authentication: Option<String>,
    ) -> Result<String, Failure> {
        let arguments = Arguments {
            document,
            operation,
            channel,
            server,
            protocol,
            authentication,
            idempotency_key: call::get().idempotency_key,
        };
        crate::publish(&arguments, &message, &Network, &Host)
            .map(|()| Value::Null.to_string())
            .map_err(Failure::from)
    }

    fn subscribe(
        document: String,
        operation: Option<String>,
        channel: Option<String>,
        server: Option<String>,
        protocol: Option<String>,
        authentication: Option<String>,
    ) -> Result<(), Failure> {
        let arguments = Arguments {
            document,
            operation,
            channel,
            server,
            protocol,
            authentication,
            idempotency_key: call::get().idempotency_key,
        };
        crate::subscribe(&arguments, &mut Workflow, &Network, &Host).map_err(Failure::from)
    }
}

bindings::export!(Connector with_types_in bindings);
