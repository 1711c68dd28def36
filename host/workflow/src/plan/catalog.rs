//! What a plan must know of the connectors: which functions there are, and what they take.

use serde_json::Value;

/// Where functions are looked up: the connectors that a tenant has, seen from a document.
pub trait Catalog {
    /// Looks a function up.
    ///
    /// # Errors
    ///
    /// There is no such function, or several; the message says which there are.
    fn function(&self, reference: &FunctionReference) -> Result<Signature, NoSuchFunction>;

    /// What a reference into the default catalog stands for, `name:version@default` (dsl.md, "Default Catalog").
    /// Default: itself.
    fn resolve(&self, reference: FunctionReference) -> FunctionReference {
        reference
    }
}

/// How a document names a function: `interface/function:version@connector`, interface and version
/// optional (dsl.md, "Using Cataloged Functions").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionReference {
    /// The interface that exports the function, by its short or its full name; needed where two
    /// interfaces of a connector share a function's name.
    pub interface: Option<String>,
    /// The function.
    pub function: String,
    /// The version that the connector must have: exact, or a prefix such as `1.2`.
    pub version: Option<String>,
    /// The connector's name, as installed.
    pub connector: String,
}

impl FunctionReference {
    /// Parses the form `interface/function:version@connector`; none where `text` is not of it.
    pub fn parse(text: &str) -> Option<Self> {
        let (path, connector) = text.rsplit_once('@')?;
        let (interface, name) = path
            .rsplit_once('/')
            .map_or((None, path), |(it, name)| (Some(it), name));
        let (function, version) = name
            .split_once(':')
            .map_or((name, None), |(it, version)| (it, Some(version)));
        let all_filled = ![Some(connector), interface, Some(function), version].contains(&Some(""));
        (all_filled && !text.contains("://")).then(|| Self {
            interface: interface.map(str::to_owned),
            function: function.to_owned(),
            version: version.map(str::to_owned),
            connector: connector.to_owned(),
        })
    }
}

/// What a function takes and gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// The JSON Schema of the arguments: an object with a property for each parameter.
    pub arguments: Value,
    /// The JSON Schema of the result.
    pub result: Value,
}

/// Why a function was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NoSuchFunction {
    /// What is missing, in a form that fits behind "error: ".
    pub message: String,
    /// What to do about it: the nearest name, or how to install.
    pub help: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_up_to_four_parts() {
        let parse = |text| {
            FunctionReference::parse(text).map(|it| {
                (
                    it.interface.unwrap_or_default(),
                    it.function,
                    it.version.unwrap_or_default(),
                    it.connector,
                )
            })
        };
        let parts =
            |a: &str, b: &str, c: &str, d: &str| Some((a.into(), b.into(), c.into(), d.into()));
        assert_eq!(
            parse("create-user@scim"),
            parts("", "create-user", "", "scim")
        );
        assert_eq!(
            parse("create-user:1.2@scim"),
            parts("", "create-user", "1.2", "scim")
        );
        assert_eq!(
            parse("users/create:1.2.0@scim"),
            parts("users", "create", "1.2.0", "scim")
        );
        assert_eq!(
            parse("a:b/users/create@scim"),
            parts("a:b/users", "create", "", "scim")
        );
        for text in [
            "http",
            "@scim",
            "create@",
            ":1@scim",
            "x:@scim",
            "/f@scim",
            "https://a/b@v1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
