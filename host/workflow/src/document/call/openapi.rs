//! `call: openapi` (dsl-reference, "OpenAPI Call").

use serde_json::{Map, Value};

use crate::document::read::{Field, Reader};
use crate::document::{Authentication, ExternalResource, HttpOutput, Located, Reusable};

pub(super) fn check(with: &Field<'_>, reader: &mut Reader<'_>) -> Option<()> {
    let mut object = reader.object(with, "`with` of `call: openapi`")?;
    let document = object.required::<ExternalResource>("document").map(drop);
    let operation = object.required::<Located<String>>("operationId").map(drop);
    let parameters = object
        .optional::<Located<Map<String, Value>>>("parameters")
        .map(drop);
    let authentication = object
        .optional::<Reusable<Authentication>>("authentication")
        .map(drop);
    let output = object.optional::<HttpOutput>("output").map(drop);
    let redirect = object.optional::<Located<bool>>("redirect").map(drop);
    object.finish()?;
    document
        .and(operation)
        .and(parameters)
        .and(authentication)
        .and(output)
        .and(redirect)
}
