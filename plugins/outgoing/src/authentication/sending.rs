//! Requests, sent under a policy.

use std::cell::RefCell;

use super::digest::{self, Challenge};
use super::{Environment, Policy, UserPassword, basic, oauth2};
use crate::{Request, Response, Send, SendError, Uri};

/// What stands for an access token that came back.
const CONCEALED: &str = "(concealed)";

/// A network that authenticates: it puts the credentials into each request to the first one's origin, and to no other.
/// What is handed in and given back is without them.
pub struct Authenticated<'a, N, E> {
    policy: Option<Policy>,
    network: &'a N,
    host: &'a E,
    /// Where the first request went.
    first: RefCell<Option<Uri<String>>>,
}

impl<'a, N: Send, E: Environment> Authenticated<'a, N, E> {
    /// Requests under a policy; without one, they are sent as they are.
    pub fn new(policy: Option<Policy>, network: &'a N, host: &'a E) -> Self {
        Self {
            policy,
            network,
            host,
            first: RefCell::default(),
        }
    }

    fn is_first_origin(&self, request: &Request) -> bool {
        let mut first = self.first.borrow_mut();
        let first = first.get_or_insert_with(|| request.uri.clone());
        crate::same_origin(first, &request.uri)
    }

    fn digest(&self, request: &Request, policy: &UserPassword) -> Result<Response, SendError> {
        let key = digest::key(request, policy, self.host)?;
        let meet = |mut challenge: Challenge| {
            let answer = challenge.answer(request, policy, self.host)?;
            // Kept before it is sent: no other request may use the same count.
            challenge.remember(&key, self.host);
            self.network.send(&with(request, &answer))
        };
        let (first, was_met) = match Challenge::remembered(&key, self.host) {
            Some(challenge) => (meet(challenge)?, true),
            None => (self.network.send(request)?, false),
        };
        if first.status != 401 {
            return Ok(first);
        }
        let Some(challenge) = Challenge::of(&first) else {
            return Ok(first);
        };
        let second = meet(challenge?)?;
        match second.status {
            401 if was_met && Challenge::is_stale(&second) => Ok(second),
            401 => Err(digest::refused()),
            _ => Ok(second),
        }
    }

    fn with_token(
        &self,
        request: &Request,
        policy: &super::OAuth2,
        discovers: bool,
    ) -> Result<Response, SendError> {
        let held = oauth2::token(policy, discovers, self.network, self.host)?;
        let send = |token: &str| {
            let answer = self.network.send(&with(request, &basic::bearer(token)))?;
            Ok::<_, SendError>(without(answer, token))
        };
        let answer = send(&held.token)?;
        if answer.status != 401 || !held.is_kept {
            return Ok(answer);
        }
        // It may have been revoked: once more, with one that is certainly good.
        let fresh = oauth2::fresh(policy, discovers, held.key, self.network, self.host)?;
        send(&fresh.token)
    }
}

impl<N: Send, E: Environment> Send for Authenticated<'_, N, E> {
    fn send(&self, request: &Request) -> Result<Response, SendError> {
        let policy = self
            .policy
            .as_ref()
            .filter(|_| self.is_first_origin(request));
        match policy {
            None => self.network.send(request),
            Some(Policy::Basic(policy)) => {
                let authorization = basic::basic(policy, self.host)?;
                self.network.send(&with(request, &authorization))
            }
            Some(Policy::Bearer(token)) => self.network.send(&with(request, &basic::bearer(token))),
            Some(Policy::Digest(policy)) => self.digest(request, policy),
            Some(Policy::OAuth2(policy)) => self.with_token(request, policy, false),
            Some(Policy::Oidc(policy)) => self.with_token(request, policy, true),
        }
    }
}

/// The request with these credentials in place of any others.
fn with(request: &Request, authorization: &str) -> Request {
    let mut request = request.clone();
    request
        .headers
        .retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
    request
        .headers
        .push(("authorization".to_owned(), authorization.to_owned()));
    request
}

/// The response without the token, where the other side has echoed it: what comes of it is recorded with the run.
fn without(mut response: Response, token: &str) -> Response {
    if token.is_empty() {
        return response;
    }
    for (_, value) in &mut response.headers {
        if value.contains(token) {
            *value = value.replace(token, CONCEALED);
        }
    }
    let found = |body: &[u8]| {
        body.windows(token.len())
            .position(|part| part == token.as_bytes())
    };
    let (mut clean, mut rest) = (Vec::new(), response.body.as_slice());
    while let Some(at) = found(rest) {
        clean.extend_from_slice(&rest[..at]);
        clean.extend_from_slice(CONCEALED.as_bytes());
        rest = &rest[at + token.len()..];
    }
    if !clean.is_empty() {
        clean.extend_from_slice(rest);
        response.body = clean;
    }
    response
}
