//! What the workflow language's calls over HTTP have in common: bodies and queries, redirects, and what becomes of
//! an answer (dsl-reference, "HTTP Call" and "OpenAPI Call").

pub mod arguments;
#[cfg(target_arch = "wasm32")]
pub mod bindings;
pub mod body;
pub mod endpoint;
pub mod failure;
mod media_type;
pub mod placeholder;
pub mod query;
pub mod redirect;
pub mod resource;
pub mod response;
mod retry_after;
mod status;
pub mod value;

pub use endpoint::Endpoint;
pub use failure::{Failure, Kind};
pub use media_type::MediaType;

use outgoing::authentication::{Authenticated, Environment, Policy};
use outgoing::{Request, Send};

/// What a call gives back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputFormat {
    /// The content as it came, in base64.
    Raw,
    /// The content, as JSON or text where it is.
    #[default]
    Content,
    /// The whole response.
    Response,
}

/// Sends a request under a policy, follows redirects where that is asked for, and makes an output of the answer, a JSON
/// text.
///
/// # Errors
///
/// `authorization` where the host does not let it out; `authentication` where the credentials are not taken; `timeout`
/// and `communication` where no response came, or one with a status that is not a success.
pub fn exchange(
    request: Request,
    policy: Option<Policy>,
    follow: bool,
    format: OutputFormat,
    network: &impl Send,
    host: &impl Environment,
) -> Result<String, Failure> {
    let network = Authenticated::new(policy, network, host);
    let exchange = redirect::send(request, follow, &network)?;
    let accepted = if follow { 200..=399 } else { 200..=299 };
    if accepted.contains(&exchange.response.status) {
        response::output(&exchange, format)
    } else {
        Err(response::failure(&exchange))
    }
}
