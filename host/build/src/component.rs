//! From what the compiler wrote to a component.

use wit_component::ComponentEncoder;

/// What the compiler wrote cannot be made a component.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a component of what was compiled: {reason}")]
pub struct EncodeError {
    reason: String,
}

/// The bytes after the magic number: the version of a component, against that of a core module
/// (component model, `Binary.md`, "Component Definitions").
const COMPONENT: [u8; 4] = [0x0d, 0x00, 0x01, 0x00];

/// A component of a core module that wit-bindgen has put its types into; a component as it is.
pub(crate) fn encode(bytes: &[u8]) -> Result<Vec<u8>, EncodeError> {
    if bytes.get(4..8) == Some(&COMPONENT) {
        return Ok(bytes.to_vec());
    }
    // The alternate form of the error has the whole chain of reasons.
    ComponentEncoder::default()
        .validate(true)
        .module(bytes)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| EncodeError {
            reason: format!("{error:#}"),
        })
}
