//! A call of a function that is not of the language (dsl, "Custom Functions").

use serde_json::{Map, Value};

use super::BUILT_IN;
use crate::diagnostic::code;
use crate::document::Located;
use crate::document::endpoint::is_uri_template;
use crate::document::read::{Kind, Object, nearest};

/// A call of a function that is defined in the document, by a connector or elsewhere.
#[derive(Debug, Clone)]
pub struct FunctionCall {
    /// `call`, as it is written.
    pub function: Located<String>,
    /// What `call` means.
    pub target: FunctionTarget,
    /// `with`: the arguments by name, with expressions anywhere inside.
    pub with: Option<Located<Map<String, Value>>>,
}

/// What a function's name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionTarget {
    /// One that `use.functions` defines. That it does has been checked.
    Defined(String),
    /// One of a connector: `create-user@scim`, `users/create-user:1.2@scim`.
    Connector {
        /// The interface, where two of them have a function of that name.
        interface: Option<String>,
        /// The function.
        function: String,
        /// Which version is asked for.
        version: Option<String>,
        /// The connector.
        connector: String,
    },
    /// One of a catalog that `use.catalogs` defines.
    Catalog {
        /// The function.
        function: String,
        /// Which version is asked for.
        version: Option<String>,
        /// The catalog.
        catalog: String,
    },
    /// One that is defined at a URI.
    External(String),
}

impl FunctionCall {
    pub(super) fn read(function: Located<String>, object: &mut Object<'_, '_, '_>) -> Option<Self> {
        let with = object.optional("with");
        let target = if object.reader().defines(Kind::Functions, &function) {
            Some(FunctionTarget::Defined(function.value.clone()))
        } else if function.contains("://") && is_uri_template(&function) {
            Some(FunctionTarget::External(function.value.clone()))
        } else if let Some((name, place)) = function.rsplit_once('@') {
            located(&function, name, place, object)
        } else {
            undefined(&function, object);
            None
        };
        Some(Self {
            target: target?,
            function,
            with: with?,
        })
    }
}

/// The meaning of `name@place`.
fn located(
    function: &Located<String>,
    name: &str,
    place: &str,
    object: &mut Object<'_, '_, '_>,
) -> Option<FunctionTarget> {
    let (name, version) = name
        .split_once(':')
        .map_or((name, None), |(name, version)| {
            (name, Some(version.to_owned()))
        });
    let part = |text: &str| {
        !text.is_empty()
            && !text.contains(|c: char| {
                c.is_whitespace() || c.is_control() || matches!(c, '@' | ':' | '/')
            })
    };
    let (interface, bare) = name
        .rsplit_once('/')
        .map_or((None, name), |(interface, name)| (Some(interface), name));
    let right = part(bare)
        && part(place)
        && interface.is_none_or(|text| !text.is_empty())
        && version.as_ref().is_none_or(|text| part(text));
    if !right {
        let message = format!("`{}` is not the name of a function", function.value);
        let help =
            "write function@connector, function:version@connector or interface/function@connector";
        object
            .reader()
            .error(code::BAD_NAME, &function.location, message, help.to_owned());
        return None;
    }
    if object.reader().defines(Kind::Catalogs, place) {
        return Some(FunctionTarget::Catalog {
            function: name.to_owned(),
            version,
            catalog: place.to_owned(),
        });
    }
    Some(FunctionTarget::Connector {
        interface: interface.map(ToOwned::to_owned),
        function: bare.to_owned(),
        version,
        connector: place.to_owned(),
    })
}

fn undefined(function: &Located<String>, object: &mut Object<'_, '_, '_>) {
    let reader = object.reader();
    let candidates = reader.defined(Kind::Functions).chain(BUILT_IN);
    let help = match nearest(function, candidates) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!(
            "define it under `use.functions`, or name the connector that has it: {}@connector",
            function.value
        ),
    };
    let message = format!("the function `{}` is not defined", function.value);
    reader.error(code::UNDEFINED_REFERENCE, &function.location, message, help);
}
