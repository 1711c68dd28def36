//! `call: asyncapi` (dsl-reference, "AsyncAPI Call").

use serde_json::{Map, Value};

use crate::diagnostic::code;
use crate::document::read::{Field, Read, Reader};
use crate::document::{Authentication, Duration, ExternalResource, Foreach, Located, Reusable};

/// A subscription (dsl-reference, "AsyncAPI Subscription").
#[derive(Debug, Clone)]
pub struct Subscription {
    /// `filter`: which messages count; an expression on a message.
    pub filter: Option<Located<String>>,
    /// What of `consume` says when there have been enough messages.
    pub enough: Enough,
    /// `consume.for`: how long to consume.
    pub time: Option<Located<Duration>>,
    /// `foreach`: what to do with each.
    pub foreach: Option<Foreach>,
}

/// When a subscription has consumed enough (dsl-reference, "AsyncAPI Subscription Lifetime").
#[derive(Debug, Clone)]
pub enum Enough {
    /// `amount`: with so many messages. At least 1.
    Amount(Located<u64>),
    /// `while`: when the expression is no longer true.
    While(Located<String>),
    /// `until`: when the expression is true.
    Until(Located<String>),
}

/// Checks the arguments, and gives `subscription`.
pub(super) fn subscription(
    with: &Field<'_>,
    reader: &mut Reader<'_>,
) -> Option<Option<Subscription>> {
    let mut object = reader.object(with, "`with` of `call: asyncapi`")?;
    let document = object.required::<ExternalResource>("document").map(drop);
    let target = object
        .one_of(&["operation", "channel"])
        .and_then(|key| object.required::<Located<String>>(key))
        .map(drop);
    let server = object.optional::<Server>("server").map(drop);
    let protocol = object.optional::<Protocol>("protocol").map(drop);
    let authentication = object
        .optional::<Reusable<Authentication>>("authentication")
        .map(drop);
    let what = object
        .one_of(&["message", "subscription"])
        .and_then(|key| match key {
            "message" => object.required::<Message>("message").map(|_| None),
            _ => object.required::<Subscription>("subscription").map(Some),
        });
    object.finish()?;
    document
        .and(target)
        .and(server)
        .and(protocol)
        .and(authentication)
        .and(what)
}

struct Server;

impl Read for Server {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`server`")?;
        let name = object.required::<Located<String>>("name").map(drop);
        let variables = object
            .optional::<Located<Map<String, Value>>>("variables")
            .map(drop);
        object.finish()?;
        name.and(variables).map(|()| Self)
    }
}

struct Protocol;

impl Read for Protocol {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let names = [
            "amqp",
            "amqp1",
            "anypointmq",
            "googlepubsub",
            "http",
            "ibmmq",
            "jms",
            "kafka",
            "mercure",
            "mqtt",
            "mqtt5",
            "nats",
            "pulsar",
            "redis",
            "sns",
            "solace",
            "sqs",
            "stomp",
            "ws",
        ];
        reader
            .choice(field, &names.map(|name| (name, ())))
            .map(|()| Self)
    }
}

struct Message;

impl Read for Message {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`message`")?;
        let payload = object
            .optional::<Located<Map<String, Value>>>("payload")
            .map(drop);
        let headers = object
            .optional::<Located<Map<String, Value>>>("headers")
            .map(drop);
        object.finish()?;
        payload.and(headers).map(|()| Self)
    }
}

impl Read for Subscription {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`subscription`")?;
        let filter = object.optional("filter");
        let consume = object.required::<Consume>("consume");
        let foreach = object.optional("foreach");
        object.finish()?;
        let Consume { enough, time } = consume?;
        Some(Self {
            filter: filter?,
            enough,
            time,
            foreach: foreach?,
        })
    }
}

struct Consume {
    enough: Enough,
    time: Option<Located<Duration>>,
}

impl Read for Consume {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`consume`")?;
        let time = object.optional("for");
        let enough = object
            .one_of(&["amount", "while", "until"])
            .and_then(|key| match key {
                "amount" => object.required("amount").map(Enough::Amount),
                "while" => object.required("while").map(Enough::While),
                _ => object.required("until").map(Enough::Until),
            });
        object.finish()?;
        let enough = enough?;
        if let Enough::Amount(amount) = &enough
            && amount.value == 0
        {
            let message = "`amount` must be at least 1".to_owned();
            reader.error(code::BAD_VALUE, &amount.location, message, None);
            return None;
        }
        Some(Self {
            enough,
            time: time?,
        })
    }
}
