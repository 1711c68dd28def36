//! `call: a2a` (dsl-reference, "A2A Call").

use crate::document::read::{Field, Read, Reader};
use crate::document::{Endpoint, ExternalResource, Located};
use crate::yaml::Data;

pub(super) fn check(with: &Field<'_>, reader: &mut Reader<'_>) -> Option<()> {
    let mut object = reader.object(with, "`with` of `call: a2a`")?;
    let card = object.optional::<ExternalResource>("agentCard").map(drop);
    let server = object.optional::<Endpoint>("server").map(drop);
    let method = object.required::<Method>("method").map(drop);
    let parameters = object.optional::<Parameters>("parameters").map(drop);
    object.need_one_of(&["agentCard", "server"]);
    object.finish()?;
    card.and(server).and(method).and(parameters)
}

struct Method;

impl Read for Method {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let names = [
            "message/send",
            "message/stream",
            "tasks/get",
            "tasks/list",
            "tasks/cancel",
            "tasks/resubscribe",
            "tasks/pushNotificationConfig/set",
            "tasks/pushNotificationConfig/get",
            "tasks/pushNotificationConfig/list",
            "tasks/pushNotificationConfig/delete",
            "agent/getAuthenticatedExtendedCard",
        ];
        reader
            .choice(field, &names.map(|name| (name, ())))
            .map(|()| Self)
    }
}

/// Parameters of a remote method: a mapping or an expression.
pub(super) struct Parameters;

impl Read for Parameters {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match field.node.data {
            Data::Mapping(_) => Some(Self),
            _ => Located::<String>::read(field, reader).map(|_| Self),
        }
    }
}
