//! Everything that tests the host from outside: over HTTP and by its command line, against the real
//! binary and real servers. One test binary, so that it links once. Run it with `bash tests/run`.

mod a2a;
mod api;
mod approvals;
mod asyncapi;
mod authentication;
mod backup;
mod bad_input;
mod conformance;
mod control;
mod crash;
mod document;
mod events;
mod examples;
mod fixtures;
mod grpc;
mod hello;
mod language;
mod licences;
mod lifecycle;
mod mcp;
mod onboarding;
mod processes;
mod retention;
mod run_process;
mod scenario;
mod schedule;
mod secrets;
mod serve;
mod storage;
mod stranger;
mod subflow;
mod support;
mod tls;
mod waiting;
mod workflows;
