//! Secrets in requests: filled in on the way out, scrubbed on the way back.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use wasmtime_wasi_http::{Error, WasiBody};

use super::client::is_grpc;
use super::target::Target;
use crate::limits::SECRET_BODY_BYTES_MAX;
use crate::secret::{Destination, Encoding, Keyring, Scrubber, Unfillable, Used};

/// Why a request can't be sent.
#[derive(Debug)]
pub(crate) enum FillError {
    /// It must not hold what it holds.
    Refused(Unfillable),
    /// Its body could not be read, or is too large to look for placeholders in.
    Failed(Error),
}

impl From<Unfillable> for FillError {
    fn from(error: Unfillable) -> Self {
        Self::Refused(error)
    }
}

/// Fills in the secrets of a request's path, query, headers and body. A body is read to its end first where the call
/// may use secrets.
///
/// # Errors
///
/// See [`FillError`]; nothing may be sent then.
pub(crate) async fn fill(
    request: Request<WasiBody>,
    keyring: &Keyring,
    target: &Target,
) -> Result<(Request<WasiBody>, Used), FillError> {
    let to = Destination {
        host: target.host.clone(),
        port: target.port,
    };
    let mut used = Used::default();
    let (mut head, body) = request.into_parts();
    head.uri = fill_uri(head.uri, keyring, &to, &mut used)?;
    fill_headers(&mut head.headers, keyring, &to, &mut used)?;
    if keyring.is_empty() {
        return Ok((Request::from_parts(head, body), used));
    }
    let body = read(body).await.map_err(FillError::Failed)?;
    let encoding = encoding_of(&head.headers);
    let body = match keyring.fill(&body, encoding, &to, &mut used)? {
        // The lengths around it would be wrong.
        Some(_) if is_grpc(&head.headers) => {
            let why = "a secret can't stand in a message of gRPC: send it as `authentication`";
            return Err(FillError::Failed(Error::InternalError(Some(
                why.to_owned(),
            ))));
        }
        Some(filled) => {
            head.headers
                .insert(CONTENT_LENGTH, HeaderValue::from(filled.len()));
            Bytes::from(filled.to_vec())
        }
        None => body,
    };
    if !used.is_empty() {
        // What comes back compressed could not be scrubbed.
        head.headers
            .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    let body = Full::new(body)
        .map_err(|never| match never {})
        .boxed_unsync();
    Ok((Request::from_parts(head, body), used))
}

fn fill_uri(
    uri: Uri,
    keyring: &Keyring,
    to: &Destination,
    used: &mut Used,
) -> Result<Uri, FillError> {
    let Some(path) = uri.path_and_query() else {
        return Ok(uri);
    };
    let Some(filled) = keyring.fill(path.as_str().as_bytes(), Encoding::Percent, to, used)? else {
        return Ok(uri);
    };
    let invalid = || FillError::Failed(Error::HttpRequestUriInvalid);
    let path = PathAndQuery::try_from(filled.as_slice()).map_err(|_| invalid())?;
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).map_err(|_| invalid())
}

fn fill_headers(
    headers: &mut HeaderMap,
    keyring: &Keyring,
    to: &Destination,
    used: &mut Used,
) -> Result<(), FillError> {
    for value in headers.values_mut() {
        if let Some(filled) = keyring.fill(value.as_bytes(), Encoding::Header, to, used)? {
            let mut filled = HeaderValue::from_bytes(&filled)
                .map_err(|_| FillError::Failed(Error::HttpProtocolError))?;
            // The HTTP client's own traces leave such a value out.
            filled.set_sensitive(true);
            *value = filled;
        }
    }
    Ok(())
}

/// How values are written in a body of the request's content type.
fn encoding_of(headers: &HeaderMap) -> Encoding {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match media_type.as_str() {
        "application/x-www-form-urlencoded" => Encoding::Percent,
        "application/json" | "text/json" => Encoding::Json,
        other if other.ends_with("+json") => Encoding::Json,
        _ => Encoding::Raw,
    }
}

async fn read(body: WasiBody) -> Result<Bytes, Error> {
    let limit = u64::try_from(SECRET_BODY_BYTES_MAX).unwrap_or(u64::MAX);
    let read = Limited::new(body, SECRET_BODY_BYTES_MAX).collect().await;
    let read = read.map_err(|error| {
        if error.is::<LengthLimitError>() {
            return Error::HttpRequestBodySize(Some(limit));
        }
        match error.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => Error::InternalError(Some(other.to_string())),
        }
    })?;
    Ok(read.to_bytes())
}

/// Takes out of an answer what was filled into its request.
pub(crate) fn scrub(answer: Response<WasiBody>, used: &Used) -> Response<WasiBody> {
    let Some(scrubber) = Scrubber::new(used) else {
        return answer;
    };
    let (mut head, body) = answer.into_parts();
    scrub_headers(&mut head.headers, &scrubber);
    // The length changes with what is replaced.
    head.headers.remove(CONTENT_LENGTH);
    let body = Scrubbed {
        body,
        scrubber,
        after: None,
        is_done: false,
    };
    Response::from_parts(head, body.boxed_unsync())
}

fn scrub_headers(headers: &mut HeaderMap, scrubber: &Scrubber) {
    for value in headers.values_mut() {
        let scrubbed = scrubber.whole(value.as_bytes());
        if scrubbed != value.as_bytes()
            && let Ok(scrubbed) = HeaderValue::from_bytes(&scrubbed)
        {
            *value = scrubbed;
        }
    }
}

/// The body of an answer, scrubbed.
struct Scrubbed {
    body: WasiBody,
    scrubber: Scrubber,
    /// What comes behind that which was held back.
    after: Option<Frame<Bytes>>,
    is_done: bool,
}

impl Body for Scrubbed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(after) = self.after.take() {
            return Poll::Ready(Some(Ok(after)));
        }
        while !self.is_done {
            let frame = match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(Some(Ok(frame))) => Some(frame),
                Poll::Ready(None) => None,
            };
            let passed = match frame.map(Frame::into_data) {
                Some(Ok(data)) => self.scrubber.push(&data),
                // Trailers, or the end: nothing comes that what was held back could go on with.
                Some(Err(trailers)) => {
                    self.is_done = true;
                    self.after = trailers.into_trailers().ok().map(|mut trailers| {
                        scrub_headers(&mut trailers, &self.scrubber);
                        Frame::trailers(trailers)
                    });
                    self.scrubber.finish()
                }
                None => {
                    self.is_done = true;
                    self.scrubber.finish()
                }
            };
            if !passed.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(Bytes::from(passed)))));
            }
        }
        Poll::Ready(self.after.take().map(Ok))
    }
}
