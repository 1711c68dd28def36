//! What connectors speak that is more than a request and its response.
//!
//! - [`json_rpc`]: JSON-RPC 2.0
//! - [`sse`]: server-sent events

pub mod json_rpc;
pub mod sse;
