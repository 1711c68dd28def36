//! The contract `baton:asyncapi`, in terms of [`crate::publish`] and [`crate::subscribe`].

mod network;

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "baton:asyncapi/connector",
        generate_all,
        with: {
            "baton:connector/types@1.0.0": protocols::bindings::baton::connector::types,
        },
    });
}

use bindings::baton::connector::call;
use bindings::exports::baton::asyncapi::asyncapi::{Failure, Guest};
use serde_json::Value;

use crate::Arguments;
use network::Network;

struct Connector;

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
        crate::publish(&arguments, &message, &Network::unlimited())
            .map(|()| Value::Null.to_string())
            .map_err(Failure::from)
    }

    fn subscribe(
        document: String,
        operation: Option<String>,
        channel: Option<String>,
        server: Option<String>,
        protocol: Option<String>,
        amount: u32,
        time: Option<u64>,
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
        let network = time.map_or_else(Network::unlimited, Network::within);
        crate::subscribe(&arguments, amount, &network)
            .map(|messages| Value::from(messages).to_string())
            .map_err(Failure::from)
    }
}

bindings::export!(Connector with_types_in bindings);
