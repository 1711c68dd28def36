//! `baton connector grant`: what a connector may do.

use std::collections::BTreeMap;

use baton_api::connector::Quantity;
use baton_api::connector::{Grants, Limits};
use baton_engine::{LimitsSpec, Quantity as Given};

use crate::failure::{Failure, Outcome};
use crate::output::{Output, print_json, print_pretty};
use crate::remote::Remote;

/// The arguments of `baton connector grant`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The connector's name
    #[arg(value_name = "NAME")]
    name: String,

    #[command(flatten)]
    grant: Grant,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

/// What is granted. At least one of them must be there, so that nobody takes everything away by mistake.
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = true)]
struct Grant {
    /// Where it may send requests: `[METHOD ]scheme://host[:port][/path]`; may be given several times
    #[arg(long, value_name = "RULE")]
    allow: Vec<String>,

    /// A setting that it reads; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    config: Vec<(String, String)>,

    /// A bound for each of its calls: memory (`64MiB`), time, cpu (`30s`), concurrency, response (`4MiB`)
    #[arg(long, value_name = "NAME=VALUE", value_parser = key_value)]
    limit: Vec<(String, String)>,

    /// Nothing at all
    #[arg(long, conflicts_with_all = ["allow", "config", "limit"])]
    nothing: bool,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let grants = Grants {
            egress: self.grant.allow,
            config: self.grant.config.into_iter().collect(),
            limits: limits(&self.grant.limit.into_iter().collect())?,
        };
        let connector = self.remote.client()?.grant(&self.name, &grants).await?;
        match self.output {
            Output::Text => print_pretty(&connector.grants),
            Output::Json => print_json(&connector.grants),
        }
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Limits in bytes and milliseconds, from text with units.
fn limits(given: &BTreeMap<String, String>) -> Result<Limits, Failure> {
    let quantity = |name: &str| {
        let text = given.get(name)?;
        Some(
            text.parse()
                .map_or_else(|_| Given::Text(text.clone()), Given::Number),
        )
    };
    let wrong =
        |error: &dyn std::error::Error| Failure::invalid("a limit cannot be used").because(error);
    if let Some(name) = given.keys().find(|name| !NAMES.contains(&name.as_str())) {
        return Err(Failure::invalid(format!(
            "there is no limit `{name}`: there are {}",
            NAMES.join(", ")
        )));
    }
    let concurrency = given
        .get("concurrency")
        .map(|text| text.parse::<usize>())
        .transpose();
    let spec = LimitsSpec {
        memory: quantity("memory"),
        time: quantity("time"),
        cpu: quantity("cpu"),
        concurrency: concurrency.map_err(|error| wrong(&error))?,
        response: quantity("response"),
    };
    // Checked here, so that a typing error is told at once, and sent as it was typed.
    spec.resolve().map_err(|error| wrong(&error))?;
    let typed = |name: &str| {
        given.get(name).map(|text| {
            text.parse()
                .map_or_else(|_| Quantity::Text(text.clone()), Quantity::Number)
        })
    };
    Ok(Limits {
        memory: typed("memory"),
        time: typed("time"),
        cpu: typed("cpu"),
        concurrency: spec.concurrency,
        response: typed("response"),
    })
}

/// The limits that there are.
const NAMES: [&str; 5] = ["memory", "time", "cpu", "concurrency", "response"];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Limits, String> {
        let given = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        limits(&given).map_err(|failure| format!("{} {:?}", failure.message, failure.causes))
    }

    #[test]
    fn limits_have_units() {
        let given = [
            ("memory", "1MiB"),
            ("time", "2s"),
            ("concurrency", "3"),
            ("response", "4096"),
        ];
        let expected = Limits {
            memory: Some(Quantity::Text("1MiB".to_owned())),
            time: Some(Quantity::Text("2s".to_owned())),
            cpu: None,
            concurrency: Some(3),
            response: Some(Quantity::Number(4096.into())),
        };
        assert_eq!(parse(&given), Ok(expected));
        assert_eq!(parse(&[]), Ok(Limits::default()));
    }

    #[test]
    fn wrong_limits_say_why() {
        for (name, value, expected) in [
            ("memory", "1 parsec", "memory"),
            ("fuel", "1", "there is no limit `fuel`"),
            ("concurrency", "many", "a limit cannot be used"),
            ("time", "100h", "time"),
        ] {
            let error = parse(&[(name, value)]).expect_err("it is wrong");
            assert!(error.contains(expected), "{name}={value}: {error}");
        }
    }
}
