//! What is granted to connectors on the command line: `--allow` and `--config`.

use std::collections::BTreeMap;
use std::str::FromStr;

use clap::Args;

/// The connectors that `--allow` means where it names none: those of the language's own calls.
const CALLS: [&str; 6] = ["a2a", "asyncapi", "grpc", "http", "mcp", "openapi"];

/// Those of them that make connections of their own.
const CONNECTING: [&str; 1] = ["asyncapi"];

/// The flags that grant something to the connectors of a host in this process.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Grants")]
pub(crate) struct GrantFlags {
    /// Where a connector may send requests: `[METHOD ]scheme://host[:port][/path]`, `*.` before a domain
    /// for any name below it. For the language's own calls, such as `call: http`, or for one connector with its
    /// name in front: `scim=https://…`. `tcp://host:port` lets `call: asyncapi` connect there
    #[arg(long, value_name = "[CONNECTOR=]RULE")]
    pub(crate) allow: Vec<Allow>,

    /// A setting of a connector, such as `scim.base-url=https://directory.example.org/scim/v2`
    #[arg(long = "config", value_name = "CONNECTOR.KEY=VALUE")]
    pub(crate) config: Vec<Setting>,
}

/// An egress rule for a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allow {
    /// The connector's name; none for all of the language's own calls.
    pub(crate) connector: Option<String>,
    /// The rule. Whether it is one is for the sandbox to say.
    pub(crate) rule: String,
}

impl FromStr for Allow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // No rule has a `=` before its `://`, so that the two forms can't be mistaken for each other.
        let before_scheme = text.split("://").next().unwrap_or(text);
        match before_scheme.split_once('=') {
            None => Ok(Self {
                connector: None,
                rule: text.into(),
            }),
            Some((connector, _)) => {
                check_name(connector)?;
                Ok(Self {
                    connector: Some(connector.into()),
                    rule: text[connector.len() + 1..].into(),
                })
            }
        }
    }
}

/// A setting for a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The connector's name.
    pub(crate) connector: String,
    /// The setting's name.
    pub(crate) key: String,
    /// Its value.
    pub(crate) value: String,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("expected CONNECTOR.KEY=VALUE")?;
        let (connector, key) = name.split_once('.').ok_or("expected CONNECTOR.KEY=VALUE")?;
        check_name(connector)?;
        if key.is_empty() {
            return Err("the key of the setting is empty".into());
        }
        Ok(Self {
            connector: connector.into(),
            key: key.into(),
            value: value.into(),
        })
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let fits = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits {
        Ok(())
    } else {
        Err(format!("`{name}` is no name of a connector"))
    }
}

/// What is granted to one connector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Granted {
    /// Where it may send requests.
    pub(crate) egress: Vec<String>,
    /// Where it may connect by TCP.
    pub(crate) tcp: Vec<String>,
    /// Its settings.
    pub(crate) config: BTreeMap<String, String>,
}

impl GrantFlags {
    /// The grants by connector.
    pub(crate) fn by_connector(&self) -> BTreeMap<String, Granted> {
        let mut grants: BTreeMap<String, Granted> = BTreeMap::new();
        for Allow { connector, rule } in &self.allow {
            let place = rule.strip_prefix("tcp://");
            let connectors = match (connector, place) {
                (Some(connector), _) => vec![connector.as_str()],
                (None, Some(_)) => CONNECTING.to_vec(),
                (None, None) => CALLS.to_vec(),
            };
            for connector in connectors {
                let granted = grants.entry(connector.to_owned()).or_default();
                match place {
                    Some(place) => granted.tcp.push(place.to_owned()),
                    None => granted.egress.push(rule.clone()),
                }
            }
        }
        for Setting {
            connector,
            key,
            value,
        } in &self.config
        {
            let config = &mut grants.entry(connector.clone()).or_default().config;
            config.insert(key.clone(), value.clone());
        }
        grants
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_for_the_language_unless_it_names_a_connector() {
        let cases = [
            ("https://a.example", None, "https://a.example"),
            (
                "GET https://a.example/?q=http://b",
                None,
                "GET https://a.example/?q=http://b",
            ),
            (
                "scim=http://127.0.0.1:9090",
                Some("scim"),
                "http://127.0.0.1:9090",
            ),
            (
                "scim=PATCH https://a.example/x=y",
                Some("scim"),
                "PATCH https://a.example/x=y",
            ),
        ];
        for (text, connector, rule) in cases {
            let expected = Allow {
                connector: connector.map(str::to_owned),
                rule: rule.into(),
            };
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert!("Not A Name=https://a.example".parse::<Allow>().is_err());
    }

    #[test]
    fn flags_become_grants() {
        let flags = GrantFlags {
            allow: [
                "https://a.example",
                "scim=https://b.example",
                "https://c.example",
                "tcp://d.example:4222",
            ]
            .map(|text| text.parse().expect("it is right"))
            .into(),
            config: ["scim.base-url=https://b.example/?a=b.c", "scim.token="]
                .map(|text| text.parse().expect("it is right"))
                .into(),
        };
        let grants = flags.by_connector();
        for call in CALLS {
            assert_eq!(
                grants[call].egress,
                ["https://a.example", "https://c.example"]
            );
        }
        assert_eq!(grants["asyncapi"].tcp, ["d.example:4222"]);
        assert!(grants["http"].tcp.is_empty());
        assert_eq!(
            grants["scim"].config["base-url"],
            "https://b.example/?a=b.c"
        );
        assert_eq!(grants["scim"].config["token"], "");
        for wrong in ["scim", "base-url=1", "scim.=1", "Scim.a=1", ".a=1"] {
            assert!(wrong.parse::<Setting>().is_err(), "{wrong}");
        }
    }
}
