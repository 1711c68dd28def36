//! The header `Retry-After` (RFC 9110, section 10.2.3).

use outgoing::Response;

/// How long the other side asks to wait, in milliseconds.
///
/// A date is taken against the response's own `Date`: asking the host for the time would be one more
/// thing to be granted, and its clock may not agree with the other side's.
pub(crate) fn milliseconds(response: &Response) -> Option<u64> {
    let value = response.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return seconds.checked_mul(1000);
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(response.header("date")?).ok()?;
    let wait = until.duration_since(now).unwrap_or_default();
    u64::try_from(wait.as_millis()).ok()
}
