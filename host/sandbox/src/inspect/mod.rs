//! What a component is, from its bytes alone: nothing is compiled and nothing runs.

mod decode;
mod description;
mod error;
mod nesting;

pub use description::{Description, Digest, DigestError, Function, Import, Package};
pub use error::InspectError;

use crate::limits::{COMPONENT_BYTES_MAX, SCHEMA_NODES_MAX};

/// Decodes a component: its package, the functions it exports with their schemas, and the capabilities that
/// its imports ask for.
///
/// The bytes may come from anyone. Decoding takes time and memory in proportion to their length.
///
/// # Errors
///
/// Says what the bytes are instead, or which bound they pass.
pub fn inspect(bytes: &[u8]) -> Result<Description, InspectError> {
    if bytes.len() > COMPONENT_BYTES_MAX {
        return Err(InspectError::TooLarge { bytes: bytes.len() });
    }
    decode::header(bytes)?;
    let decoded = decode::component(bytes)?;
    let description = description::describe(bytes, &decoded);
    let nodes = description
        .functions
        .iter()
        .filter_map(|function| function.signature.as_ref().ok());
    let nodes = nodes.fold(0, |sum: usize, signature| {
        sum + signature.nodes(SCHEMA_NODES_MAX + 1)
    });
    if nodes > SCHEMA_NODES_MAX {
        return Err(InspectError::TooComplex);
    }
    Ok(description)
}
