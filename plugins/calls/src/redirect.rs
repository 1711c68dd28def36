//! Sending a request, and following where it leads (RFC 9110, section 15.4).

use outgoing::{Request, Response, Send, Uri, UriRef};

use crate::failure::{Failure, Kind};
use crate::value;

/// How many redirects are followed before it counts as going in circles.
pub const REDIRECTS_MAX: usize = 10;

/// A response, and the request that it answers: the last one, where redirects were followed.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was asked.
    pub request: Request,
    /// What was answered.
    pub response: Response,
}

/// Sends `request`; with `follow`, also those that the other side redirects to.
///
/// # Errors
///
/// Where no response comes, or a redirect leads nowhere that HTTP can go.
pub fn send(request: Request, follow: bool, network: &impl Send) -> Result<Exchange, Failure> {
    let mut request = request;
    for _ in 0..=REDIRECTS_MAX {
        let response = network
            .send(&request)
            .map_err(|error| Failure::no_response(&request, &error))?;
        let next = if follow {
            next(&request, &response)?
        } else {
            None
        };
        match next {
            Some(next) => request = next,
            None => return Ok(Exchange { request, response }),
        }
    }
    Err(Failure::new(
        Kind::Communication,
        "Too many redirects",
        format!(
            "{} {}: still redirected after {REDIRECTS_MAX} redirects",
            request.method, request.uri
        ),
    ))
}

/// The request that a response redirects to, if it does.
fn next(request: &Request, response: &Response) -> Result<Option<Request>, Failure> {
    let keeps_method = match response.status {
        301 | 302 => request.method != "POST",
        303 => matches!(request.method.as_str(), "GET" | "HEAD"),
        307 | 308 => true,
        _ => return Ok(None),
    };
    let Some(location) = response.header("location") else {
        return Ok(None);
    };
    let uri = resolve(&request.uri, location)?;
    let mut next = request.clone();
    if !outgoing::same_origin(&request.uri, &uri) {
        // Credentials are for the one that they were given for.
        let is_private = |name: &str| {
            ["authorization", "cookie", "proxy-authorization"]
                .iter()
                .any(|private| name.eq_ignore_ascii_case(private))
        };
        next.headers.retain(|(name, _)| !is_private(name));
    }
    if !keeps_method {
        "GET".clone_into(&mut next.method);
        next.body = None;
        let of_the_body = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.starts_with("content-") || name == "idempotency-key"
        };
        next.headers.retain(|(name, _)| !of_the_body(name));
    }
    next.uri = uri;
    Ok(Some(next))
}

fn resolve(base: &Uri<String>, location: &str) -> Result<Uri<String>, Failure> {
    let broken = |why: String| {
        let detail = format!("{base} redirects to {location:?}: {why}");
        Failure::new(Kind::Communication, "Invalid redirect", detail)
    };
    let reference = UriRef::parse(location).map_err(|error| broken(error.to_string()))?;
    let base = base.strip_fragment();
    let resolved = reference
        .resolve_against(&base)
        .map_err(|error| broken(error.to_string()))?;
    value::uri("location", resolved.as_str()).map_err(|failure| broken(failure.detail))
}
