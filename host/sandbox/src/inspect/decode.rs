//! Decoding a component's WIT, whoever wrote it.

use std::thread;

use wasmparser::{Parser, Payload};
use wit_parser::decoding::{self, DecodedWasm};
use wit_parser::{PackageMetadata, Resolve, WorldId, WorldItem};

use super::{InspectError, nesting};
use crate::limits::{COMPONENT_NESTING_MAX, COMPONENT_TYPES_MAX};

/// The stack that types are decoded on. The decoder recurses once for each type that names another, of which there
/// are no more than types; this leaves some 26 KiB for each of [`COMPONENT_TYPES_MAX`]. Only what is used
/// of it takes memory.
const DECODER_STACK_BYTES: usize = 256 << 20;

/// The world of a component.
pub(super) struct Decoded {
    pub(super) resolve: Resolve,
    pub(super) world: WorldId,
}

/// Tells a component from everything else by its first eight bytes.
pub(super) fn header(bytes: &[u8]) -> Result<(), InspectError> {
    let Some((magic, rest)) = bytes.split_first_chunk::<4>() else {
        return Err(InspectError::NotWebAssembly);
    };
    let Some(version) = rest.first_chunk::<4>() else {
        return Err(InspectError::NotWebAssembly);
    };
    match (magic, u32::from_le_bytes(*version)) {
        (b"\0asm", 0x0001_000d) => Ok(()),
        (b"\0asm", 1) => Err(InspectError::CoreModule),
        (b"\0asm", version) => Err(InspectError::UnknownKind { version }),
        _ => Err(InspectError::NotWebAssembly),
    }
}

/// Decodes the world of a component.
pub(super) fn component(bytes: &[u8]) -> Result<Decoded, InspectError> {
    let metadata = scan(bytes)?;
    let decoded = thread::scope(|scope| {
        let decoder = thread::Builder::new()
            .name("baton-decoder".to_owned())
            .stack_size(DECODER_STACK_BYTES)
            .spawn_scoped(scope, || decoding::decode(bytes));
        let decoder =
            decoder.map_err(|error| InspectError::Invalid(format!("no decoder: {error}")))?;
        // A panic of the decoder is an answer like any other: the component is not one it can read.
        let decoded = decoder
            .join()
            .map_err(|_| InspectError::Invalid("its types cannot be decoded".to_owned()));
        decoded?.map_err(|error| InspectError::Invalid(format!("{error:#}")))
    })?;
    match decoded {
        DecodedWasm::WitPackage(..) => Err(InspectError::WitPackage),
        DecodedWasm::Component(mut resolve, world) => {
            if let Some(metadata) = metadata {
                inject(&mut resolve, world, &metadata);
            }
            Ok(Decoded { resolve, world })
        }
    }
}

/// Counts the declared types and how deeply they nest, and finds the authors' comments where a build tool has left
/// them in a `package-docs` section.
///
/// It comes before all other decoders of the bytes, in this file and in wasmtime: those recurse, on the stack of
/// whoever calls them.
fn scan(bytes: &[u8]) -> Result<Option<PackageMetadata>, InspectError> {
    let mut types = 0;
    let mut depth = 0_usize;
    let mut metadata = None;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(nesting::invalid)? {
            Payload::ComponentTypeSection(section) => {
                types += nesting::count(&bytes[section.range()], section.range().start)?;
                if types > COMPONENT_TYPES_MAX {
                    return Err(InspectError::TooManyTypes);
                }
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth += 1;
                if depth > COMPONENT_NESTING_MAX {
                    return Err(InspectError::TooNested);
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section)
                if depth == 0 && section.name() == PackageMetadata::SECTION_NAME =>
            {
                // Comments that cannot be read are no reason to refuse the component.
                metadata = PackageMetadata::decode(section.data()).ok();
            }
            _ => {}
        }
    }
    Ok(metadata)
}

/// Puts comments on the items of the package whose interfaces the component exports.
fn inject(resolve: &mut Resolve, world: WorldId, metadata: &PackageMetadata) {
    let packages: Vec<_> = resolve.worlds[world]
        .exports
        .values()
        .filter_map(|item| match item {
            WorldItem::Interface { id, .. } => resolve.interfaces[*id].package,
            _ => None,
        })
        .collect();
    for package in packages {
        // It is for one package only, and fails on the others.
        if metadata.inject(resolve, package).is_ok() {
            return;
        }
    }
}
