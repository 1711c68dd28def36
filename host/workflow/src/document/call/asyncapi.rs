//! `call: asyncapi` (dsl-reference, "AsyncAPI Call").

use serde_json::{Map, Value};

use crate::document::read::{Field, Read, Reader};
use crate::document::{Authentication, Duration, ExternalResource, Foreach, Located, Reusable};

pub(super) fn check(with: &Field<'_>, reader: &mut Reader<'_>) -> Option<()> {
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
            "message" => object.required::<Message>("message").map(drop),
            _ => object.required::<Subscription>("subscription").map(drop),
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

struct Subscription;

impl Read for Subscription {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`subscription`")?;
        let filter = object.optional::<Located<String>>("filter").map(drop);
        let consume = object.required::<Consume>("consume").map(drop);
        let foreach = object.optional::<Foreach>("foreach").map(drop);
        object.finish()?;
        filter.and(consume).and(foreach).map(|()| Self)
    }
}

struct Consume;

impl Read for Consume {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`consume`")?;
        let time = object.optional::<Located<Duration>>("for").map(drop);
        let end = object
            .one_of(&["amount", "while", "until"])
            .and_then(|key| match key {
                "amount" => object.required::<Located<u64>>("amount").map(drop),
                key => object.required::<Located<String>>(key).map(drop),
            });
        object.finish()?;
        time.and(end).map(|()| Self)
    }
}
