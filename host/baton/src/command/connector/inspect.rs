//! `baton connector inspect`: the functions of a connector and the capabilities it asks for.

use baton_api::connector::{Connector, ConnectorSummary, Function, Grants, Import};
use baton_sandbox::Description;

use super::target::Target;
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::output::{Output, print, print_json};
use crate::remote::Remote;
use crate::render::connector;

/// The arguments of `baton connector inspect`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A component, or the name of a connector on the host
    #[arg(value_name = "FILE|NAME")]
    target: Target,

    /// What the answer looks like; JSON has the schemas in full
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let connector = match &self.target {
            Target::Name(name) => self.remote.client()?.connector(name).await?,
            Target::File(path) => {
                let description =
                    baton_sandbox::inspect(&input::component(path)?).map_err(|error| {
                        Failure::new(format!("{} is no connector", path.display())).because(&error)
                    })?;
                describe(&description)
            }
        };
        match self.output {
            Output::Json => print_json(&connector),
            Output::Text => print(connector::render(&connector)),
        }
    }
}

/// A component in the form that the API has for an installed one, under the name that it would have.
fn describe(description: &Description) -> Connector {
    let package = description.package.as_ref();
    let functions = description.functions.iter().map(|function| Function {
        name: function.name.clone(),
        interface: function.interface.clone(),
        input: function.input_schema().unwrap_or_default(),
        output: function.output_schema().unwrap_or_default(),
        docs: function.docs.clone(),
        unavailable: function.signature.as_ref().err().cloned(),
    });
    let imports = description.imports.iter().map(|import| Import {
        interface: import.name.clone(),
        capability: import
            .capability
            .filter(|capability| capability.is_requested())
            .map(|capability| capability.to_string()),
    });
    Connector {
        summary: ConnectorSummary {
            name: package.map_or_else(|| "?".to_owned(), |package| package.name.clone()),
            package: package.map(|package| format!("{}:{}", package.namespace, package.name)),
            version: package.and_then(|package| package.version.clone()),
            digest: description.digest.to_string(),
            bundled: false,
            installed_at: None,
        },
        functions: functions.collect(),
        imports: imports.collect(),
        grants: Grants::default(),
    }
}
