//! Each route, used as it should be and as it should not.

mod connectors;
mod contract;
mod runs;
mod secrets;
mod workflows;
