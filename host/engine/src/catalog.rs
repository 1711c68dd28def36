//! The connectors, as a plan looks functions up in them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use baton_sandbox::Description;
use baton_store::{ReadError, TenantId};
use baton_workflow::plan::{Catalog, FunctionReference, NoSuchFunction, Signature};

use crate::library::{DescribeError, Entry, Library};

/// Some connectors, by the names under which documents know them.
#[derive(Clone, Default)]
pub(crate) struct Connectors(pub(crate) BTreeMap<String, Arc<Description>>);

impl Catalog for Connectors {
    fn function(&self, reference: &FunctionReference) -> Result<Signature, NoSuchFunction> {
        function(self, reference)
    }

    fn resolve(&self, reference: FunctionReference) -> FunctionReference {
        resolve(self, reference)
    }
}

impl Lookup for Connectors {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn description(&self, name: &str) -> Option<Arc<Description>> {
        self.0.get(name).cloned()
    }
}

/// All connectors that a tenant has. What one is is looked up where a document names it: of the many that come with
/// the host, a document names a few.
pub(crate) struct TenantConnectors<'l> {
    library: &'l Library,
    entries: BTreeMap<String, Entry>,
    failure: RefCell<Option<DescribeError>>,
}

impl<'l> TenantConnectors<'l> {
    pub(crate) fn new(library: &'l Library, tenant: &TenantId) -> Result<Self, ReadError> {
        Ok(Self {
            library,
            entries: library.list(tenant)?,
            failure: RefCell::default(),
        })
    }

    /// Says whether what was looked up could be read: one that could not is as if it were not there.
    ///
    /// # Errors
    ///
    /// The first failure that there was.
    pub(crate) fn check(self) -> Result<(), DescribeError> {
        self.failure.into_inner().map_or(Ok(()), Err)
    }
}

impl Catalog for TenantConnectors<'_> {
    fn function(&self, reference: &FunctionReference) -> Result<Signature, NoSuchFunction> {
        function(self, reference)
    }

    fn resolve(&self, reference: FunctionReference) -> FunctionReference {
        resolve(self, reference)
    }
}

impl Lookup for TenantConnectors<'_> {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    fn description(&self, name: &str) -> Option<Arc<Description>> {
        let entry = self.entries.get(name)?;
        match self.library.describe(&entry.digest) {
            Ok(description) => Some(description),
            Err(error) => {
                self.failure.borrow_mut().get_or_insert(error);
                None
            }
        }
    }
}

/// The name of the default catalog.
const DEFAULT: &str = "default";

/// Where connectors are looked up.
trait Lookup {
    /// The names of all.
    fn names(&self) -> impl Iterator<Item = &str>;

    /// What one of them is.
    fn description(&self, name: &str) -> Option<Arc<Description>>;
}

fn function(
    connectors: &impl Lookup,
    reference: &FunctionReference,
) -> Result<Signature, NoSuchFunction> {
    let name = &reference.connector;
    let connector = connectors
        .description(name)
        .ok_or_else(|| no_connector(connectors, reference))?;
    if let Some(wanted) = &reference.version {
        check_version(name, wanted, &connector)?;
    }
    let found = connector.function(reference.interface.as_deref(), &reference.function);
    let function = found.map_err(|error| NoSuchFunction {
        message: format!("connector `{name}`: {error}"),
        help: Some(format!(
            "`baton connector inspect {name}` shows what it has"
        )),
    })?;
    let schemas = function.input_schema().zip(function.output_schema());
    let (arguments, result) = schemas.ok_or_else(|| NoSuchFunction {
        message: format!("`{function}` of connector `{name}` can't be called"),
        help: None,
    })?;
    Ok(Signature { arguments, result })
}

/// The default catalog is that of all connectors: a function that one of them alone has needs not name it.
fn resolve(connectors: &impl Lookup, reference: FunctionReference) -> FunctionReference {
    if reference.connector != DEFAULT || connectors.names().any(|name| name == DEFAULT) {
        return reference;
    }
    match &who_has(connectors, &reference)[..] {
        [one] => FunctionReference {
            connector: (*one).to_owned(),
            ..reference
        },
        _ => reference,
    }
}

/// The connectors that have a function of that name.
fn who_has<'l>(connectors: &'l impl Lookup, reference: &FunctionReference) -> Vec<&'l str> {
    let has = |name: &&str| {
        connectors.description(name).is_some_and(|connector| {
            connector
                .function(reference.interface.as_deref(), &reference.function)
                .is_ok()
        })
    };
    connectors.names().filter(has).collect()
}

fn no_connector(connectors: &impl Lookup, reference: &FunctionReference) -> NoSuchFunction {
    let (name, function) = (&reference.connector, &reference.function);
    if name == DEFAULT {
        return match &who_has(connectors, reference)[..] {
            [] => NoSuchFunction {
                message: format!("no connector has a function `{function}`"),
                help: Some("`baton connector list` shows which there are".to_owned()),
            },
            several => NoSuchFunction {
                message: format!("several connectors have a function `{function}`"),
                help: Some(format!(
                    "name one of {}: {function}@{}",
                    several.join(", "),
                    several[0]
                )),
            },
        };
    }
    let there: Vec<String> = connectors
        .names()
        .take(20)
        .map(|it| format!("`{it}`"))
        .collect();
    let help = match there.is_empty() {
        true => "install it: `baton connector install FILE`".to_owned(),
        false => format!(
            "there are {}; install others with `baton connector install FILE`",
            there.join(", ")
        ),
    };
    NoSuchFunction {
        message: format!("there is no connector `{name}`"),
        help: Some(help),
    }
}

/// The version asked for is exact or a prefix of whole numbers: `1.2` fits `1.2.7`, not `1.20.0`.
fn check_version(name: &str, wanted: &str, connector: &Description) -> Result<(), NoSuchFunction> {
    let version = connector
        .package
        .as_ref()
        .and_then(|package| package.version.as_deref());
    let fits = |version: &str| {
        version == wanted
            || version
                .strip_prefix(wanted)
                .is_some_and(|rest| rest.starts_with('.'))
                && wanted
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    if version.is_some_and(fits) {
        return Ok(());
    }
    Err(NoSuchFunction {
        message: format!("connector `{name}` is not of version {wanted}"),
        help: Some(match version {
            Some(version) => {
                format!("version {version} is installed; ask for that, or install the other")
            }
            None => "it has no version; leave `:version` out".to_owned(),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The connectors that come with the host, each also under another name.
    fn connectors(names: &[(&str, &str)]) -> Connectors {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/dist");
        let described = names.iter().map(|(name, file)| {
            let bytes = std::fs::read(format!("{folder}/{file}.wasm")).expect("it is built");
            let description = baton_sandbox::inspect(&bytes).expect("it is a connector");
            ((*name).to_owned(), Arc::new(description))
        });
        Connectors(described.collect())
    }

    fn resolved(connectors: &Connectors, text: &str) -> Result<String, NoSuchFunction> {
        let reference = FunctionReference::parse(text).expect("a reference");
        let reference = connectors.resolve(reference);
        connectors
            .function(&reference)
            .map(|_| reference.connector.clone())
    }

    #[test]
    fn the_default_catalog_is_that_of_all_connectors() {
        let one = connectors(&[("http", "http"), ("people", "scim")]);
        assert_eq!(resolved(&one, "create-user@default"), Ok("people".into()));
        assert_eq!(resolved(&one, "create-user@people"), Ok("people".into()));
        let missing = resolved(&one, "fly@default").expect_err("nobody can");
        assert_eq!(missing.message, "no connector has a function `fly`");
        let two = connectors(&[("people", "scim"), ("robots", "scim")]);
        let unclear = resolved(&two, "create-user@default").expect_err("two can");
        assert_eq!(
            unclear.help.as_deref(),
            Some("name one of people, robots: create-user@people")
        );
        // A connector of that name takes the place of the catalog.
        let named = connectors(&[("default", "scim"), ("people", "scim")]);
        assert_eq!(
            resolved(&named, "create-user@default"),
            Ok("default".into())
        );
    }
}
