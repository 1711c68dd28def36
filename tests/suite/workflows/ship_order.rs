//! `ship-order.yaml`: what belongs together starts one run, whatever comes in between.

use baton_tests::{Host, Seen, Start, Stub, eventually};
use serde_json::{Value, json};

/// A carrier that gives each shipment a number, and a host with the workflow.
async fn shop() -> (Stub, Host) {
    let carrier = Stub::start().await;
    carrier.on("POST", "/v1/shipments").answer_by(|seen| {
        let reference = seen.json()["reference"].clone();
        let tracking = format!("track-{}", reference.as_str().unwrap_or_default());
        (201, json!({ "tracking": tracking }))
    });
    let host = Start::default()
        .argument("--testing-rewrite")
        .argument(&format!("https://carrier.example.org={}", carrier.url()))
        .allow("https://carrier.example.org")
        .start()
        .await;
    host.publish_file("workflows/ship-order.yaml").await;
    (carrier, host)
}

async fn send(host: &Host, id: &str, kind: &str, data: Value) {
    let event = json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": format!("com.example.{kind}"), "data": data,
    });
    let headers = [("content-type", "application/cloudevents+json")];
    let sent = host.send("POST", "/v1/events", &headers, event.to_string());
    sent.await.expect(202);
}

/// Waits for the events that tell of so many shipments.
async fn shipped(host: &Host, count: usize) -> Vec<Value> {
    eventually("orders are shipped", async || {
        let events = host.all("/v1/events?type=com.example.order.shipped").await;
        (events.len() >= count).then_some(events)
    })
    .await
}

#[tokio::test]
async fn an_order_is_shipped_once_it_is_paid_and_picked() {
    let (carrier, mut host) = shop().await;
    let paid = |order: u32| json!({ "order": order, "address": format!("{order} High Street") });
    let picked = |order: u32| json!({ "order": order, "parcels": order });
    send(&host, "1", "shop.paid", paid(7)).await;
    send(&host, "2", "warehouse.picked", picked(8)).await;
    send(&host, "3", "shop.paid", paid(9)).await;
    host.kill9().await;
    host.restart().await;
    assert!(host.all("/v1/runs").await.is_empty());
    send(&host, "4", "shop.paid", paid(8)).await;
    send(&host, "5", "warehouse.picked", picked(7)).await;

    let mut told: Vec<Value> = shipped(&host, 2)
        .await
        .into_iter()
        .map(|event| event["event"]["data"].clone())
        .collect();
    told.sort_by_key(|data| data["order"].as_u64());
    assert_eq!(
        told,
        [
            json!({ "order": 7, "tracking": "track-order-7" }),
            json!({ "order": 8, "tracking": "track-order-8" }),
        ]
    );
    let mut asked: Vec<Value> = carrier.seen().iter().map(Seen::json).collect();
    asked.sort_by_key(|body| body["parcels"].as_u64());
    assert_eq!(
        asked,
        [
            json!({ "reference": "order-7", "to": "7 High Street", "parcels": 7 }),
            json!({ "reference": "order-8", "to": "8 High Street", "parcels": 8 }),
        ]
    );
    // Order 9 is paid for, and waits on.
    assert_eq!(host.all("/v1/runs").await.len(), 2);
}
