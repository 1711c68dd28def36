//! `call: asyncapi` (dsl-reference, "AsyncAPI Call").

use serde_json::{Map, Value};

use crate::document::read::{Field, Read, Reader};
use crate::document::{
    Authentication, Duration, ExternalResource, Foreach, Located, Location, Reusable,
};

/// A subscription (dsl-reference, "AsyncAPI Subscription"), as far as the host has to do with it itself.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// `filter`: which messages count.
    pub filter: Option<Located<String>>,
    /// `consume.amount`: how many messages to receive.
    pub amount: Option<Located<u64>>,
    /// `consume.while` or `consume.until`: as long as what more are wanted.
    pub condition: Option<Located<String>>,
    /// `consume.for`: how long to receive.
    pub time: Option<Located<Duration>>,
    /// `foreach`: what to do with each.
    pub foreach: Option<Location>,
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
        let place = object.get("foreach").map(|field| field.location());
        let foreach = object.optional::<Foreach>("foreach").map(drop);
        object.finish()?;
        foreach?;
        let consume = consume?;
        Some(Self {
            filter: filter?,
            amount: consume.amount,
            condition: consume.condition,
            time: consume.time,
            foreach: place,
        })
    }
}

struct Consume {
    amount: Option<Located<u64>>,
    condition: Option<Located<String>>,
    time: Option<Located<Duration>>,
}

impl Read for Consume {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`consume`")?;
        let time = object.optional("for");
        let end = object
            .one_of(&["amount", "while", "until"])
            .and_then(|key| match key {
                "amount" => object.required("amount").map(|it| (Some(it), None)),
                key => object.required(key).map(|it| (None, Some(it))),
            });
        object.finish()?;
        let (amount, condition) = end?;
        Some(Self {
            amount,
            condition,
            time: time?,
        })
    }
}
