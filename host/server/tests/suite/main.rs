//! The whole server on a real engine with its store in memory.

mod harness;
mod http;
mod sockets;
