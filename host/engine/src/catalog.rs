//! The connectors, as a plan looks functions up in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use baton_sandbox::Description;
use baton_workflow::plan::{Catalog, FunctionReference, NoSuchFunction, Signature};

/// Some connectors, by the names under which documents know them.
#[derive(Clone, Default)]
pub(crate) struct Connectors(pub(crate) BTreeMap<String, Arc<Description>>);

impl Catalog for Connectors {
    fn function(&self, reference: &FunctionReference) -> Result<Signature, NoSuchFunction> {
        let name = &reference.connector;
        let connector = self.0.get(name).ok_or_else(|| self.no_connector(name))?;
        if let Some(wanted) = &reference.version {
            check_version(name, wanted, connector)?;
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
}

impl Connectors {
    fn no_connector(&self, name: &str) -> NoSuchFunction {
        let there: Vec<String> = self.0.keys().take(20).map(|it| format!("`{it}`")).collect();
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
