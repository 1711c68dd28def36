//! The parts that a step is made of, each by itself: what is between them must not cost more than they do.
//!
//! ```text
//! cargo bench -p baton-bench
//! ```

mod call;
mod expression;
mod journal;
mod machine;
mod record;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    parts,
    call::measure,
    expression::measure,
    machine::measure,
    record::measure,
    journal::measure
);
criterion_main!(parts);
