//! Every bound of the sandbox, with its default and the reason for it.
//!
//! Limits of a single call are [`Limits`]: a grant may set them, and what it does not set has the
//! default that stands here. Bounds that are no grant's business are constants.
//!
//! | limit | default | ceiling | exceeded |
//! |---|---|---|---|
//! | `memory` | 64 MiB | 4 GiB | `memory.grow` answers -1; the trap that follows names the limit |
//! | `time` | 60 s | 24 h | the call ends as `timeout` |
//! | `cpu` | 10 s | 1 h | the call ends as `timeout` |
//! | `concurrency` | 64 | 10,000 | further calls wait, within their own `time` |
//! | `response` | 4 MiB | 256 MiB | the call ends as `runtime` |

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::{self, UnitError};

/// The largest component that is looked at, in bytes. The largest ones seen in practice, interpreters of
/// whole languages, have about 20 MiB; compiling costs some seconds for each 10 MiB.
pub const COMPONENT_BYTES_MAX: usize = 64 << 20;

/// How many types a component may declare. Bounds the depth of the recursion that decodes them; the whole
/// of WASI 0.2 has about 300.
pub const COMPONENT_TYPES_MAX: usize = 10_000;

/// How deeply components, and the declarations of their types, may be inside one another. Decoders and the
/// compiler recurse once for each level; toolchains make two or three, and composed components a few more.
pub const COMPONENT_NESTING_MAX: usize = 100;

/// How deeply the types of a function may nest: less than the 100 of wasmtime and than the 128 of
/// `serde_json`, so that neither is met first with a worse message.
pub const TYPE_DEPTH_MAX: usize = 64;

/// How many nodes the JSON Schemas of all functions of a component may have together. A type that is used
/// twice is written twice, so that without a bound a small binary could ask for an endless schema.
pub const SCHEMA_NODES_MAX: usize = 100_000;

/// How much a call may write to its log, in bytes, over all of its lines. What comes after is dropped, with
/// a last line that says so.
pub const LOG_BYTES_MAX: usize = 64 << 10;

/// The longest single line of a call's log, in bytes; longer ones are cut.
pub const LOG_LINE_BYTES_MAX: usize = 8 << 10;

/// The largest progress report of a heartbeat, in bytes; a larger one is dropped, with a line in the log.
pub const PROGRESS_BYTES_MAX: usize = 16 << 10;

/// How many refusals a call's outcome lists. The first ones tell the story.
pub const REFUSALS_MAX: usize = 32;

/// The longest text of a refusal, in bytes; longer ones are cut. A URL with its rule fits.
pub const REFUSAL_TEXT_BYTES_MAX: usize = 2 << 10;

/// How many values of secrets a call may be given (`secrets.reveal`), each counted once. Each is a line of the run's
/// history, and a call that works with more than these should take one secret with members.
pub const REVEALS_MAX: usize = 32;

/// How many elements a table may have. Rust and C guests have one table, of some thousand functions.
pub const TABLE_ELEMENTS_MAX: usize = 20_000;

/// How many core instances a component may have. A usual one has four; compositions have some more.
pub const CORE_INSTANCES_MAX: usize = 64;

/// How many memories a component may have. A usual one has one, and a composition one for each part. There is room for
/// as many in each call, so that no component leaves less for those of others; each is 4 GiB of address space.
pub const MEMORIES_MAX: usize = 8;

/// How many tables a component may have. A usual one has one or two; each is room as [`MEMORIES_MAX`] says, of some
/// 160 KiB.
pub const TABLES_MAX: usize = 8;

/// How many handles to host resources (streams, requests, header lists) a call may hold at once. A header
/// list may take 128 KiB of host memory.
pub const RESOURCES_MAX: usize = 512;

/// How many credentials (`secrets.basic`) a call may have made at once. One request needs one.
pub const CREDENTIALS_MAX: usize = 64;

/// The largest body of a request in which placeholders are looked for, in bytes, where a call may use secrets: it
/// is held in memory, since the length of a body changes with what is filled in.
pub const SECRET_BODY_BYTES_MAX: usize = 16 << 20;

/// How much a connector's memory between calls may hold, in bytes of keys and values.
pub const CACHE_BYTES_MAX: usize = 1 << 20;

/// What an entry of it counts for besides its key and its value, in bytes: what it takes to keep it. Bounds how many
/// there are, and so how long it takes to find the one that makes room.
pub const CACHE_ENTRY_BYTES: usize = 128;

/// The largest value of a connector's memory between calls, in bytes. Access tokens have some kilobytes.
pub const CACHE_VALUE_BYTES_MAX: usize = 64 << 10;

/// The longest key of a connector's memory between calls, in bytes.
pub const CACHE_KEY_BYTES_MAX: usize = 1 << 10;

/// How long a connector's memory between calls keeps a value at most.
pub const CACHE_TTL_MAX: Duration = Duration::from_secs(24 * 3600);

/// How many random bytes one host call hands out at most.
pub const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// The stack of a guest, in bytes; what overflows it is a trap. The default of wasmtime.
pub const STACK_BYTES: usize = 512 << 10;

/// The stack that a guest's calls into the host run on besides, in bytes.
pub const HOST_STACK_BYTES: usize = 512 << 10;

/// How often the engine looks whether a running guest is past a limit, and lets other tasks of the
/// executor have the thread.
pub const TICK: Duration = Duration::from_millis(10);

/// How many bytes of lifted values a call's result may take for each byte of the `response` limit. A
/// lifted value is larger than its JSON: a `list<u8>` takes forty bytes a byte, a string one.
pub const LIFTED_BYTES_PER_RESPONSE_BYTE: usize = 8;

/// How long a connection may take to be established when the guest asks for nothing shorter.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many names are looked up at the same time. A lookup keeps one of the 512 threads that the runtime has for all that
/// blocks.
pub const LOOKUPS_MAX: usize = 128;

/// How many of them for one tenant.
pub const LOOKUPS_PER_TENANT_MAX: usize = 32;

/// How long an idle connection is kept.
pub const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);

/// How many connections over TCP a call may make. A protocol takes one, or some where it reconnects.
pub const TCP_CONNECTIONS_MAX: usize = 16;

/// The longest line that the other side may say before a connection is secured, in bytes. That of NATS has some
/// hundred.
pub const GREETING_BYTES_MAX: usize = 64 << 10;

/// How many bytes a guest may have written to a connection whose other side has not taken them.
pub const TCP_UNSENT_BYTES_MAX: usize = 64 << 10;

/// How often a connection of HTTP/2 with requests under way is asked whether the other side is there.
pub const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(20);

/// How long the other side may take to say so.
pub const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(10);

/// How many idle connections are kept for each authority and grant: as many as a tenant has calls under way at once by
/// default, since those go out together, behind the same commit, and come back together. Fewer would have most of them
/// connect anew each time.
pub const IDLE_CONNECTIONS_MAX: usize = 256;

/// How many WebAssembly instructions one evaluation of an expression may execute: some tenths of a second.
/// Instructions and not time, because an expression is evaluated again when a run is replayed, and must
/// come to the same end on a machine that is busier or slower.
pub const EXPRESSION_INSTRUCTIONS_MAX: u64 = 1_000_000_000;

/// How long one evaluation of an expression may take, whatever it does. Only a machine some sixty times
/// slower than usual comes to this before the limit of instructions.
pub const EXPRESSION_TIME: Duration = Duration::from_secs(30);

/// How much memory an evaluator's instance may take, in bytes.
pub const EXPRESSION_MEMORY_BYTES: usize = 64 << 20;

/// An evaluator whose instance has grown past this many bytes starts a new one for its next evaluation,
/// since the memory of an instance never shrinks.
pub const EXPRESSION_MEMORY_KEPT_BYTES: usize = 8 << 20;

/// The largest result of an expression, in bytes of JSON text.
pub const EXPRESSION_RESULT_BYTES_MAX: usize = 16 << 20;

/// The limits of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of all linear memories of the call's instance together. Default 64 MiB: what a connector
    /// needs that handles documents of some megabytes.
    pub memory: usize,
    /// The time a call may take from its start to its end, waiting included. Default 60 s: longer than the
    /// usual timeouts of HTTP servers and proxies.
    pub time: Duration,
    /// The time that the guest may compute. Default 10 s: a connector mostly waits.
    pub cpu: Duration,
    /// How many calls under the same grant may run at once. Default 64.
    pub concurrency: usize,
    /// The bytes of a function's result, as text, and of the body of each HTTP response. Default 4 MiB.
    pub response: usize,
}

impl Limits {
    /// The highest value that a grant may set for each limit.
    pub const CEILING: Self = Self {
        memory: 4 << 30,
        time: Duration::from_secs(24 * 3600),
        cpu: Duration::from_secs(3600),
        concurrency: 10_000,
        response: 256 << 20,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            time: Duration::from_secs(60),
            cpu: Duration::from_secs(10),
            concurrency: 64,
            response: 4 << 20,
        }
    }
}

/// Limits as a grant's author writes them; what is absent has the default.
///
/// Sizes are a number of bytes or a text with a unit (`"64MiB"`, `"4MB"`), durations a text with a unit
/// (`"500ms"`, `"30s"`, `"5m"`, `"1h"`) or a number of seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsSpec {
    /// See [`Limits::memory`]: a size, at least 64 KiB and at most 4 GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Quantity>,
    /// See [`Limits::time`]: a duration, at most 24 h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Quantity>,
    /// See [`Limits::cpu`]: a duration, at most 1 h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Quantity>,
    /// See [`Limits::concurrency`]: 1 to 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<usize>,
    /// See [`Limits::response`]: a size, at most 256 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Quantity>,
}

/// A size or a duration as it was written: a number, or a text with a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Quantity {
    /// Bytes for a size, seconds for a duration.
    Number(f64),
    /// A number and a unit.
    Text(String),
}

/// A limit that is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// The text or number is no quantity of this kind.
    #[error("limits.{limit}: {source}")]
    Unit {
        /// The name of the limit.
        limit: &'static str,
        /// What is wrong with it.
        source: UnitError,
    },
    /// The value is outside of what may be granted.
    #[error("limits.{limit}: {value} is out of range: give a value from {low} to {high}")]
    Range {
        /// The name of the limit.
        limit: &'static str,
        /// The value, as text.
        value: String,
        /// The lowest value, as text.
        low: String,
        /// The highest value, as text.
        high: String,
    },
}

impl LimitsSpec {
    /// Fills in the defaults and checks the ranges.
    ///
    /// # Errors
    ///
    /// Names the first limit that is no quantity or out of range.
    pub fn resolve(&self) -> Result<Limits, LimitError> {
        let default = Limits::default();
        let ceiling = Limits::CEILING;
        Ok(Limits {
            memory: size(
                "memory",
                self.memory.as_ref(),
                64 << 10,
                ceiling.memory,
                default.memory,
            )?,
            time: duration("time", self.time.as_ref(), ceiling.time, default.time)?,
            cpu: duration("cpu", self.cpu.as_ref(), ceiling.cpu, default.cpu)?,
            concurrency: count(self.concurrency, ceiling.concurrency, default.concurrency)?,
            response: size(
                "response",
                self.response.as_ref(),
                1,
                ceiling.response,
                default.response,
            )?,
        })
    }
}

impl LimitsSpec {
    /// All limits that are no quantity or out of range, in the order of the fields.
    pub(crate) fn problems(&self) -> Vec<LimitError> {
        let given = self.clone();
        let nothing = Self::default;
        let alone = [
            Self {
                memory: given.memory,
                ..nothing()
            },
            Self {
                time: given.time,
                ..nothing()
            },
            Self {
                cpu: given.cpu,
                ..nothing()
            },
            Self {
                concurrency: given.concurrency,
                ..nothing()
            },
            Self {
                response: given.response,
                ..nothing()
            },
        ];
        alone
            .iter()
            .filter_map(|limit| limit.resolve().err())
            .collect()
    }
}

fn size(
    limit: &'static str,
    given: Option<&Quantity>,
    low: usize,
    high: usize,
    default: usize,
) -> Result<usize, LimitError> {
    let Some(quantity) = given else {
        return Ok(default);
    };
    let bytes = units::bytes(quantity).map_err(|source| LimitError::Unit { limit, source })?;
    let range = || LimitError::Range {
        limit,
        value: units::show_bytes(bytes),
        low: units::show_bytes(low as u64),
        high: units::show_bytes(high as u64),
    };
    usize::try_from(bytes)
        .ok()
        .filter(|bytes| (low..=high).contains(bytes))
        .ok_or_else(range)
}

fn duration(
    limit: &'static str,
    given: Option<&Quantity>,
    high: Duration,
    default: Duration,
) -> Result<Duration, LimitError> {
    let Some(quantity) = given else {
        return Ok(default);
    };
    let value = units::duration(quantity).map_err(|source| LimitError::Unit { limit, source })?;
    let low = Duration::from_millis(1);
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    Err(LimitError::Range {
        limit,
        value: units::show_duration(value),
        low: units::show_duration(low),
        high: units::show_duration(high),
    })
}

fn count(given: Option<usize>, high: usize, default: usize) -> Result<usize, LimitError> {
    let value = given.unwrap_or(default);
    if (1..=high).contains(&value) {
        return Ok(value);
    }
    Err(LimitError::Range {
        limit: "concurrency",
        value: value.to_string(),
        low: "1".to_owned(),
        high: high.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(json: &str) -> Result<Limits, String> {
        let spec: LimitsSpec = serde_json::from_str(json).map_err(|error| error.to_string())?;
        spec.resolve().map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_absent_has_the_default() {
        assert_eq!(resolve("{}"), Ok(Limits::default()));
    }

    #[test]
    fn quantities_have_units() {
        let limits = resolve(
            r#"{"memory": "16MiB", "time": "1m", "cpu": 2.5, "concurrency": 3, "response": 1000}"#,
        )
        .unwrap();
        assert_eq!(limits.memory, 16 << 20);
        assert_eq!(limits.time, Duration::from_secs(60));
        assert_eq!(limits.cpu, Duration::from_millis(2500));
        assert_eq!(limits.concurrency, 3);
        assert_eq!(limits.response, 1000);
    }

    #[test]
    fn errors_name_the_limit_and_its_range() {
        for (json, expected) in [
            (
                r#"{"memory": "5GiB"}"#,
                "limits.memory: 5 GiB is out of range: give a value from 64 KiB to 4 GiB",
            ),
            (r#"{"memory": 1}"#, "limits.memory: 1 B is out of range"),
            (
                r#"{"time": "0s"}"#,
                "limits.time: 0 ms is out of range: give a value from 1 ms to 24 h",
            ),
            (r#"{"time": "25h"}"#, "limits.time: 25 h is out of range"),
            (
                r#"{"cpu": "3 parsecs"}"#,
                "limits.cpu: `3 parsecs` is no duration",
            ),
            (
                r#"{"response": "much"}"#,
                "limits.response: `much` is no size",
            ),
            (
                r#"{"concurrency": 0}"#,
                "limits.concurrency: 0 is out of range: give a value from 1 to 10000",
            ),
            (r#"{"fuel": 3}"#, "unknown field `fuel`"),
        ] {
            let error = resolve(json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }
}
