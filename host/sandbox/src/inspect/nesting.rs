//! How many types a section declares, and how deeply their declarations nest.
//!
//! The declaration of a component's or an instance's type has declarations inside, which have declarations inside: at
//! three bytes a level. The readers of wasmparser recurse into them, so that a small file would use up any stack, and
//! with it the process. This walk keeps the levels in a list, and ends at [`COMPONENT_NESTING_MAX`] of them.
//!
//! The grammar is that of the component model, "Binary.md", "Type Definitions".

use wasmparser::{
    BinaryReader, BinaryReaderError, ComponentAlias, ComponentExternName, ComponentImport,
    ComponentType, ComponentTypeRef, CoreType,
};

use super::InspectError;
use crate::limits::{COMPONENT_NESTING_MAX, COMPONENT_TYPES_MAX};

/// The first byte of a declaration that has declarations inside: of a component's and of an instance's type.
const COMPONENT_TYPE: u8 = 0x41;
const INSTANCE_TYPE: u8 = 0x42;

/// The kinds of declarations inside of one.
mod declaration {
    pub(super) const CORE_TYPE: u8 = 0x00;
    pub(super) const TYPE: u8 = 0x01;
    pub(super) const ALIAS: u8 = 0x02;
    pub(super) const IMPORT: u8 = 0x03;
    pub(super) const EXPORT: u8 = 0x04;
}

pub(super) fn invalid(error: BinaryReaderError) -> InspectError {
    InspectError::Invalid(error.to_string())
}

/// Counts the types that the section with this content declares at `offset` of the file, inner ones included.
pub(super) fn count(section: &[u8], offset: usize) -> Result<usize, InspectError> {
    let mut reader = BinaryReader::new(section, offset);
    let mut types = 0;
    for _ in 0..reader.read_var_u32().map_err(invalid)? {
        types += declared(&mut reader)?;
        if types > COMPONENT_TYPES_MAX {
            return Err(InspectError::TooManyTypes);
        }
    }
    Ok(types)
}

/// Reads one type with all that is declared inside, and counts them.
fn declared(reader: &mut BinaryReader<'_>) -> Result<usize, InspectError> {
    let mut types = 1;
    // How many declarations are left on each level.
    let mut levels = Vec::new();
    levels.extend(begin(reader).map_err(invalid)?);
    while let Some(left) = levels.last_mut() {
        if *left == 0 {
            levels.pop();
            continue;
        }
        *left -= 1;
        let inner = declare(reader).map_err(invalid)?;
        types += usize::from(inner != Inner::Other);
        if let Inner::Nested(declarations) = inner {
            levels.push(declarations);
        }
        if levels.len() > COMPONENT_NESTING_MAX {
            return Err(InspectError::TooNested);
        }
        if types > COMPONENT_TYPES_MAX {
            return Err(InspectError::TooManyTypes);
        }
    }
    Ok(types)
}

/// A declaration inside of another.
#[derive(PartialEq)]
enum Inner {
    /// A type, with so many declarations inside that come next.
    Nested(u32),
    /// A type that has been read to its end.
    Type,
    /// No type of components.
    Other,
}

fn declare(reader: &mut BinaryReader<'_>) -> Result<Inner, BinaryReaderError> {
    match reader.clone().read_u8()? {
        declaration::TYPE => {
            reader.read_u8()?;
            return Ok(begin(reader)?.map_or(Inner::Type, Inner::Nested));
        }
        declaration::CORE_TYPE => {
            reader.read_u8()?;
            reader.read::<CoreType<'_>>()?;
        }
        declaration::ALIAS => {
            reader.read_u8()?;
            reader.read::<ComponentAlias<'_>>()?;
        }
        declaration::IMPORT => {
            reader.read_u8()?;
            reader.read::<ComponentImport<'_>>()?;
        }
        declaration::EXPORT => {
            reader.read_u8()?;
            reader.read::<ComponentExternName<'_>>()?;
            reader.read::<ComponentTypeRef>()?;
        }
        // No declaration: a reader that knows all of them says so, and where.
        _ => {
            reader.read::<wasmparser::InstanceTypeDeclaration<'_>>()?;
        }
    }
    Ok(Inner::Other)
}

/// Begins to read a type: to its end, or up to the declarations inside of it, whose number is given.
fn begin(reader: &mut BinaryReader<'_>) -> Result<Option<u32>, BinaryReaderError> {
    if !matches!(reader.clone().read_u8()?, COMPONENT_TYPE | INSTANCE_TYPE) {
        reader.read::<ComponentType<'_>>()?;
        return Ok(None);
    }
    reader.read_u8()?;
    reader.read_var_u32().map(Some)
}
