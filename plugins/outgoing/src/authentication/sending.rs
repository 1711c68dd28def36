//! Requests, sent under a policy.

use std::cell::RefCell;

use super::digest::{self, Challenge};
use super::{Environment, OAuth2, Policy, UserPassword, basic, conceal, configuration, oauth2};
use crate::{Answer, Open, Request, Response, Send, SendError, Uri};

/// A network that authenticates: it puts the credentials into each request to the first one's origin, and to no other.
/// What is handed in and given back is without them. It sends and opens as the network below it does.
pub struct Authenticated<'a, N, E> {
    policy: Option<Policy>,
    network: &'a N,
    host: &'a E,
    /// Where the first request went.
    first: RefCell<Option<Uri<String>>>,
}

/// What comes back: a response as a whole, or an answer whose body is yet to come.
trait Reply: Sized {
    fn status(&self) -> u16;
    fn headers(&self) -> &[(String, String)];
    fn whole(self) -> Result<Response, SendError>;
    /// The same without an access token.
    fn without(self, token: &str) -> Self;
}

impl<'a, N, E: Environment> Authenticated<'a, N, E> {
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

    /// Sends by `send`, with the credentials where they are meant for this request.
    fn exchange<R: Reply>(
        &self,
        request: &Request,
        send: &impl Sending<R>,
    ) -> Result<R, SendError> {
        let policy = self
            .policy
            .as_ref()
            .filter(|_| self.is_first_origin(request));
        match policy {
            None => send(request),
            Some(Policy::Basic(policy)) => {
                let authorization = basic::basic(policy, self.host)?;
                send(&with(request, &authorization))
            }
            Some(Policy::Bearer(token)) => send(&with(request, &basic::bearer(token))),
            Some(Policy::Digest(policy)) => self.digest(request, policy, send),
            Some(Policy::OAuth2(policy)) => self.with_token(request, policy, false, send),
            Some(Policy::Oidc(policy)) => self.with_token(request, policy, true, send),
        }
    }

    fn digest<R: Reply>(
        &self,
        request: &Request,
        policy: &UserPassword,
        send: &impl Sending<R>,
    ) -> Result<R, SendError> {
        let key = digest::key(request, policy, self.host)?;
        let meet = |mut challenge: Challenge| {
            let answer = challenge.answer(request, policy, self.host)?;
            // Kept before it is sent: no other request may use the same count.
            challenge.remember(&key, self.host);
            send(&with(request, &answer))
        };
        let (first, was_met) = match Challenge::remembered(&key, self.host) {
            Some(challenge) => (meet(challenge)?, true),
            None => (send(request)?, false),
        };
        if first.status() != 401 {
            return Ok(first);
        }
        let Some(challenge) = Challenge::of(first.headers()) else {
            return Ok(first);
        };
        let second = meet(challenge?)?;
        match second.status() {
            401 if was_met && Challenge::is_stale(second.headers()) => Ok(second),
            401 => Err(digest::refused()),
            _ => Ok(second),
        }
    }

    fn with_token<R: Reply>(
        &self,
        request: &Request,
        policy: &OAuth2,
        discovers: bool,
        send: &impl Sending<R>,
    ) -> Result<R, SendError> {
        let ask = |request: &Request| send(request)?.whole();
        let held = oauth2::token(policy, discovers, &ask, self.host)?;
        let under = |token: &str| {
            let reply = send(&with(request, &basic::bearer(token)))?;
            Ok::<_, SendError>(reply.without(token))
        };
        let reply = under(&held.token)?;
        if reply.status() != 401 || !held.is_kept {
            return Ok(reply);
        }
        // It may have been revoked: once more, with one that is certainly good.
        let fresh = oauth2::fresh(policy, discovers, held.key, &ask, self.host)?;
        under(&fresh.token)
    }
}

/// Sends a request and gives what comes back.
trait Sending<R>: Fn(&Request) -> Result<R, SendError> {}

impl<R, F: Fn(&Request) -> Result<R, SendError>> Sending<R> for F {}

impl<N: Send, E: Environment> Send for Authenticated<'_, N, E> {
    fn send(&self, request: &Request) -> Result<Response, SendError> {
        self.exchange(request, &|request: &Request| self.network.send(request))
    }
}

impl<N: Open, E: Environment> Open for Authenticated<'_, N, E> {
    fn open(&self, request: &Request) -> Result<Answer, SendError> {
        self.exchange(request, &|request: &Request| self.network.open(request))
    }
}

impl Policy {
    /// The value of `Authorization` for what is no request of HTTP that could be challenged, such as the opening of a
    /// websocket. `network` is where access tokens are asked for.
    ///
    /// # Errors
    ///
    /// `configuration` for digest, which takes a challenge; where there is no token; and where the host refuses.
    pub fn authorization(
        &self,
        network: &impl Open,
        host: &impl Environment,
    ) -> Result<String, SendError> {
        match self {
            Self::Basic(policy) => basic::basic(policy, host),
            Self::Digest(_) => Err(configuration(
                "digest authentication takes a request of HTTP: use `basic` or a token here",
            )),
            Self::Bearer(_) | Self::OAuth2(_) | Self::Oidc(_) => {
                let token = self.token(network, host)?;
                Ok(basic::bearer(&token.unwrap_or_default()))
            }
        }
    }

    /// The token to send: the one that is given, or one that is asked for. None where the policy has a name and a
    /// password instead.
    ///
    /// # Errors
    ///
    /// Where there is no token, and where the host refuses.
    pub fn token(
        &self,
        network: &impl Open,
        host: &impl Environment,
    ) -> Result<Option<String>, SendError> {
        let (policy, discovers) = match self {
            Self::Basic(_) | Self::Digest(_) => return Ok(None),
            Self::Bearer(token) => return Ok(Some(token.clone())),
            Self::OAuth2(policy) => (policy, false),
            Self::Oidc(policy) => (policy, true),
        };
        let ask = |request: &Request| network.open(request)?.whole();
        let held = oauth2::token(policy, discovers, &ask, host)?;
        Ok(Some(held.token))
    }
}

impl Reply for Response {
    fn status(&self) -> u16 {
        self.status
    }

    fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    fn whole(self) -> Result<Response, SendError> {
        Ok(self)
    }

    fn without(self, token: &str) -> Self {
        conceal::response(self, token)
    }
}

impl Reply for Answer {
    fn status(&self) -> u16 {
        self.status
    }

    fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    fn whole(self) -> Result<Response, SendError> {
        Answer::whole(self)
    }

    fn without(self, token: &str) -> Self {
        conceal::answer(self, token)
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
