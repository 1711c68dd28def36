//! Where an agent's card says the agent is (A2A 0.3, section 5.5, "AgentCard").

use calls::{Endpoint, Failure, Kind, resource, value};
use outgoing::Open;
use serde_json::Value;

/// The transport that this connector speaks.
const JSON_RPC: &str = "JSONRPC";

/// An agent, as its card describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Where it is.
    pub endpoint: Endpoint,
    /// How it wants its callers to authenticate: the names of the card's security schemes.
    pub schemes: Vec<String>,
}

/// Fetches the card at `source`, and reads where the agent is. `network` is the source's own.
///
/// # Errors
///
/// `communication` where there is no card there, or it is none; `configuration` where the agent does not speak JSON-RPC.
pub fn find(source: &Endpoint, network: &impl Open) -> Result<Agent, Failure> {
    let response = resource::fetch(source, "application/json", network)?;
    let broken = |why: String| Failure::broken(format!("the agent card of {}: {why}", source.uri));
    let card: Value = serde_json::from_slice(&response.body)
        .map_err(|error| broken(format!("it is no JSON: {error}")))?;

    let address = address(&card).map_err(|others| match others.is_empty() {
        true => broken("it says nowhere where the agent is (`url`)".to_owned()),
        false => Failure::new(
            Kind::Configuration,
            "Agent not supported",
            format!(
                "the agent card of {} offers {}, and not {JSON_RPC}",
                source.uri,
                others.join(", ")
            ),
        ),
    })?;
    let uri = value::uri("url", address).map_err(|failure| broken(failure.detail))?;
    let schemes = card["securitySchemes"].as_object();
    Ok(Agent {
        endpoint: Endpoint { uri, policy: None },
        schemes: schemes
            .into_iter()
            .flat_map(|schemes| schemes.keys().cloned())
            .collect(),
    })
}

/// The address for JSON-RPC, or else the transports that there are.
fn address(card: &Value) -> Result<&str, Vec<String>> {
    let is_ours = |transport: &str| transport.eq_ignore_ascii_case(JSON_RPC);
    let preferred = card["preferredTransport"].as_str().unwrap_or(JSON_RPC);
    let main = card["url"].as_str().map(|url| (preferred, url));
    let list = |key: &str, transport: &'static str| {
        let items = card[key].as_array().into_iter().flatten();
        items.filter_map(move |item| Some((item[transport].as_str()?, item["url"].as_str()?)))
    };
    let all: Vec<(&str, &str)> = main
        .into_iter()
        .chain(list("additionalInterfaces", "transport"))
        .chain(list("supportedInterfaces", "protocolBinding"))
        .collect();
    let found = all.iter().find(|(transport, _)| is_ours(transport));
    match found {
        Some((_, url)) => Ok(url),
        None => Err(all
            .iter()
            .map(|(transport, _)| (*transport).to_owned())
            .collect()),
    }
}
