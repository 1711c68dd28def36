//! The contract `baton:javascript`, in terms of [`crate::run()`].

mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "baton:javascript/connector",
        generate_all,
    });
}

use std::rc::Rc;
use std::time::Duration;

use bindings::baton::connector::types::{Failure, FailureKind};
use bindings::exports::baton::javascript::script::{Guest, ProcessResult};
use bindings::wasi::clocks::{monotonic_clock, wall_clock};
use bindings::wasi::random::random;

use crate::{Script, World};

struct Connector;

impl Guest for Connector {
    fn run(
        code: String,
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
        stdin: Option<String>,
    ) -> Result<ProcessResult, Failure> {
        let script = Script {
            code,
            arguments,
            environment,
            stdin,
        };
        match crate::run(&script, Rc::new(Clocks)) {
            Ok(result) => Ok(ProcessResult {
                code: result.code,
                stdout: result.stdout,
                stderr: result.stderr,
            }),
            Err(detail) => Err(Failure {
                kind: FailureKind::Runtime,
                title: "the JavaScript engine did not start".to_owned(),
                detail: Some(detail),
                status: None,
                retry_after: None,
                data: None,
            }),
        }
    }
}

/// The host's clocks.
struct Clocks;

impl World for Clocks {
    fn since_epoch(&self) -> Duration {
        let now = wall_clock::now();
        Duration::new(now.seconds, now.nanoseconds)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }

    fn sleep(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        monotonic_clock::subscribe_duration(nanoseconds).block();
    }
}

/// Where `Math.random` gets its numbers, by way of `getrandom`: from the host, seeded from the call's identity.
#[no_mangle]
unsafe extern "Rust" fn __getrandom_v03_custom(
    destination: *mut u8,
    length: usize,
) -> Result<(), getrandom::Error> {
    let bytes = random::get_random_bytes(length as u64);
    // SAFETY: `getrandom` hands over `length` bytes to be written, and as many are given.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), destination, length.min(bytes.len())) };
    Ok(())
}

bindings::export!(Connector with_types_in bindings);
