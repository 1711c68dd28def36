//! Why bytes are no component that the host can describe.

use crate::limits::{
    COMPONENT_BYTES_MAX, COMPONENT_NESTING_MAX, COMPONENT_TYPES_MAX, SCHEMA_NODES_MAX,
};
use crate::units::show_bytes;

/// Why bytes are no component that the host can describe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// Larger than [`COMPONENT_BYTES_MAX`].
    #[error(
        "the file has {bytes} bytes, and a component may have {} at most: build it with optimisation and \
         strip its debug information",
        show_bytes(COMPONENT_BYTES_MAX as u64)
    )]
    TooLarge {
        /// How large it is.
        bytes: usize,
    },
    /// No WebAssembly at all.
    #[error("the file is not WebAssembly: it does not begin with `\\0asm`")]
    NotWebAssembly,
    /// A core module.
    #[error(
        "the file is a core WebAssembly module, not a component: build for the target `wasm32-wasip2`, or \
         make a component of it with `wasm-tools component new`"
    )]
    CoreModule,
    /// WebAssembly of another version or layer.
    #[error(
        "the file is WebAssembly of an unknown kind (version {version:#x}): this host reads components"
    )]
    UnknownKind {
        /// The version and layer field.
        version: u32,
    },
    /// A WIT package in binary form: it describes interfaces and has no code.
    #[error("the file is a WIT package, not a component: it describes interfaces and has no code")]
    WitPackage,
    /// Not valid.
    #[error("the component is not valid: {0}")]
    Invalid(String),
    /// More than [`COMPONENT_TYPES_MAX`] types.
    #[error(
        "the component declares more than {COMPONENT_TYPES_MAX} types, the most that this host decodes"
    )]
    TooManyTypes,
    /// Components, or declarations of types, more than [`COMPONENT_NESTING_MAX`] deep inside one another.
    #[error(
        "the component has components or types more than {COMPONENT_NESTING_MAX} deep inside one another, the most that this host decodes"
    )]
    TooNested,
    /// More than [`SCHEMA_NODES_MAX`] nodes of schema.
    #[error(
        "the types of the component's functions take more than {SCHEMA_NODES_MAX} nodes of JSON Schema"
    )]
    TooComplex,
}
