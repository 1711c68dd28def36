//! A directory of users and groups that speaks SCIM 2.0 (RFC 7643, RFC 7644), as a connector.
//!
//! It is an ordinary component: it knows `wit/` and wit-bindgen. What each function does is said in
//! `wit/scim.wit`.
//!
//! - [`directory`]: the functions, against anything that sends requests
//! - [`client`]: one request to the directory, and its errors
//! - [`user`], [`group`]: the records, from and to SCIM's JSON
//! - `component`: the contract, in terms of the above; on WebAssembly only

pub mod bindings;
pub mod client;
#[cfg(target_arch = "wasm32")]
mod component;
pub mod directory;
pub mod group;
pub mod user;
