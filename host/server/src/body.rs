//! Reading a body: its type, its size, its text and its JSON.
//!
//! Every route has a bound ([`limits`]), and all bodies that are held at once have one together, the server's
//! [budget](crate::budget): a body that would pass it is refused, before any of it is read or where it has come to.
//! A client has to keep a pace, so that nobody holds a part of the budget for longer than the body is worth.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use baton_api::{ProblemKind, limits};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout, timeout_at};

use crate::auth::Caller;
use crate::budget::{PART, Share};
use crate::refusal::Refusal;
use crate::router::Context;

/// How much of a body that is too large is read and thrown away, so that a client that has not finished
/// sending gets to see the answer rather than a broken connection.
const DRAINED_MAX: usize = 64 << 20;

/// How long that may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// What a route takes as its body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepts {
    /// The media types, in lower case. The first one is the one to recommend. Empty where any will do.
    types: &'static [&'static str],
    /// The most bytes.
    bytes_max: usize,
}

/// A workflow document.
pub(crate) const DOCUMENT: Accepts = Accepts {
    types: &[
        "application/yaml",
        "application/json",
        "application/x-yaml",
        "text/yaml",
        "text/x-yaml",
    ],
    bytes_max: limits::DOCUMENT_BYTES_MAX,
};

/// A component.
pub(crate) const COMPONENT: Accepts = Accepts {
    types: &["application/wasm", "application/octet-stream"],
    bytes_max: limits::CONNECTOR_BYTES_MAX,
};

/// JSON that carries a run's input or a function's arguments.
pub(crate) const INPUT: Accepts = Accepts {
    types: &["application/json"],
    bytes_max: limits::INPUT_BYTES_MAX,
};

/// Events, in a content mode that the decoder tells from the headers, the type of the content among them.
pub(crate) const EVENTS: Accepts = Accepts {
    types: &[],
    bytes_max: limits::EVENTS_BYTES_MAX,
};

/// JSON of any other kind.
pub(crate) const SMALL: Accepts = Accepts {
    types: &["application/json"],
    bytes_max: limits::SMALL_BODY_BYTES_MAX,
};

/// A body, and its share of the budget, which is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) bytes: Bytes,
    _share: Share,
}

/// How fast a body has to come.
#[derive(Clone, Copy, Debug)]
struct Pace {
    since: Instant,
    grace: Duration,
    bytes_per_second: usize,
}

impl Held {
    /// The body as UTF-8.
    pub(crate) fn text(&self) -> Result<&str, Refusal> {
        std::str::from_utf8(&self.bytes).map_err(|error| {
            let at = error.valid_up_to();
            Refusal::new(
                ProblemKind::UnreadableBody,
                format!("the body is not UTF-8: byte {at} is none of a character"),
            )
        })
    }

    /// The body as JSON of this shape.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        // Every body is an object. Serde would take an array too, for its members in their order.
        if self.bytes.trim_ascii_start().starts_with(b"[") {
            return Err(Refusal::new(
                ProblemKind::InvalidJson,
                "expected a JSON object, found an array",
            ));
        }
        let mut deserializer = serde_json::Deserializer::from_slice(&self.bytes);
        let value = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| invalid_json(&error.path().to_string(), error.inner()))?;
        deserializer
            .end()
            .map_err(|error| invalid_json(".", &error))?;
        Ok(value)
    }
}

/// Reads the body of a caller's request.
pub(crate) async fn read(
    context: &Context,
    caller: &Caller,
    request: Request,
    accepts: Accepts,
) -> Result<Held, Refusal> {
    let (parts, mut body) = request.into_parts();
    check_type(&parts.headers, accepts.types)?;
    // A client that asks first (RFC 9110 section 10.1.1) has sent nothing, and sends nothing where it is refused.
    let asks_first = parts.headers.contains_key(EXPECT);
    let announced = content_length(&parts.headers);
    if announced.is_some_and(|length| length > accepts.bytes_max) {
        if !asks_first {
            drain(body).await;
        }
        return Err(too_large(accepts.bytes_max));
    }
    let mut share = context.budget.share(&caller.tenant);
    if let Err(spent) = share.hold(0) {
        if !asks_first {
            drain(body).await;
        }
        return Err(spent.into());
    }
    let settings = &context.settings;
    let pace = Pace {
        since: Instant::now(),
        grace: settings.body_grace,
        bytes_per_second: settings.body_bytes_per_second.max(1),
    };
    let expected = announced.unwrap_or_default();
    match collect(&mut body, accepts.bytes_max, expected, &mut share, pace).await {
        Ok(bytes) => Ok(Held {
            bytes,
            _share: share,
        }),
        Err(Unread::Gone(refusal)) => Err(refusal),
        Err(Unread::Refused(refusal)) => {
            drop(share);
            drain(body).await;
            Err(refusal)
        }
    }
}

/// The JSON of a body that may be left out.
pub(crate) async fn read_json_or_default<T: DeserializeOwned + Default>(
    context: &Context,
    caller: &Caller,
    request: Request,
    accepts: Accepts,
) -> Result<T, Refusal> {
    if axum::body::HttpBody::is_end_stream(request.body()) {
        return Ok(T::default());
    }
    let held = read(context, caller, request, accepts).await?;
    if held.bytes.is_empty() {
        Ok(T::default())
    } else {
        held.json()
    }
}

/// Why a body was not read to its end.
enum Unread {
    /// It does not come.
    Gone(Refusal),
    /// No more of it is wanted, and the client may still be sending.
    Refused(Refusal),
}

async fn collect(
    body: &mut Body,
    bytes_max: usize,
    expected: usize,
    share: &mut Share,
    pace: Pace,
) -> Result<Bytes, Unread> {
    // What has been announced may never come.
    let mut bytes = BytesMut::with_capacity(expected.min(PART));
    loop {
        let next = timeout_at(pace.deadline(bytes.len()), body.frame()).await;
        let Some(frame) = next.map_err(|_| pace.missed(bytes.len()))? else {
            return Ok(bytes.freeze());
        };
        let frame = frame.map_err(|error| {
            let detail = format!("the body broke off: {error}");
            Unread::Gone(Refusal::new(ProblemKind::UnreadableBody, detail))
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let length = bytes.len() + data.len();
        if length > bytes_max {
            return Err(Unread::Refused(too_large(bytes_max)));
        }
        share
            .hold(length)
            .map_err(|spent| Unread::Refused(spent.into()))?;
        bytes.extend_from_slice(&data);
    }
}

impl Pace {
    /// When more must have come than the first so many bytes.
    fn deadline(&self, received: usize) -> Instant {
        // More than any body has: within a `u32` of seconds.
        let seconds = u32::try_from(received / self.bytes_per_second).unwrap_or(u32::MAX);
        self.since + self.grace + Duration::from_secs(seconds.into())
    }

    fn missed(&self, received: usize) -> Unread {
        let detail = format!(
            "the body comes too slowly: {received} bytes of it after {} seconds; a client has {} seconds, and one more \
             for each {} bytes",
            self.since.elapsed().as_secs(),
            self.grace.as_secs(),
            self.bytes_per_second
        );
        Unread::Gone(Refusal::new(ProblemKind::UnreadableBody, detail))
    }
}

async fn drain(mut body: Body) {
    let reading = async {
        let mut count = 0;
        while let Some(Ok(frame)) = body.frame().await {
            count += frame.data_ref().map_or(0, Bytes::len);
            if count > DRAINED_MAX {
                break;
            }
        }
    };
    // Whatever remains is the client's to lose.
    let _ = timeout(DRAIN_TIMEOUT, reading).await;
}

fn too_large(bytes_max: usize) -> Refusal {
    let detail = match bytes_max {
        max if max >= 1 << 20 => format!(
            "the body is larger than the {} MiB that this route takes",
            max >> 20
        ),
        max => format!(
            "the body is larger than the {} KiB that this route takes",
            max >> 10
        ),
    };
    Refusal::new(ProblemKind::ContentTooLarge, detail)
}

/// Whether the content is of a type that the route takes. A body without a type is taken for the right one
/// (RFC 9110 section 8.3 leaves it to the recipient).
fn check_type(headers: &HeaderMap, types: &[&str]) -> Result<(), Refusal> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let given = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let essence = given
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if types.is_empty() || types.contains(&essence.as_str()) {
        return Ok(());
    }
    let detail = format!(
        "this route does not take `{essence}`; send the header `Content-Type: {}`",
        types[0]
    );
    Err(Refusal::new(ProblemKind::UnsupportedMediaType, detail))
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// What is wrong with a body, at which place of the text and in which member.
fn invalid_json(path: &str, error: &serde_json::Error) -> Refusal {
    let message = error.to_string();
    // serde_json puts the place behind the message; the problem has members for it.
    let message = message.split(" at line ").next().unwrap_or(&message);
    let detail = match path {
        // Where the text itself is no JSON, no member is known.
        "." | "" | "?" => message.to_owned(),
        path => format!("`{path}`: {message}"),
    };
    let mut refusal = Refusal::new(ProblemKind::InvalidJson, detail);
    refusal.problem.line = (error.line() > 0).then_some(error.line());
    refusal.problem.column = (error.line() > 0).then_some(error.column().max(1));
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use baton_api::connector::Grants;
    use baton_api::run::StartRun;
    use baton_engine::TenantId;

    fn held(text: &[u8]) -> Held {
        Held {
            bytes: Bytes::copy_from_slice(text),
            _share: Budget::new(1 << 20).share(&TenantId::default()),
        }
    }

    fn problem<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> (String, usize, usize) {
        let problem = held(text.as_bytes()).json::<T>().unwrap_err().problem;
        assert_eq!(problem.kind(), Some(ProblemKind::InvalidJson));
        (
            problem.detail.unwrap(),
            problem.line.unwrap(),
            problem.column.unwrap(),
        )
    }

    #[test]
    fn bad_json_is_pointed_at() {
        for (text, detail, line, column) in [
            ("{\n  \"input\": 1,\n}", "trailing comma", 3, 1),
            (
                "{\"inputs\": 1}",
                "`inputs`: unknown field `inputs`, expected one of `input`, `version`, `tags`",
                1,
                9,
            ),
            (
                "{\"tags\": {\"team\": 7}}",
                "`tags.team`: invalid type: integer `7`, expected a string",
                1,
                19,
            ),
            ("{} {}", "trailing characters", 1, 4),
            ("", "EOF while parsing a value", 1, 1),
        ] {
            assert_eq!(
                problem::<StartRun>(text),
                (detail.to_owned(), line, column),
                "{text}"
            );
        }
        let (detail, ..) = problem::<Grants>(r#"{"limits": {"fuel": 1}}"#);
        assert!(
            detail.starts_with("`limits.fuel`: unknown field `fuel`"),
            "{detail}"
        );
    }

    #[test]
    fn deep_json_is_an_error_and_no_overflow() {
        let text = "[".repeat(100_000);
        let (detail, ..) = problem::<StartRun>(&format!("{{\"input\":{text}"));
        assert!(detail.contains("recursion limit"), "{detail}");
    }

    #[test]
    fn text_must_be_utf8() {
        let error = held(b"ab\xff").text().unwrap_err();
        assert!(error.problem.detail.unwrap().contains("byte 2"));
    }

    #[test]
    fn types_are_compared_without_case_and_parameters() {
        let check = |value: &str| {
            let headers = [(CONTENT_TYPE, value.parse().unwrap())]
                .into_iter()
                .collect();
            check_type(&headers, DOCUMENT.types)
        };
        for good in [
            "application/yaml",
            "Application/YAML; charset=utf-8",
            "application/json;x",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "application/x-www-form-urlencoded",
            "text/plain",
            "",
            "yaml",
        ] {
            let detail = check(bad).unwrap_err().problem.detail.unwrap();
            assert!(
                detail.contains("`Content-Type: application/yaml`"),
                "{detail}"
            );
        }
        assert!(check_type(&HeaderMap::new(), DOCUMENT.types).is_ok());
    }

    #[test]
    fn whoever_has_sent_more_has_more_time() {
        let pace = Pace {
            since: Instant::now(),
            grace: Duration::from_secs(10),
            bytes_per_second: 16 << 10,
        };
        let given = |received| pace.deadline(received) - pace.since;
        assert_eq!(given(0), Duration::from_secs(10));
        assert_eq!(given((16 << 10) - 1), Duration::from_secs(10));
        assert_eq!(given(64 << 20), Duration::from_secs(10 + 4096));
    }
}
