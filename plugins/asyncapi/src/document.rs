//! The AsyncAPI document: where an operation's channel is, and on which servers (AsyncAPI 2.6 and 3.0).

use calls::arguments::unknown;
use calls::{Failure, Kind, resource};
use outgoing::Open;
use outgoing::authentication::Environment;
use serde_json::{Map, Value};

/// How many references may lead to others.
const REFERENCES_MAX: usize = 16;

/// A document.
#[derive(Clone, Debug)]
pub struct Document {
    root: Value,
    is_v3: bool,
}

/// What a call wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// To publish a message.
    Publish,
    /// To receive messages.
    Subscribe,
}

/// An operation on a channel.
#[derive(Clone, Debug)]
pub struct Operation<'d> {
    /// The channel's own address, with its parameters in braces.
    pub address: &'d str,
    /// What the document says of the channel.
    pub channel: &'d Value,
    /// What the document says of the operation; null where the call names a channel of AsyncAPI 3.
    pub operation: &'d Value,
    /// The servers that the channel is on, by name, in the document's order.
    pub servers: Vec<(&'d str, &'d Value)>,
}

impl Document {
    /// Fetches the document that the argument names.
    ///
    /// # Errors
    ///
    /// `validation` where the argument names none; `configuration` where it is no document of AsyncAPI 2 or 3; those
    /// of fetching.
    pub fn load(
        argument: &Value,
        network: &impl Open,
        host: &impl Environment,
    ) -> Result<Self, Failure> {
        let source = resource::read("document", argument)?;
        let accept = "application/json, application/yaml, */*";
        let response = resource::fetch(&source, accept, &source.network(network, host))?;
        Self::parse(&response.body).map_err(|why| invalid(format!("{}: {why}", source.uri)))
    }

    fn parse(text: &[u8]) -> Result<Self, String> {
        // JSON is YAML, and is read faster as what it is.
        let root: Value = match serde_json::from_slice(text) {
            Ok(root) => root,
            Err(_) => serde_yaml_ng::from_slice(text)
                .map_err(|error| format!("it is neither JSON nor YAML: {error}"))?,
        };
        match root["asyncapi"].as_str() {
            Some(version) if version.starts_with("3.") => Ok(Self { root, is_v3: true }),
            Some(version) if version.starts_with("2.") => Ok(Self { root, is_v3: false }),
            Some(version) => Err(format!(
                "its version is AsyncAPI {version}, and 2 and 3 are known here"
            )),
            None => Err("it is no AsyncAPI document: it has no `asyncapi`".to_owned()),
        }
    }

    /// Finds what a call names by operation or by channel.
    ///
    /// # Errors
    ///
    /// `configuration`, saying which there are, the nearest first.
    pub fn find<'d>(
        &'d self,
        operation: Option<&str>,
        channel: Option<&'d str>,
        action: Action,
    ) -> Result<Operation<'d>, Failure> {
        match (operation, channel, self.is_v3) {
            (Some(name), _, true) => {
                let operation = self.named("operations", "operation", name)?;
                let channel = self.resolve(&operation["channel"]);
                self.on(channel, operation, None)
            }
            (Some(id), _, false) => self.by_operation_id(id),
            (None, Some(name), true) => {
                let channel = self.named("channels", "channel", name)?;
                self.on(channel, &Value::Null, Some(name))
            }
            (None, Some(name), false) => {
                let channel = self.named("channels", "channel", name)?;
                let key = match action {
                    Action::Publish => "publish",
                    Action::Subscribe => "subscribe",
                };
                let operation = channel.get(key).ok_or_else(|| {
                    missing(format!("the channel `{name}` has no `{key}` operation"))
                })?;
                self.on(channel, operation, Some(name))
            }
            (None, None, _) => Err(Failure::validation(
                "there is neither `operation` nor `channel`: say what to call",
            )),
        }
    }

    /// The operation of AsyncAPI 2 with an `operationId`.
    fn by_operation_id(&self, id: &str) -> Result<Operation<'_>, Failure> {
        let mut ids = Vec::new();
        for (name, channel) in entries(&self.root["channels"]) {
            let channel = self.resolve(channel);
            for key in ["publish", "subscribe"] {
                let operation = &channel[key];
                match operation["operationId"].as_str() {
                    Some(found) if found == id => return self.on(channel, operation, Some(name)),
                    other => ids.extend(other.map(str::to_owned)),
                }
            }
        }
        Err(missing(unknown("operation", id, ids)))
    }

    fn named(&self, section: &str, what: &str, name: &str) -> Result<&Value, Failure> {
        let members = &self.root[section];
        members.get(name).map(|it| self.resolve(it)).ok_or_else(|| {
            let names = entries(members).map(|(name, _)| name.to_owned());
            missing(unknown(what, name, names))
        })
    }

    fn on<'d>(
        &'d self,
        channel: &'d Value,
        operation: &'d Value,
        name: Option<&'d str>,
    ) -> Result<Operation<'d>, Failure> {
        let address = channel["address"]
            .as_str()
            .or(name)
            .ok_or_else(|| invalid("the operation's channel has no address".to_owned()))?;
        let all: Vec<(&str, &Value)> = entries(&self.root["servers"])
            .map(|(name, server)| (name, self.resolve(server)))
            .collect();
        // Names in AsyncAPI 2, references in AsyncAPI 3; none means all.
        let of_channel: Vec<&str> = channel["servers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().or_else(|| item["$ref"].as_str()))
            .map(|name| name.rsplit('/').next().unwrap_or(name))
            .collect();
        let servers = all
            .into_iter()
            .filter(|(name, _)| of_channel.is_empty() || of_channel.contains(name))
            .collect();
        Ok(Operation {
            address,
            channel,
            operation,
            servers,
        })
    }

    /// What a reference within the document leads to; anything else is itself.
    fn resolve<'d>(&'d self, value: &'d Value) -> &'d Value {
        let mut value = value;
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = value["$ref"].as_str() else {
                return value;
            };
            let found = reference.strip_prefix('#');
            value = found
                .and_then(|pointer| self.root.pointer(pointer))
                .unwrap_or(&Value::Null);
        }
        &Value::Null
    }

    /// Where the messages of an operation have their correlation id.
    #[must_use]
    pub fn correlation<'d>(&'d self, operation: &Operation<'d>) -> Option<&'d str> {
        let of_channel = entries(&operation.channel["messages"]).map(|(_, message)| message);
        let message = Some(&operation.operation["message"]);
        message.into_iter().chain(of_channel).find_map(|message| {
            let correlation = self.resolve(&self.resolve(message)["correlationId"]);
            correlation["location"].as_str()
        })
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members: Option<&Map<String, Value>> = value.as_object();
    members
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}

fn invalid(detail: String) -> Failure {
    Failure::new(Kind::Configuration, "Invalid AsyncAPI document", detail)
}

fn missing(detail: String) -> Failure {
    Failure::new(Kind::Configuration, "Unknown operation", detail)
}
