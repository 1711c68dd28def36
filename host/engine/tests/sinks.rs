//! Sinks that events are delivered to.

mod support;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use baton_engine::{Deliver, Delivery, Sink, TenantId};
use baton_store::MemoryStore;
use baton_store::record::{Record, SinkRecord};
use baton_workflow::CloudEvent;
use serde_json::json;

use support::{Host, Script, until};

/// A sink that remembers what it got, and answers as it is told.
#[derive(Clone, Default)]
struct Recorder {
    got: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<Delivery>>>,
}

impl Recorder {
    fn got(&self) -> Vec<String> {
        self.got.lock().expect("not poisoned").clone()
    }
}

impl Deliver for Recorder {
    fn deliver(&self, event: CloudEvent) -> Pin<Box<dyn Future<Output = Delivery> + Send>> {
        let answer = self.answers.lock().expect("not poisoned").pop();
        let answer = answer.unwrap_or(Delivery::Taken);
        self.got
            .lock()
            .expect("not poisoned")
            .push(event.id().to_owned());
        Box::pin(async move { answer })
    }
}

async fn send(host: &Host, id: &str, kind: &str) {
    let event = json!({"specversion": "1.0", "id": id, "source": "/test", "type": kind});
    let event = CloudEvent::new(event).expect("an event");
    host.engine
        .send_events(&TenantId::default(), vec![event])
        .await
        .expect("sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_gets_each_event_in_order_and_reads_on_after_a_restart() {
    let store = Arc::new(MemoryStore::new());
    let sink = Sink {
        name: "audit".into(),
        tenant: TenantId::default(),
        types: vec!["com.example.*".into(), "exact".into()],
    };
    let recorder = Recorder::default();
    // The last is the first: one failure, which is tried again, and then a refusal, which is left out.
    *recorder.answers.lock().expect("not poisoned") = vec![
        Delivery::Refused("no".into()),
        Delivery::Failed("away".into()),
    ];
    let host = Host::open(store.clone(), &Script::default());
    send(&host, "before", "com.example.a").await;
    host.engine
        .add_sink(sink.clone(), Arc::new(recorder.clone()));
    // It is there once its position is stored.
    let key = baton_store::key::sink(&TenantId::default(), "audit");
    let there = async || {
        baton_store::Store::get(&*store, &key)
            .expect("read")
            .is_some()
    };
    until("the sink is there", there).await;
    send(&host, "1", "com.example.a").await;
    send(&host, "2", "exact").await;
    send(&host, "3", "exactly").await;
    send(&host, "4", "com.example.b").await;
    until("all are delivered", async || recorder.got().len() == 4).await;
    assert_eq!(recorder.got(), ["1", "1", "2", "4"]);
    let position = || {
        let stored = baton_store::Store::get(&*store, &key).expect("read")?;
        SinkRecord::decode(&stored).ok().map(|it| it.position)
    };
    until("its position is stored", async || position() == Some(5)).await;
    host.engine.shutdown().await;

    let host = Host::open(store, &Script::default());
    send(&host, "5", "exact").await;
    let again = Recorder::default();
    host.engine.add_sink(sink, Arc::new(again.clone()));
    until("the rest is delivered", async || !again.got().is_empty()).await;
    assert_eq!(again.got(), ["5"]);
    host.engine.shutdown().await;
}
