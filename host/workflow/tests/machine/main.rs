//! The machine, driven by hand: a document and a script of events in, a transcript of commands out.

mod support;

mod approval;
mod authorization;
mod awaited;
mod call;
mod compensate;
mod data_flow;
mod r#do;
mod emit;
mod extension;
mod r#for;
mod fork;
mod function;
mod gathering;
mod limits;
mod listen;
mod loose;
mod process;
mod raise;
mod random;
mod replay;
mod retry;
mod run;
mod secrets;
mod set;
mod snapshot;
mod subscription;
mod suspend;
mod switch;
mod timeout;
mod r#try;
mod wait;
