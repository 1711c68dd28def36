//! `baton connector call`: a function, called once, outside of any workflow.

use std::path::Path;

use baton_api::connector::CallFunction;
use baton_engine::{CallView, GrantSpec, TenantId};
use serde_json::{Map, Value, json};

use super::target::Target;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::output::{Output, print_json, print_pretty};
use crate::remote::Remote;
use crate::render::history::error;
use crate::render::text::tame;
use crate::{directories, host};

/// The name under which a component from a file is called.
const NAME: &str = "called";

/// The arguments of `baton connector call`.
///
/// A component in a file is called in this process, and may do what `--allow` and `--config` grant. A
/// connector on a host is called there, and may do what was granted to it there.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A component, or the name of a connector on the host
    #[arg(value_name = "FILE|NAME")]
    target: Target,

    /// The function; with its interface in front where two have one of the name: `greetings/greet`
    #[arg(value_name = "FUNCTION")]
    function: String,

    /// The arguments as a JSON object by parameter name, or @FILE [default: {}]
    #[arg(long, value_name = "JSON")]
    args: Option<String>,

    /// For a component in a file: where it may send requests; may be given several times
    #[arg(long, value_name = "RULE")]
    allow: Vec<String>,

    /// For a component in a file: a setting that it reads; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = input::name_value)]
    config: Vec<(String, String)>,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

/// What a call came to.
struct Called {
    output: Value,
    error: Option<Value>,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let arguments = match &self.args {
            Some(argument) => input::json("--args", argument)?,
            None => Value::Object(Map::new()),
        };
        let called = match &self.target {
            Target::File(path) => self.call_here(path, arguments).await?,
            Target::Name(name) => self.call_there(name, arguments).await?,
        };
        match (self.output, &called.error) {
            (Output::Json, _) => {
                print_json(&json!({ "output": called.output, "error": called.error }))?
            }
            (Output::Text, None) => print_pretty(&called.output)?,
            (Output::Text, Some(_)) => Exit::Failed,
        };
        match called.error {
            None => Ok(Exit::Done),
            Some(cause) => {
                anstream::eprintln!("`{}` failed: {}", self.function, error(&cause));
                Ok(Exit::Failed)
            }
        }
    }

    async fn call_there(&self, name: &str, arguments: Value) -> Result<Called, Failure> {
        if !self.allow.is_empty() || !self.config.is_empty() {
            let failure = Failure::invalid("--allow and --config are for components in files");
            return Err(failure.help(format!(
                "grant on the host, with `baton connector grant {name}`"
            )));
        }
        let call = CallFunction {
            function: self.function.clone(),
            arguments,
        };
        let result = self.remote.client()?.call(name, &call).await?;
        Ok(Called {
            output: result.output,
            error: result.error.map(|error| json!(error)),
        })
    }

    async fn call_here(&self, path: &Path, arguments: Value) -> Result<Called, Failure> {
        let component = input::component(path)?;
        let tenant = TenantId::default();
        let grant = GrantSpec {
            egress: self.allow.clone(),
            config: self.config.iter().cloned().collect(),
            ..GrantSpec::default()
        };
        let options = host::Options {
            cache: directories::compiled(),
            ..host::Options::default()
        };
        let engine = host::open(options)?;
        let installed = engine.install(&tenant, Some(NAME), component).await;
        installed.map_err(|error| {
            Failure::new(format!("{} is no connector", path.display())).because(&error)
        })?;
        let granted = engine.grant(&tenant, NAME, grant).await;
        granted.map_err(|error| Failure::invalid("the grant cannot be used").because(&error))?;
        let called = engine.call(&tenant, NAME, &self.function, arguments).await;
        let called = called.map_err(|error| {
            Failure::new(format!("cannot call `{}`", self.function)).because(&error)
        })?;
        tell(&called);
        Ok(match called.result {
            Ok(output) => Called {
                output: (*output).clone(),
                error: None,
            },
            Err(mut error) => {
                // The engine's way out names the connector, which has no name here.
                if error.status == 403 && !called.refusals.is_empty() {
                    error.detail = Some("grant it with --allow".to_owned());
                }
                Called {
                    output: Value::Null,
                    error: Some(error.to_value()),
                }
            }
        })
    }
}

/// What the call wrote to its log and what it was refused, on standard error.
fn tell(called: &CallView) {
    for line in &called.log {
        anstream::eprintln!("{}: {}", tame(&line.context, 60), tame(&line.message, 1000));
    }
    for refusal in &called.refusals {
        anstream::eprintln!("{}", tame(&refusal.to_string(), 1000));
    }
}
