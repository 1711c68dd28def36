//! `call: grpc` (dsl-reference, "gRPC Call").

use serde_json::{Map, Value};

use crate::diagnostic::code;
use crate::document::read::{Field, Read, Reader};
use crate::document::{Authentication, ExternalResource, Located, Reusable};
use crate::yaml::Data;

pub(super) fn check(with: &Field<'_>, reader: &mut Reader<'_>) -> Option<()> {
    let mut object = reader.object(with, "`with` of `call: grpc`")?;
    let proto = object.required::<ExternalResource>("proto").map(drop);
    let service = object.required::<Service>("service").map(drop);
    let method = object.required::<Located<String>>("method").map(drop);
    let arguments = object.optional::<Arguments>("arguments").map(drop);
    object.finish()?;
    proto.and(service).and(method).and(arguments)
}

/// A message, or, as an addition of this host, the messages of a method that takes a stream of them.
struct Arguments;

impl Read for Arguments {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match field.node.data {
            Data::Sequence(_) => Some(Self),
            _ => Located::<Map<String, Value>>::read(field, reader).map(|_| Self),
        }
    }
}

struct Service;

impl Read for Service {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`service`")?;
        let name = object.required::<Located<String>>("name").map(drop);
        let host = object.required::<Located<String>>("host").map(drop);
        let port = object.optional::<Located<u64>>("port");
        let authentication = object
            .optional::<Reusable<Authentication>>("authentication")
            .map(drop);
        let port = port.and_then(|port| match port {
            Some(port) if *port > 65535 => {
                let message = format!("{} is not a port: ports go to 65535", port.value);
                object
                    .reader()
                    .error(code::BAD_VALUE, &port.location, message, None);
                None
            }
            _ => Some(()),
        });
        object.finish()?;
        port?;
        name.and(host).and(authentication).map(|()| Self)
    }
}
