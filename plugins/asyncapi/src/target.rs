//! Which server, and where the channel is.

use calls::arguments::{not, text, unknown};
use calls::{Failure, Kind};
use outgoing::Uri;
use serde_json::{Map, Value};

use crate::document::Operation;

/// A protocol that this connector speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP.
    Http,
    /// Websockets.
    WebSocket,
    /// Core NATS.
    Nats,
}

/// Where to send to or receive from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// By which protocol.
    pub protocol: Protocol,
    /// Whether over TLS. A server of NATS may ask for it besides.
    pub secured: bool,
    /// The server's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The whole address: server and channel.
    pub uri: String,
    /// The channel's address, its parameters filled in.
    pub channel: String,
}

impl Target {
    /// Chooses a server of an operation: the one that `server` names, or else the first of `protocol`, or else the
    /// first.
    ///
    /// # Errors
    ///
    /// `configuration` where there is none or its protocol is not spoken here, saying which there are; `validation`
    /// where an argument is wrong or a variable has no value.
    pub fn choose(
        operation: &Operation<'_>,
        server: Option<&Value>,
        protocol: Option<&str>,
    ) -> Result<Self, Failure> {
        let none = Map::new();
        let (name, given) = match server {
            None | Some(Value::Null) => (None, &none),
            Some(Value::Object(members)) => {
                let variables = members.get("variables").unwrap_or(&Value::Null);
                let variables = match variables {
                    Value::Null => &none,
                    Value::Object(variables) => variables,
                    other => return Err(not("server.variables", "an object", other)),
                };
                (Some(text("server", members, "name")?), variables)
            }
            Some(other) => return Err(not("server", "an object with `name`", other)),
        };
        let found = operation.servers.iter().find(|(candidate, settings)| {
            let of = settings["protocol"].as_str().unwrap_or_default();
            match (name, protocol) {
                (Some(name), _) => *candidate == name,
                (None, Some(wanted)) => of == wanted || of.strip_suffix('s') == Some(wanted),
                (None, None) => true,
            }
        });
        let Some((_, settings)) = found else {
            return Err(no_server(operation, name, protocol));
        };
        let variables = Variables {
            given,
            defaults: &settings["variables"],
        };
        Self::at(settings, &variables, operation)
    }

    fn at(
        settings: &Value,
        variables: &Variables<'_>,
        operation: &Operation<'_>,
    ) -> Result<Self, Failure> {
        let name = settings["protocol"].as_str().unwrap_or_default();
        let (protocol, secured, scheme, port) = match name {
            "http" => (Protocol::Http, false, "http", 80),
            "https" => (Protocol::Http, true, "https", 443),
            "ws" => (Protocol::WebSocket, false, "ws", 80),
            "wss" => (Protocol::WebSocket, true, "wss", 443),
            "nats" => (Protocol::Nats, false, "nats", 4222),
            other => {
                let detail = format!(
                    "the server speaks `{other}`; spoken here are http, https, ws, wss and nats"
                );
                return Err(Failure::new(
                    Kind::Configuration,
                    "Protocol not supported",
                    detail,
                ));
            }
        };
        // `url` in AsyncAPI 2, with or without a scheme; `host` and `pathname` in AsyncAPI 3.
        let place = match (settings["url"].as_str(), settings["host"].as_str()) {
            (Some(url), _) => variables.fill(url)?,
            (None, Some(host)) => {
                let path = settings["pathname"].as_str().unwrap_or_default();
                variables.fill(&format!("{host}{path}"))?
            }
            (None, None) => {
                let detail = "the server has neither `url` nor `host`";
                return Err(broken(detail.to_owned()));
            }
        };
        let (own_scheme, place) = place.split_once("://").unwrap_or(("", &place));
        // As clients of NATS have it: the protocol's name is the same with TLS and without.
        let secured = secured || (protocol == Protocol::Nats && own_scheme == "tls");
        let parameters = Variables {
            given: variables.given,
            defaults: &operation.channel["parameters"],
        };
        let channel = parameters.fill(operation.address)?;
        let base = format!("{scheme}://{}", place.trim_end_matches('/'));
        let uri = match (protocol, channel.trim_start_matches('/')) {
            (Protocol::Nats, _) | (_, "") => base,
            (_, path) => format!("{base}/{path}"),
        };
        let parsed =
            Uri::parse(uri.as_str()).map_err(|error| broken(format!("{uri:?}: {error}")))?;
        let authority = parsed.authority().filter(|it| !it.host().is_empty());
        let authority = authority.ok_or_else(|| broken(format!("{uri:?} names no host")))?;
        let own = authority.port_to_u16();
        let own = own.map_err(|_| broken(format!("{uri:?} has no such port")))?;
        Ok(Self {
            protocol,
            secured,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: own.unwrap_or(port),
            channel,
            uri,
        })
    }

    /// Host and port, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// The values of what stands in braces.
struct Variables<'a> {
    given: &'a Map<String, Value>,
    defaults: &'a Value,
}

impl Variables<'_> {
    fn fill(&self, template: &str) -> Result<String, Failure> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, behind)) = rest.split_once('{') {
            let Some((name, behind)) = behind.split_once('}') else {
                break;
            };
            filled.push_str(before);
            let value = self.given.get(name).or_else(|| {
                let default = &self.defaults[name]["default"];
                Some(default).filter(|it| !it.is_null())
            });
            match value {
                Some(Value::String(text)) => filled.push_str(text),
                Some(value @ (Value::Number(_) | Value::Bool(_))) => filled += &value.to_string(),
                Some(other) => return Err(not(&format!("server.variables.{name}"), "text", other)),
                None => {
                    return Err(Failure::validation(format!(
                        "`{template}` needs a value for `{name}`: give it under `server.variables`"
                    )));
                }
            }
            rest = behind;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

fn no_server(operation: &Operation<'_>, name: Option<&str>, protocol: Option<&str>) -> Failure {
    let names = operation.servers.iter().map(|(name, settings)| {
        let protocol = settings["protocol"].as_str().unwrap_or("?");
        match name {
            _ if protocol.is_empty() => (*name).to_owned(),
            name => format!("{name} ({protocol})"),
        }
    });
    let detail = match (name, protocol) {
        (Some(name), _) => unknown(
            "server",
            name,
            operation.servers.iter().map(|(it, _)| (*it).to_owned()),
        ),
        (None, Some(protocol)) => unknown("server of the protocol", protocol, names),
        (None, None) => "the document names no server for the channel".to_owned(),
    };
    Failure::new(Kind::Configuration, "Unknown server", detail)
}

fn broken(detail: String) -> Failure {
    let detail = format!("the server's address: {detail}");
    Failure::new(Kind::Configuration, "Invalid AsyncAPI document", detail)
}
