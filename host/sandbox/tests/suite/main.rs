//! The sandbox from outside: components written by hand, most of them hostile, and the connectors that
//! ship with the host.

mod calls;
mod egress;
mod guest;
mod hostile;
mod items;
mod language;
mod loading;
mod secrets;
mod tls;
mod values;
