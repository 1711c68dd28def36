//! `wasi:http`: outgoing requests, to where the grant's egress rules allow.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use tokio::time::{Instant, Sleep, sleep};
use wasmtime::component::Linker;
use wasmtime_wasi_http::p2::bindings::http::{outgoing_handler, types};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
    WasiHttpView as _,
};

use super::refusals::Refusals;
use super::{Capability, Moments, Preparation};
use crate::egress::client::{Client, SendError, hyper_error};
use crate::egress::secrets::{self, FillError};
use crate::egress::{Rewrite, Rule, Rules, Target, Trust};
use crate::outcome::Refusal;
use crate::quota::{Quota, Renewals};
use crate::secret::Keyring;
use crate::state::State;
use crate::{GrantError, GrantSpec};

/// The capability.
pub(crate) struct Http;

impl Moments for Http {
    const INTERFACES: &'static [&'static str] = &["wasi:http/outgoing-handler", "wasi:http/types"];
    type Granted = Arc<Client>;
    type Prepared = Outgoing;

    fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
        let options = types::LinkOptions::default();
        outgoing_handler::add_to_linker::<State, WasiHttp>(linker, State::http)?;
        types::add_to_linker::<State, WasiHttp>(linker, &options, State::http)
    }

    fn configure(spec: &GrantSpec) -> Result<Arc<Client>, GrantError> {
        let rules = spec.egress.iter().enumerate().map(|(index, rule)| {
            rule.parse::<Rule>()
                .map_err(|source| GrantError::Egress { index, source })
        });
        let rules = Rules::new(rules.collect::<Result<_, _>>()?);
        Ok(Arc::new(Client::new(Arc::new(rules))))
    }

    fn prepare(granted: &Arc<Client>, call: &Preparation<'_>) -> Outgoing {
        Outgoing {
            context: WasiHttpCtx::new(),
            gate: Gate {
                client: Arc::clone(granted),
                rewrite: call.rewrite.cloned(),
                keyring: call.keyring.clone(),
                ledger: Ledger::default(),
                response_bytes_max: call.limits.response as u64,
                renewals: call.renewals.clone(),
                trust: Arc::clone(call.trust),
                used: false,
            },
        }
    }
}

/// The outgoing requests of a call.
pub(crate) struct Outgoing {
    context: WasiHttpCtx,
    gate: Gate,
}

impl Outgoing {
    /// Whether the call has made a request, allowed or not.
    pub(crate) fn is_used(&self) -> bool {
        self.gate.used
    }

    /// What the call was refused.
    pub(crate) fn refusals(&self) -> Refusals {
        self.gate.ledger.with(|entries| entries.refusals.clone())
    }

    /// Whether an answer was larger than the limit.
    pub(crate) fn is_oversized(&self) -> bool {
        self.gate.ledger.with(|entries| entries.oversized)
    }

    /// Whose certificate was not trusted, and why.
    pub(crate) fn untrusted(&self) -> Option<String> {
        self.gate.ledger.with(|entries| entries.untrusted.clone())
    }

    /// What the implementation of `wasi:http` works on.
    pub(crate) fn view<'a>(
        &'a mut self,
        table: &'a mut wasmtime::component::ResourceTable,
    ) -> WasiHttpCtxView<'a> {
        WasiHttpCtxView {
            hooks: &mut self.gate,
            table,
            ctx: &mut self.context,
        }
    }
}

/// Where every request of a call passes.
struct Gate {
    client: Arc<Client>,
    rewrite: Option<Arc<Rewrite>>,
    keyring: Keyring,
    ledger: Ledger,
    response_bytes_max: u64,
    renewals: Renewals,
    trust: Arc<Trust>,
    used: bool,
}

/// What is noted while requests are under way. Clones share it.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    refusals: Refusals,
    oversized: bool,
    untrusted: Option<String>,
}

impl Ledger {
    fn with<T>(&self, f: impl FnOnce(&mut Entries) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a refusal, and gives the error that tells the guest.
    fn refuse(&self, request: String, reason: String, rule: Option<String>) -> Error {
        let refusal = Refusal {
            capability: Capability::Http,
            request,
            reason,
            rule,
        };
        self.with(|entries| entries.refusals.note(refusal));
        Error::HttpRequestDenied
    }

    /// Notes that a certificate is not trusted, and gives the error that tells the guest.
    fn untrusted(&self, target: &Target, why: &str) -> Error {
        let what = format!("{}: {why}", target.host);
        self.with(|entries| entries.untrusted = Some(what));
        Error::TlsCertificateError
    }

    /// Notes that an answer is too large, and gives the error that tells the guest.
    fn oversized(&self, bytes: Option<u64>) -> Error {
        self.with(|entries| entries.oversized = true);
        Error::HttpResponseBodySize(bytes)
    }
}

type Sent = Result<
    (
        Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl WasiHttpHooks for Gate {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _transmitted: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        self.used = true;
        let target = match self.admit(&request) {
            Ok(target) => target,
            Err(error) => return Box::new(std::future::ready(Err(error))),
        };
        let rewritten = self.rewrite.clone();
        let granted = Arc::clone(&self.client);
        let ledger = self.ledger.clone();
        let quota = Quota::new(self.response_bytes_max, &self.renewals);
        let (keyring, trust) = (self.keyring.clone(), Arc::clone(&self.trust));
        Box::new(async move {
            let filled = secrets::fill(request, &keyring, &target).await;
            let (mut request, used) = filled.map_err(|error| match error {
                FillError::Failed(error) => error,
                FillError::Refused(why) => ledger.refuse(target.to_string(), why.to_string(), None),
            })?;
            let path = request.uri().path_and_query();
            let rewritten = rewritten
                .as_deref()
                .and_then(|rewrite| rewrite.apply(&target, path));
            let client = match rewritten {
                Some((uri, client)) => {
                    *request.uri_mut() = uri;
                    client
                }
                None => &*granted,
            };
            let response = send(client, request, options.as_ref(), &trust).await.map_err(|error| match error {
                SendError::Failed(error) => error,
                SendError::Untrusted(why) => ledger.untrusted(&target, &why),
                SendError::Refused { address, what } => ledger.refuse(
                    target.to_string(),
                    format!("the host's address {address} is {what}, which must be granted by address"),
                    Some(target.address_rule(address)),
                ),
            })?;
            let body = Limited::wrap(
                response,
                &ledger,
                quota,
                options.and_then(|o| o.between_bytes_timeout),
            )?;
            let done: Box<dyn Future<Output = Result<(), Error>> + Send> =
                Box::new(std::future::ready(Ok(())));
            Ok((secrets::scrub(body, &used), done))
        })
    }
}

impl Gate {
    /// Checks a request's method and URL.
    fn admit(&self, request: &Request<WasiBody>) -> Result<Target, Error> {
        let (method, uri) = (request.method(), request.uri());
        let target = Target::of(method, uri).map_err(|reason| {
            self.ledger.refuse(
                format!("{method} {}", without_secrets(uri)),
                reason.to_owned(),
                None,
            )
        })?;
        let rewritten = self
            .rewrite
            .as_ref()
            .is_some_and(|rewrite| rewrite.apply(&target, None).is_some());
        if rewritten {
            return Ok(target);
        }
        match self.client.rules().check(&target) {
            Ok(()) => Ok(target),
            Err(reason) => Err(self
                .ledger
                .refuse(target.to_string(), reason, Some(target.rule()))),
        }
    }
}

/// A URL without its user name, password and query.
fn without_secrets(uri: &Uri) -> String {
    let (scheme, host) = (uri.scheme_str().unwrap_or("?"), uri.host().unwrap_or("?"));
    format!("{scheme}://{host}{}", uri.path())
}

async fn send(
    client: &Client,
    mut request: Request<WasiBody>,
    options: Option<&RequestOptions>,
    trust: &Trust,
) -> Result<Response<Incoming>, SendError> {
    let connect = options.and_then(|options| options.connect_timeout);
    let Some(first_byte) = options.and_then(|options| options.first_byte_timeout) else {
        return client.send(request, connect, trust).await;
    };
    let mut connected = capture_connection(&mut request);
    let late = async {
        // It begins with the connection, whether that is new or has been there before.
        connected.wait_for_connection_metadata().await;
        sleep(first_byte).await;
    };
    tokio::select! {
        biased;
        answer = client.send(request, connect, trust) => answer,
        () = late => Err(SendError::Failed(Error::ConnectionReadTimeout)),
    }
}

/// The body of an answer, up to the limit.
struct Limited {
    body: Incoming,
    quota: Quota,
    ledger: Ledger,
    patience: Option<Patience>,
}

/// How long the guest waits from one part of the body to the next.
struct Patience {
    each: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Limited {
    /// Puts the limits around an answer's body.
    fn wrap(
        response: Response<Incoming>,
        ledger: &Ledger,
        quota: Quota,
        patience: Option<Duration>,
    ) -> Result<Response<WasiBody>, Error> {
        let announced = response.body().size_hint().lower();
        if announced > quota.limit() {
            return Err(ledger.oversized(Some(announced)));
        }
        let patience = patience.map(|each| Patience {
            each,
            sleep: Box::pin(sleep(each)),
        });
        let ledger = ledger.clone();
        Ok(response.map(|body| {
            Self {
                body,
                quota,
                ledger,
                patience,
            }
            .boxed_unsync()
        }))
    }
}

impl Body for Limited {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            let late = self
                .patience
                .as_mut()
                .is_some_and(|patience| patience.sleep.as_mut().poll(cx).is_ready());
            return if late {
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            } else {
                Poll::Pending
            };
        };
        if let Some(Patience { each, sleep }) = &mut self.patience {
            sleep.as_mut().reset(Instant::now() + *each);
        }
        Poll::Ready(frame.map(|frame| {
            let frame = frame.map_err(|error| hyper_error(&error))?;
            let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
            if !self.quota.take(bytes) {
                return Err(self.ledger.oversized(Some(self.quota.limit())));
            }
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
