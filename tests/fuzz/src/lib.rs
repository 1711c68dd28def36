//! What the fuzzer runs.

pub mod targets;
