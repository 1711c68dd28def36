//! `release.yaml`: what is checked side by side, who decides, and the way back.

use baton_tests::{Host, Stub, eventually};
use serde_json::{Value, json};

/// A factory in which all goes well, with the version before in each region, and a host that may use it.
struct Factory {
    host: Host,
    /// What the host speaks to, where requests can be held.
    door: Stub,
    /// What is behind it, and answers.
    _works: Stub,
}

impl Factory {
    async fn open() -> Self {
        let works = Stub::start().await;
        let image = |tag: &str| json!({ "image": format!("shop:{tag}") });
        works.on("POST", "/builds").answer(201, image("2.0"));
        works.on("POST", "/tests").answer(200, json!({}));
        let clean = json!({ "critical": 0 });
        works.on("POST", "/scans").answer(200, clean);
        works.on("GET", "/regions/").answer(200, image("1.0"));
        works.on("PUT", "/regions/").answer(200, json!({}));
        let door = Stub::before(works.url()).await;
        let host = Host::dev(&[door.url()]).await;
        host.publish_file("workflows/release.yaml").await;
        Self {
            host,
            door,
            _works: works,
        }
    }

    /// The id of a new run.
    async fn start(&self) -> String {
        let input = json!({
            "factory": self.door.url(), "service": "shop", "version": "2.0",
            "platforms": ["amd64", "arm64", "riscv64"], "regions": ["eu", "us", "asia"],
        });
        self.host.start("demo/release", &input).await
    }

    /// Waits until somebody is asked, and decides.
    async fn decide(&self, decision: &str) -> Value {
        let asked = eventually("somebody is asked", async || {
            self.asked().await.into_iter().next()
        })
        .await;
        let path = format!("/v1/approvals/{}", asked["id"].as_str().expect("an id"));
        let answer = json!({ "decision": decision, "comment": "after the holidays" });
        self.host.post(&path, &answer).await.expect(200);
        asked
    }

    async fn asked(&self) -> Vec<Value> {
        self.host.all("/v1/approvals").await
    }

    /// Which regions got this image, by name.
    fn got(&self, image: &str) -> Vec<String> {
        let seen = self.door.seen_on("PUT", "/regions/");
        let that = seen.iter().filter(|seen| seen.json()["image"] == image);
        let region = |path: &str| path.trim_start_matches("/regions/").to_owned();
        let mut regions: Vec<String> = that.map(|seen| region(&seen.path)).collect();
        regions.sort_unstable();
        regions
    }
}

#[tokio::test]
async fn a_release_is_checked_decided_and_rolled_out_two_at_a_time() {
    let factory = Factory::open().await;
    let build = factory.door.on("POST", "/builds").hold();
    let tests = factory.door.on("POST", "/tests").hold();
    let regions = factory.door.on("PUT", "/regions/").hold();
    let run = factory.start().await;
    build.arrived(1).await;
    assert_eq!(factory.door.seen().len(), 1, "the rest needs the build");
    build.open();
    // Each platform waits here for the others.
    tests.arrived(3).await;
    assert!(factory.asked().await.is_empty());
    tests.open();
    let asked = factory.decide("approved").await;
    assert_eq!(asked["title"], "Release shop 2.0?");
    let description = asked["description"].as_str().expect("a description");
    assert!(description.contains("amd64, arm64, riscv64"));

    regions.arrived(2).await;
    let looked = factory.door.seen_on("GET", "/regions/").len();
    assert_eq!(looked, 2, "the third region waits for one of the two");
    regions.open();
    let run = factory.host.ended(&run).await;
    assert_eq!(run["output"]["released"], true, "{run:#}");
    let regions = &run["output"]["regions"];
    let names: Vec<&Value> = (0..3).map(|at| &regions[at]["region"]).collect();
    assert_eq!(names, ["eu", "us", "asia"]);
    assert_eq!(factory.got("shop:2.0"), ["asia", "eu", "us"]);
    assert!(factory.got("shop:1.0").is_empty());
}

#[tokio::test]
async fn a_region_that_fails_gives_all_the_version_before_back() {
    let factory = Factory::open().await;
    let full = json!({ "detail": "the disk is full" });
    let asia = factory.door.on("PUT", "/regions/asia");
    asia.times(1).answer(500, full);
    let run = factory.start().await;
    factory.decide("approved").await;
    let run = factory.host.ended(&run).await;
    assert_eq!(
        (&run["status"], &run["error"]["status"]),
        (&json!("faulted"), &json!(500)),
        "{run:#}"
    );
    // Of the two that go side by side with it, at least the one before it has completed.
    let back = factory.got("shop:1.0");
    assert!(!back.is_empty());
    let mut done = factory.got("shop:2.0");
    done.retain(|region| back.contains(region));
    assert_eq!(back, done, "only what has the new version gets it back");
    assert!(!back.contains(&"asia".to_owned()));
}

#[tokio::test]
async fn what_is_not_safe_is_decided_by_nobody() {
    let factory = Factory::open().await;
    let found = json!({ "critical": 3 });
    factory.door.on("POST", "/scans").answer(200, found);
    let run = factory.start().await;
    let run = factory.host.ended(&run).await;
    assert_eq!(run["error"]["title"], "The image is not safe", "{run:#}");
    assert!(factory.asked().await.is_empty());
    assert!(factory.got("shop:2.0").is_empty());
}

#[tokio::test]
async fn who_says_no_keeps_it_from_going_out() {
    let factory = Factory::open().await;
    let run = factory.start().await;
    factory.decide("rejected").await;
    let run = factory.host.ended(&run).await;
    assert_eq!(run["status"], "completed", "{run:#}");
    assert_eq!(run["output"]["released"], false);
    assert_eq!(run["output"]["reason"], "after the holidays");
    assert!(factory.got("shop:2.0").is_empty());
}
