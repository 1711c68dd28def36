//! Paths that mean what they say.

/// How often a path may be percent-encoded in itself. Nobody does so more than twice on purpose.
const ENCODINGS_MAX: usize = 8;

/// Whether a path has one reading only: no segment that some server takes for `.` or `..`, and no
/// backslash, under any number of percent-encodings.
///
/// A rule with a path prefix matches such paths only. Otherwise `/v1/%2e%2e/admin` would pass for a path
/// below `/v1/`, and a server or a proxy would make `/admin` of it.
pub(crate) fn is_plain(path: &str) -> bool {
    let mut path = path.to_owned();
    for _ in 0..ENCODINGS_MAX {
        if path.contains('\\') || path.split('/').any(is_dots) {
            return false;
        }
        let decoded = decode(&path);
        if decoded == path {
            return true;
        }
        path = decoded;
    }
    false
}

/// Whether a path is below a prefix: of `/v1` are `/v1` itself and `/v1/x`, but not `/v10`.
pub(crate) fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'))
}

/// A segment of one or two dots, also where some servers cut parameters off (`..;x`).
fn is_dots(segment: &str) -> bool {
    matches!(segment.split(';').next(), Some("." | ".."))
}

/// One round of percent-decoding. What is not UTF-8 then is replaced; it makes no dots or slashes.
fn decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes
            .get(at + 1..at + 3)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits
            .filter(|_| bytes[at] == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_segments_are_found_in_every_disguise() {
        for path in [
            "/v1/..",
            "/v1/../admin",
            "/v1/./x",
            "/v1/%2e%2e/admin",
            "/v1/%2E%2e/admin",
            "/v1/.%2e/admin",
            "/v1/%252e%252e/admin",
            "/v1/%25252e./admin",
            "/v1/..%2fadmin",
            "/v1/%2e%2e%2fadmin",
            "/v1/..;/admin",
            "/v1/..%3bx/admin",
            "/v1/..\\admin",
            "/v1/%5c../admin",
            "/v1/x%5c..%5cadmin",
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn ordinary_paths_are_plain() {
        for path in [
            "/",
            "/v1/users",
            "/v1/a.b",
            "/v1/...",
            "/v1/..x",
            "/v1//x",
            "/v1/a%20b",
            "/v1/100%",
            "/v1/%zz",
            "/v1/%C3%A9",
            "/v1/%FF",
            "/v1/a;b=c",
            "/v1/%2",
        ] {
            assert!(is_plain(path), "{path}");
        }
    }

    #[test]
    fn a_prefix_ends_at_a_segment() {
        assert!(is_below("/v1", "/v1") && is_below("/v1/x", "/v1") && is_below("/v1/x", "/v1/"));
        assert!(!is_below("/v10", "/v1") && !is_below("/v1", "/v1/") && !is_below("//v1/", "/v1/"));
    }
}
