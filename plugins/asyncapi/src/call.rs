//! Calls from their arguments to their output.

use outgoing::Open;
use protocols::Failure;
use protocols::arguments::value;
use protocols::endpoint::authorization;
use serde_json::Value;

use crate::connection::Dial;
use crate::document::{Action, Document};
use crate::message::Outbound;
use crate::nats::Login;
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
) -> Result<(), Failure> {
    let message = Outbound::read(&value("message", message)?)?;
    let call = Call::read(arguments, Action::Publish, network)?;
    let key = &arguments.idempotency_key;
    match call.target.protocol {
        Protocol::Http => http::publish(&call, &message, key, network),
        Protocol::WebSocket => websocket::publish(&call, &message, network),
        Protocol::Nats => nats::publish(&call, &message, key, network),
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
) -> Result<(), Failure> {
    let call = Call::read(arguments, Action::Subscribe, network)?;
    let mut received = Received {
        to,
        correlation: call.correlation.clone(),
    };
    match call.target.protocol {
        Protocol::Http => http::subscribe(&call, &mut received, network),
        Protocol::WebSocket => websocket::subscribe(&call, &mut received, network),
        Protocol::Nats => nats::subscribe(&call, &mut received, network),
    }
}

/// What is to be called, as the document says it.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where.
    pub target: Target,
    /// What the document says of the operation.
    pub operation: Value,
    /// The value of `Authorization`, where there are credentials.
    pub authorization: Option<String>,
    /// The same for NATS.
    pub login: Login,
    correlation: Option<String>,
}

impl Call {
    fn read(arguments: &Arguments, action: Action, network: &impl Open) -> Result<Self, Failure> {
        let json =
            |name, text: &Option<String>| text.as_deref().map(|text| value(name, text)).transpose();
        let server = json("server", &arguments.server)?;
        let authentication = json("authentication", &arguments.authentication)?;
        let authorization = authorization("authentication", authentication.as_ref())?;
        let document = Document::load(&value("document", &arguments.document)?, network)?;
        let (operation, channel) = (&arguments.operation, &arguments.channel);
        let operation = document.find(operation.as_deref(), channel.as_deref(), action)?;
        let protocol = arguments.protocol.as_deref();
        Ok(Self {
            target: Target::choose(&operation, server.as_ref(), protocol)?,
            operation: operation.operation.clone(),
            authorization,
            login: Login::read(authentication.as_ref()),
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
