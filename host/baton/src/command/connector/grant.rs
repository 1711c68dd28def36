//! `baton connector grant`: what a connector may do.

use std::collections::BTreeMap;

use baton_api::connector::Quantity;
use baton_api::connector::{Grants, Limits};
use baton_engine::{GrantSpec, LimitsSpec, Quantity as Given};

use crate::failure::{Failure, Outcome};
use crate::input::name_value;
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
    #[arg(long, value_name = "KEY=VALUE", value_parser = name_value)]
    config: Vec<(String, String)>,

    /// Where it may connect by TCP; may be given several times
    #[arg(long, value_name = "HOST:PORT")]
    tcp: Vec<String>,

    /// A secret that it may use, by name, without ever holding its value; may be given several times
    #[arg(long, value_name = "NAME")]
    secret: Vec<String>,

    /// A secret whose value it may hold; may be given several times
    #[arg(long, value_name = "NAME")]
    reveal: Vec<String>,

    /// A bound for each of its calls: memory (`64MiB`), time, cpu (`30s`), concurrency, response (`4MiB`)
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_value)]
    limit: Vec<(String, String)>,

    /// Nothing at all
    #[arg(long, conflicts_with_all = ["allow", "config", "tcp", "secret", "reveal", "limit"])]
    nothing: bool,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let Grant {
            allow,
            config,
            tcp,
            secret,
            reveal,
            limit,
            ..
        } = self.grant;
        let spec = GrantSpec {
            egress: allow,
            config: config.into_iter().collect(),
            tcp,
            secrets: secret,
            reveal,
            limits: LimitsSpec::default(),
        };
        let grants = grants(spec, &limit.into_iter().collect())?;
        let connector = self.remote.client()?.grant(&self.name, &grants).await?;
        match self.output {
            Output::Text => print_pretty(&connector.grants),
            Output::Json => print_json(&connector.grants),
        }
    }
}

/// The grant, with all that is wrong with it said at once. What is right is sent as it was typed.
fn grants(spec: GrantSpec, limits: &BTreeMap<String, String>) -> Result<Grants, Failure> {
    let quantity = |name: &str| {
        let text = limits.get(name)?;
        Some(
            text.parse()
                .map_or_else(|_| Given::Text(text.clone()), Given::Number),
        )
    };
    let mut problems: Vec<String> = limits
        .keys()
        .filter(|name| !NAMES.contains(&name.as_str()))
        .map(|name| format!("there is no limit `{name}`: there are {}", NAMES.join(", ")))
        .collect();
    let concurrency = limits.get("concurrency").and_then(|text| {
        let wrong = |_| problems.push(format!("limits.concurrency: `{text}` is no whole number"));
        text.parse::<usize>().map_err(wrong).ok()
    });
    let spec = GrantSpec {
        limits: LimitsSpec {
            memory: quantity("memory"),
            time: quantity("time"),
            cpu: quantity("cpu"),
            concurrency,
            response: quantity("response"),
        },
        ..spec
    };
    problems.extend(spec.problems().iter().map(ToString::to_string));
    if !problems.is_empty() {
        let mut failure = Failure::invalid("the grant cannot be used");
        failure.causes = problems;
        return Err(failure);
    }
    let typed = |name: &str| {
        limits.get(name).map(|text| {
            text.parse()
                .map_or_else(|_| Quantity::Text(text.clone()), Quantity::Number)
        })
    };
    Ok(Grants {
        egress: spec.egress,
        config: spec.config,
        tcp: spec.tcp,
        secrets: spec.secrets,
        reveal: spec.reveal,
        limits: Limits {
            memory: typed("memory"),
            time: typed("time"),
            cpu: typed("cpu"),
            concurrency,
            response: typed("response"),
        },
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
        grants(GrantSpec::default(), &given)
            .map(|grants| grants.limits)
            .map_err(|failure| format!("{} {:?}", failure.message, failure.causes))
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
            ("concurrency", "many", "`many` is no whole number"),
            ("time", "100h", "time"),
        ] {
            let error = parse(&[(name, value)]).expect_err("it is wrong");
            assert!(error.contains(expected), "{name}={value}: {error}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let limits = [("fuel", "1"), ("memory", "1 parsec"), ("concurrency", "x")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let spec = GrantSpec {
            egress: vec!["nowhere".to_owned(), "ftp://x".to_owned()],
            ..GrantSpec::default()
        };
        let failure = grants(spec, &limits.into()).expect_err("it is wrong");
        let causes = failure.causes.join("\n");
        assert_eq!(failure.causes.len(), 5, "{causes}");
        for expected in ["fuel", "memory", "concurrency", "nowhere", "ftp"] {
            assert!(causes.contains(expected), "{expected} in {causes}");
        }
    }
}
