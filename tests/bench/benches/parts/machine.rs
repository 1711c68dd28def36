//! A step of the machine: the answer of a call is taken, and the next call comes out.

use std::sync::Arc;

use baton_workflow::document::Document;
use baton_workflow::expression::{Evaluate, Expression};
use baton_workflow::machine::{Facts, TaskKey};
use baton_workflow::plan::{Catalog, FunctionReference, NoSuchFunction, Signature};
use baton_workflow::{Command, Event, Machine, Plan, Timestamp};
use criterion::{BatchSize, Criterion};
use serde_json::{Value, json};

/// Calls, one after the other.
const STEPS: usize = 100;

pub(crate) fn measure(criterion: &mut Criterion) {
    let plan = plan();
    let under_way = || {
        let facts = Facts {
            id: "run".to_owned(),
            runtime: json!({}),
            secrets: json!({}),
            event_bytes: 1 << 20,
        };
        let mut machine = Machine::new(Arc::clone(&plan), facts);
        let started = Event::Started {
            input: Arc::new(json!(0)),
            events_from: 1,
        };
        let next = invoked(&machine.apply(started, Timestamp::from_millis(0), &mut NoLanguage));
        (machine, next)
    };
    let mut group = criterion.benchmark_group("machine");
    group.throughput(criterion::Throughput::Elements(STEPS as u64));
    group.bench_function("steps", |bencher| {
        bencher.iter_batched(
            under_way,
            |(mut machine, mut next)| {
                let mut steps = 0;
                while let Some((task, attempt)) = next {
                    steps += 1;
                    let answered = Event::Answered {
                        task,
                        attempt,
                        answer: Ok(Arc::new(json!(steps))),
                    };
                    let now = Timestamp::from_millis(steps);
                    next = invoked(&machine.apply(answered, now, &mut NoLanguage));
                }
                assert_eq!(steps, STEPS as i64);
                machine
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn invoked(commands: &[Command]) -> Option<(TaskKey, u32)> {
    commands.iter().find_map(|command| match command {
        Command::Invoke(invocation) => Some((invocation.task.clone(), invocation.attempt)),
        _ => None,
    })
}

fn plan() -> Arc<Plan> {
    let mut text =
        "document: { dsl: '1.0.3', namespace: bench, name: steps, version: '1.0.0' }\ndo:\n"
            .to_owned();
    for step in 0..STEPS {
        text += &format!("- s{step}: {{ call: add-one@adder, with: {{ value: '${{ . }}' }} }}\n");
    }
    let document = Document::parse(text, None).expect("it is a workflow");
    Arc::new(Plan::new(&document, &Adder).expect("it can be lowered"))
}

/// Knows the one function.
struct Adder;

impl Catalog for Adder {
    fn function(&self, _: &FunctionReference) -> Result<Signature, NoSuchFunction> {
        Ok(Signature {
            arguments: json!({ "type": "object", "properties": { "value": { "type": "integer" } } }),
            result: json!({ "type": "integer" }),
        })
    }
}

/// Paths are all that is evaluated.
struct NoLanguage;

impl Evaluate for NoLanguage {
    fn evaluate(
        &mut self,
        expression: &Expression,
        _: &Value,
        _: &[&Value],
    ) -> Result<Value, String> {
        Err(format!("{} is more than a path", expression.source))
    }
}
