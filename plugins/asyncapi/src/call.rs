//! Calls from their arguments to their output.

use calls::Failure;
use calls::arguments::value;
use calls::endpoint::policy;
use outgoing::Open;
use outgoing::authentication::{Environment, Policy};
use serde_json::Value;

use crate::connection::Dial;
use crate::document::{Action, Document};
use crate::message::Outbound;
use crate::target::{Protocol, Target};
use crate::{http, nats, websocket};

/// What the workflow gave, as JSON texts where the contract says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// Where the document is.
    pub document: String,
    /// The operation.
    pub operation: Option<String>,
    /// The channel.
    pub channel: Option<String>,
    /// Which server.
    pub server: Option<String>,
    /// Or a server of which protocol.
    pub protocol: Option<String>,
    /// How to authenticate.
    pub authentication: Option<String>,
    /// A key that stays the same for every attempt.
    pub idempotency_key: String,
}

/// Something that sends requests and makes connections.
pub trait Network: Open + Dial {}

impl<T: Open + Dial> Network for T {}

/// Takes the messages of a subscription.
pub trait Take {
    /// Takes a message. Answers whether more are wanted.
    fn take(&mut self, message: Value) -> bool;
}

/// Publishes a message.
///
/// # Errors
///
/// `validation` and `configuration` where the arguments make no call; `communication`, `timeout`, `authentication`
/// and `authorization` where the other side does not take the message.
pub fn publish(
    arguments: &Arguments,
    message: &str,
    network: &impl Network,
    host: &impl Environment,
) -> Result<(), Failure> {
    let message = Outbound::read(&value("message", message)?)?;
    let call = Call::read(arguments, Action::Publish, network, host)?;
    let key = &arguments.idempotency_key;
    match call.target.protocol {
        Protocol::Http => http::publish(&call, &message, key, network, host),
        Protocol::WebSocket => {
            message.without_secrets()?;
            websocket::publish(&call, &message, network, host)
        }
        Protocol::Nats => {
            message.without_secrets()?;
            nats::publish(&call, &message, key, network, host)
        }
    }
}

/// Gives messages to `to` as they come, until it wants no more or there are no more.
///
/// # Errors
///
/// As for [`publish`], and where the connection breaks off.
pub fn subscribe(
    arguments: &Arguments,
    to: &mut impl Take,
    network: &impl Network,
    host: &impl Environment,
) -> Result<(), Failure> {
    let call = Call::read(arguments, Action::Subscribe, network, host)?;
    let mut received = Received {
        to,
        correlation: call.correlation.clone(),
    };
    match call.target.protocol {
        Protocol::Http => http::subscribe(&call, &mut received, network, host),
        Protocol::WebSocket => websocket::subscribe(&call, &mut received, network, host),
        Protocol::Nats => nats::subscribe(&call, &mut received, network, host),
    }
}

/// What is to be called, as the document says it.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where.
    pub target: Target,
    /// What the document says of the operation.
    pub operation: Value,
    /// How to authenticate there.
    pub policy: Option<Policy>,
    correlation: Option<String>,
}

impl Call {
    fn read(
        arguments: &Arguments,
        action: Action,
        network: &impl Open,
        host: &impl Environment,
    ) -> Result<Self, Failure> {
        let json =
            |name, text: &Option<String>| text.as_deref().map(|text| value(name, text)).transpose();
        let server = json("server", &arguments.server)?;
        let authentication = json("authentication", &arguments.authentication)?;
        let policy = policy("authentication", authentication.as_ref())?;
        let document = Document::load(&value("document", &arguments.document)?, network, host)?;
        let (operation, channel) = (&arguments.operation, &arguments.channel);
        let operation = document.find(operation.as_deref(), channel.as_deref(), action)?;
        let protocol = arguments.protocol.as_deref();
        Ok(Self {
            target: Target::choose(&operation, server.as_ref(), protocol)?,
            operation: operation.operation.clone(),
            policy,
            correlation: document.correlation(&operation).map(str::to_owned),
        })
    }
}

/// The messages of a subscription, on their way to whoever takes them.
pub struct Received<'a> {
    to: &'a mut dyn Take,
    correlation: Option<String>,
}

impl Received<'_> {
    /// Takes a message. Answers whether more are wanted.
    pub fn take(&mut self, payload: &[u8], headers: &[(String, String)]) -> bool {
        let message = crate::message::inbound(payload, headers, self.correlation.as_deref());
        self.to.take(message)
    }
}
