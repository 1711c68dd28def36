//! Every bound that a client of the API can run into.

/// The largest workflow document that can be published or validated, in bytes: 1 MiB. The largest
/// documents that people write are some ten kilobytes.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 20;

/// The largest connector that can be installed, in bytes: 64 MiB. A component that carries a whole
/// interpreter has 10 to 30 MB.
pub const CONNECTOR_BYTES_MAX: usize = 64 << 20;

/// The largest body that starts a run or calls a function, in bytes: 4 MiB. All of it is kept with the run.
pub const INPUT_BYTES_MAX: usize = 4 << 20;

/// The largest body with events, in bytes: 4 MiB.
pub const EVENTS_BYTES_MAX: usize = 4 << 20;

/// The largest body of any other request, in bytes: 64 KiB.
pub const SMALL_BODY_BYTES_MAX: usize = 64 << 10;

/// How many items a page has if the request doesn't say.
pub const PAGE_DEFAULT: usize = 100;

/// How many items a page has at most. A request for more is refused rather than cut.
pub const PAGE_MAX: usize = 1000;

/// How many seconds `Prefer: wait` holds an answer back at most. A longer wish is cut to this, and
/// `Preference-Applied` says so (RFC 7240 section 4.3 leaves it to the server).
pub const WAIT_SECONDS_MAX: u64 = 60;

/// How long an `Idempotency-Key` may be, in characters. All must be visible ASCII.
pub const IDEMPOTENCY_KEY_MAX: usize = 255;

/// How many tags a run can have.
pub const TAGS_MAX: usize = 32;

/// How long the key or the value of a tag may be, in bytes.
pub const TAG_BYTES_MAX: usize = 256;
