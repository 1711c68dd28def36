//! An event of a run, to the bytes that are stored and back; and the JSON in it, to text and back.

use baton_store::record::{
    AnswerRecord, CallRecord, EventKindRecord, EventRecord, Json, Record as _, TaskRecord,
};
use criterion::Criterion;
use serde_json::{Value, json};

pub(crate) fn measure(criterion: &mut Criterion) {
    let value = json!({ "order": 4711, "lines": [{ "article": "A-17", "count": 2, "price": 3.5 }], "paid": true });
    let text = value.to_string();
    let record = EventRecord {
        at_ms: 1_795_000_000_000,
        kind: EventKindRecord::Answered {
            call: CallRecord {
                task: TaskRecord {
                    pointer: "/do/3/step".to_owned(),
                    visit: 1,
                },
                attempt: 1,
            },
            answer: AnswerRecord::Result(Json(text.clone())),
        },
    };
    let bytes = record.encode();
    criterion.bench_function("record, encoded", |bencher| {
        bencher.iter(|| record.encode());
    });
    criterion.bench_function("record, decoded", |bencher| {
        bencher.iter(|| EventRecord::decode(&bytes).expect("it is one"));
    });
    criterion.bench_function("JSON, written", |bencher| {
        bencher.iter(|| value.to_string());
    });
    criterion.bench_function("JSON, read", |bencher| {
        bencher.iter(|| serde_json::from_str::<Value>(&text).expect("it is JSON"));
    });
}
