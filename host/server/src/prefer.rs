//! `Prefer: wait=SECONDS` (RFC 7240 section 4.3): hold the answer back for a while.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use baton_api::{ProblemKind, limits};

use crate::refusal::Refusal;

/// How long the client prefers to wait: whole seconds, at most [`limits::WAIT_SECONDS_MAX`].
///
/// Other preferences are ignored, as section 2 asks for; a `wait` that is no number is refused, since
/// whoever wrote it wants to wait.
pub(crate) fn wait(headers: &HeaderMap) -> Result<Option<Duration>, Refusal> {
    for value in headers.get_all("prefer") {
        let text = String::from_utf8_lossy(value.as_bytes());
        for preference in text.split(',') {
            // Parameters of a preference, of which `wait` has none, come behind semicolons.
            let preference = preference.split(';').next().unwrap_or_default();
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            if name.trim().eq_ignore_ascii_case("wait") {
                return seconds(value.trim().trim_matches('"')).map(Some);
            }
        }
    }
    Ok(None)
}

/// `Preference-Applied`, for an answer that was held back.
pub(crate) fn applied(wait: Duration) -> HeaderValue {
    HeaderValue::from_str(&format!("wait={}", wait.as_secs()))
        .expect("letters and digits are a header value")
}

fn seconds(text: &str) -> Result<Duration, Refusal> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let detail =
            format!("`Prefer: wait={text}`: expected whole seconds, as in `Prefer: wait=10`");
        return Err(Refusal::new(ProblemKind::InvalidHeader, detail));
    }
    let seconds = text
        .parse()
        .unwrap_or(u64::MAX)
        .min(limits::WAIT_SECONDS_MAX);
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Option<u64>, ()> {
        let headers = values
            .iter()
            .map(|value| ("prefer".parse().unwrap(), value.parse().unwrap()))
            .collect();
        wait(&headers)
            .map(|wait| wait.map(|wait| wait.as_secs()))
            .map_err(|_| ())
    }

    #[test]
    fn is_read_in_each_form_that_the_standard_allows() {
        for (values, expected) in [
            (&["wait=10"][..], Some(10)),
            (&["Wait = \"10\""], Some(10)),
            (&["respond-async, wait=10"], Some(10)),
            (
                &["return=minimal", "handling=lenient; wait=1, wait=5"],
                Some(5),
            ),
            (&["wait=0"], Some(0)),
            (&["wait=86400"], Some(60)),
            (&["wait=99999999999999999999999"], Some(60)),
            (&["respond-async"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(read(values), Ok(expected), "{values:?}");
        }
        for value in ["wait", "wait=", "wait=-1", "wait=1.5", "wait=long"] {
            assert_eq!(read(&[value]), Err(()), "{value}");
        }
    }
}
