//! `book-trip.yaml`: a saga against a real service, which is asked itself what is left of it.

use baton_tests::{AssetServer, Host, Stub};
use serde_json::{Value, json};

/// A travel service that keeps bookings, behind what takes payments.
struct Travel {
    service: AssetServer,
    door: Stub,
}

impl Travel {
    async fn open() -> Self {
        let service = AssetServer::start(&json!({ "flights": [], "hotels": [], "cars": [] })).await;
        let door = Stub::before(service.url()).await;
        door.on("POST", "/payments").answer(201, json!({}));
        Self { service, door }
    }

    /// A run that has ended.
    async fn booked(&self) -> Value {
        let host = Host::dev(&[self.door.url()]).await;
        host.publish_file("workflows/book-trip.yaml").await;
        let input = json!({
            "travel": self.door.url(), "traveller": "ada", "from": "LHR", "to": "TRN", "nights": 2,
        });
        host.ended(&host.start("demo/book-trip", &input).await)
            .await
    }

    /// How many bookings there are: flights, hotels and cars.
    async fn bookings(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for (count, kind) in counts.iter_mut().zip(["flights", "hotels", "cars"]) {
            *count = self.service.all(kind).await.len();
        }
        counts
    }

    /// What was cancelled, in its order.
    fn cancelled(&self) -> Vec<String> {
        let seen = self.door.seen_on("DELETE", "/");
        seen.into_iter().map(|seen| seen.path).collect()
    }
}

#[tokio::test]
async fn a_trip_is_booked_and_paid() {
    let travel = Travel::open().await;
    let run = travel.booked().await;
    assert_eq!(
        run["output"],
        json!({ "booked": true, "flight": 1, "hotel": 1, "car": 1 }),
        "{run:#}"
    );
    assert_eq!(travel.bookings().await, [1, 1, 1]);
    assert_eq!(
        travel.door.seen_on("POST", "/payments")[0].json(),
        json!({ "traveller": "ada", "for": { "flight": 1, "hotel": 1, "car": 1 } })
    );
    assert!(travel.cancelled().is_empty());
}

#[tokio::test]
async fn what_was_booked_is_cancelled_when_the_payment_fails() {
    let travel = Travel::open().await;
    let declined = json!({ "detail": "the card has expired" });
    travel.door.on("POST", "/payments").answer(402, declined);
    let run = travel.booked().await;
    assert_eq!(run["status"], "completed", "{run:#}");
    assert_eq!(run["output"]["booked"], false);
    assert_eq!(travel.door.seen_on("POST", "/payments").len(), 1);
    assert_eq!(travel.cancelled(), ["/cars/1", "/hotels/1", "/flights/1"]);
    assert_eq!(travel.bookings().await, [0, 0, 0]);
}

#[tokio::test]
async fn what_time_heals_is_tried_again_and_only_what_was_booked_is_cancelled() {
    let travel = Travel::open().await;
    travel
        .door
        .on("POST", "/flights")
        .times(2)
        .answer(503, json!({}));
    let full = json!({ "detail": "no car in TRN" });
    travel.door.on("POST", "/cars").answer(409, full);
    let run = travel.booked().await;
    assert_eq!(run["output"]["booked"], false, "{run:#}");
    let flights = travel.door.seen_on("POST", "/flights");
    let keys: Vec<_> = flights
        .iter()
        .map(|seen| seen.header("idempotency-key"))
        .collect();
    assert_eq!(keys.len(), 3);
    assert!(keys[0].is_some() && keys.iter().all(|key| *key == keys[0]));
    assert_eq!(travel.cancelled(), ["/hotels/1", "/flights/1"]);
    assert!(travel.door.seen_on("POST", "/payments").is_empty());
}
