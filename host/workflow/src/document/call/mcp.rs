//! `call: mcp` (dsl-reference, "MCP Call").

use serde_json::{Map, Value};

use super::a2a::Parameters;
use crate::document::read::{Field, Read, Reader};
use crate::document::{Duration, Endpoint, Located};

/// Checks the arguments, and gives `timeout`.
pub(super) fn timeout(
    with: &Field<'_>,
    reader: &mut Reader<'_>,
) -> Option<Option<Located<Duration>>> {
    let mut object = reader.object(with, "`with` of `call: mcp`")?;
    let version = object
        .optional::<Located<String>>("protocolVersion")
        .map(drop);
    let method = object.required::<Method>("method").map(drop);
    let parameters = object.optional::<Parameters>("parameters").map(drop);
    let timeout = object.optional::<Located<Duration>>("timeout");
    let transport = object.required::<Transport>("transport").map(drop);
    let client = object.optional::<Client>("client").map(drop);
    object.finish()?;
    version
        .and(method)
        .and(parameters)
        .and(transport)
        .and(client)
        .and(timeout)
}

struct Method;

impl Read for Method {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let names = [
            "tools/list",
            "tools/call",
            "prompts/list",
            "prompts/get",
            "resources/list",
            "resources/read",
            "resources/templates/list",
        ];
        reader
            .choice(field, &names.map(|name| (name, ())))
            .map(|()| Self)
    }
}

struct Transport;

impl Read for Transport {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`transport`")?;
        let options = object
            .optional::<Located<Map<String, Value>>>("options")
            .map(drop);
        let kind = object.one_of(&["http", "stdio"]).and_then(|key| match key {
            "http" => object.required::<Http>("http").map(drop),
            _ => object.required::<Stdio>("stdio").map(drop),
        });
        object.finish()?;
        options.and(kind).map(|()| Self)
    }
}

struct Http;

impl Read for Http {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`http`")?;
        let endpoint = object.required::<Endpoint>("endpoint").map(drop);
        let headers = object
            .optional::<Located<Map<String, Value>>>("headers")
            .map(drop);
        object.finish()?;
        endpoint.and(headers).map(|()| Self)
    }
}

struct Stdio;

impl Read for Stdio {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`stdio`")?;
        let command = object.required::<Located<String>>("command").map(drop);
        let arguments = object
            .optional::<Vec<Located<String>>>("arguments")
            .map(drop);
        let environment = object
            .optional::<Located<Map<String, Value>>>("environment")
            .map(drop);
        object.finish()?;
        command.and(arguments).and(environment).map(|()| Self)
    }
}

struct Client;

impl Read for Client {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`client`")?;
        let name = object.required::<Located<String>>("name").map(drop);
        let version = object.required::<Located<String>>("version").map(drop);
        object.finish()?;
        name.and(version).map(|()| Self)
    }
}
