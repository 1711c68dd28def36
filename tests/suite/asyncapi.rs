//! `call: asyncapi` against real servers: NATS, a websocket server, and HTTP.

use baton_tests::{Host, Service, Start, Stub, eventually, paths};
use serde_json::{Value, json};

use crate::fixtures::{fresh, is_error};

/// A document of AsyncAPI 3 with one server, at this address, and the channel `orders.new`.
pub(crate) fn document(protocol: &str, host: &str, address: &str) -> String {
    format!(
        "
asyncapi: 3.0.0
info: {{ title: Orders, version: 1.0.0 }}
servers: {{ main: {{ host: '{host}', protocol: {protocol} }} }}
channels: {{ orders: {{ address: {address} }} }}
operations:
  place: {{ action: send, channel: {{ $ref: '#/channels/orders' }} }}
  take: {{ action: receive, channel: {{ $ref: '#/channels/orders' }} }}
"
    )
}

/// Who has the document, and a host that may go there and to one place more.
pub(crate) async fn world(text: &str, rule: &str) -> (Stub, Host) {
    let files = Stub::start().await;
    let yaml = [("content-type", "application/yaml")];
    files.on("GET", "/api.yaml").answer_with(200, &yaml, text);
    let host = Host::dev(&[files.url(), rule]).await;
    (files, host)
}

pub(crate) fn publish(files: &Stub) -> String {
    let url = files.url();
    fresh(&format!(
        "
        - place:
            call: asyncapi
            with:
              document: {{ endpoint: '{url}/api.yaml' }}
              operation: place
              message:
                payload: {{ order: '${{ .order }}' }}
                headers: {{ x-kind: test }}
        "
    ))
}

fn subscribe(files: &Stub, consume: &str) -> String {
    fresh(&take(files, &format!("{{ consume: {consume} }}")))
}

/// A task that subscribes.
pub(crate) fn take(files: &Stub, subscription: &str) -> String {
    let url = files.url();
    format!(
        "
        - take:
            call: asyncapi
            with:
              document: {{ endpoint: '{url}/api.yaml' }}
              operation: take
              subscription: {subscription}
        "
    )
}

/// The members `order` of the payloads.
fn orders(messages: &Value) -> Vec<&Value> {
    let messages = messages.as_array().expect("an array").iter();
    messages.map(|it| &it["payload"]["order"]).collect()
}

/// Waits until a server of NATS has as many subscriptions.
pub(crate) async fn subscribed(nats: &Service, count: u64) {
    eventually("as many subscriptions", async || {
        (nats.subscriptions().await == count).then_some(())
    })
    .await;
}

/// Publishes messages with these orders, one after the other.
async fn place(host: &Host, files: &Stub, orders: &[&str]) {
    let document = publish(files);
    for order in orders {
        let done = host
            .run_document(&document, &json!({ "order": order }))
            .await;
        assert_eq!(done["status"], "completed", "{done:#}");
    }
}

/// Starts a run of a document, without waiting for its end.
async fn begin(host: &Host, document: String) -> String {
    let published = host.publish(document).await.expect(201).json();
    let name = published["name"].as_str().expect("a name").to_owned();
    host.start(&format!("test/{name}"), &json!({})).await
}

#[tokio::test]
async fn messages_go_through_nats_and_a_subscription_outlives_a_crash() {
    let nats = Service::nats(&[]).await;
    let place = format!("127.0.0.1:{}", nats.port());
    let text = document("nats", &place, "orders.new");
    let (files, mut host) = world(&text, &format!("tcp://{place}")).await;
    let run = begin(&host, subscribe(&files, "{ amount: 2 }")).await;
    subscribed(&nats, 1).await;
    host.kill9().await;
    subscribed(&nats, 0).await;
    host.restart().await;
    subscribed(&nats, 1).await;

    for order in ["one", "two"] {
        let done = host
            .run_document(&publish(&files), &json!({ "order": order }))
            .await;
        assert_eq!(done["status"], "completed", "{done:#}");
        assert_eq!(done["output"], Value::Null);
    }
    let run = host.ended(&run).await;
    let messages = &run["output"];
    assert_eq!(orders(messages), ["one", "two"], "{run:#}");
    assert_eq!(messages[0]["headers"]["x-kind"], "test");
    assert!(messages[0]["headers"]["Nats-Msg-Id"].is_string());
}

#[tokio::test]
async fn a_subscription_ends_with_its_time() {
    let nats = Service::nats(&[]).await;
    let place = format!("127.0.0.1:{}", nats.port());
    let text = document("nats", &place, "orders.new");
    let (files, host) = world(&text, &format!("tcp://{place}")).await;
    let consume = "{ amount: 2, for: { milliseconds: 300 } }";
    let run = host
        .run_document(&subscribe(&files, consume), &json!({}))
        .await;
    assert_eq!(run["output"], json!([]), "{run:#}");
}

#[tokio::test]
async fn messages_are_filtered_and_consumed_while_or_until() {
    let nats = Service::nats(&[]).await;
    let place_of = format!("127.0.0.1:{}", nats.port());
    let text = document("nats", &place_of, "orders.new");
    let (files, host) = world(&text, &format!("tcp://{place_of}")).await;
    let consumed = async |subscription: &str| {
        let run = begin(&host, fresh(&take(&files, subscription))).await;
        subscribed(&nats, 1).await;
        place(&host, &files, &["tea", "milk", "jam", "mint tea"]).await;
        let run = host.ended(&run).await;
        subscribed(&nats, 0).await;
        run["output"].clone()
    };
    let filter = "{ filter: '${ .payload.order | test(\"m\") }', consume: { amount: 2 } }";
    assert_eq!(orders(&consumed(filter).await), ["milk", "jam"]);
    let until = "{ consume: { until: '${ .[-1].payload.order == \"jam\" }' } }";
    assert_eq!(orders(&consumed(until).await), ["tea", "milk", "jam"]);
    let r#while = "{ consume: { while: '${ (. | length) < 2 }' } }";
    assert_eq!(orders(&consumed(r#while).await), ["tea", "milk"]);
}

#[tokio::test]
async fn tasks_are_performed_for_each_message_and_a_crash_loses_none_that_was_taken() {
    let nats = Service::nats(&[]).await;
    let place_of = format!("127.0.0.1:{}", nats.port());
    let text = document("nats", &place_of, "orders.new");
    let (files, mut host) = world(&text, &format!("tcp://{place_of}")).await;
    let gate = files.on("POST", "/kitchen").hold();
    let url = files.url();
    let subscription = format!(
        "
                consume: {{ until: '${{ ($context.seen | length) == 2 }}' }}
                foreach:
                  item: message
                  at: i
                  do:
                    - careful:
                        try:
                          - cook:
                              call: http
                              with:
                                method: post
                                endpoint: '{url}/kitchen'
                                body: {{ order: '${{ $message.payload.order }}' }}
                        catch: {{ errors: {{ with: {{ status: 404 }} }} }}
                  output: {{ as: '${{ [$i, $message.payload.order] }}' }}
                  export: {{ as: '${{ {{ seen: (($context.seen // []) + [$i]) }} }}' }}"
    );
    let subscription = take(&files, &subscription);
    let run = begin(&host, fresh(&subscription)).await;
    subscribed(&nats, 1).await;
    place(&host, &files, &["soup"]).await;
    gate.arrived(1).await;
    // While it is worked on: the message is on disk, and its call is made again.
    host.kill9().await;
    subscribed(&nats, 0).await;
    host.restart().await;
    gate.arrived(2).await;
    subscribed(&nats, 1).await;
    place(&host, &files, &["cake"]).await;
    gate.open();
    let run = host.ended(&run).await;
    assert_eq!(run["status"], "completed", "{run:#}");
    assert_eq!(run["output"], json!([[0, "soup"], [1, "cake"]]), "{run:#}");
    let seen = files.seen_on("POST", "/kitchen");
    let orders: Vec<Value> = seen
        .iter()
        .map(|seen| seen.json()["order"].clone())
        .collect();
    assert_eq!(orders, ["soup", "soup", "cake"]);
    let key = |index: usize| seen[index].header("idempotency-key");
    assert!(key(0) == key(1) && key(1) != key(2));
}

#[tokio::test]
async fn a_subscription_outlasts_the_limits_of_a_call() {
    let nats = Service::nats(&[]).await;
    let place_of = format!("127.0.0.1:{}", nats.port());
    let text = document("nats", &place_of, "orders.new");
    let (files, host) = world(&text, &format!("tcp://{place_of}")).await;
    let grant = async |time: &str| {
        let limits = json!({ "time": time, "response": "8KiB" });
        let grant = json!({ "egress": [files.url()], "tcp": [place_of], "limits": limits });
        let path = "/v1/connectors/asyncapi/grants";
        host.put(path, &grant).await.expect(200);
    };
    // No call can be made in that time.
    grant("1ms").await;
    let run = begin(&host, subscribe(&files, "{ amount: 8 }")).await;
    subscribed(&nats, 1).await;
    grant("1m").await;
    let order = "x".repeat(2_000);
    place(&host, &files, &[order.as_str(); 8]).await;
    let run = host.ended(&run).await;
    assert_eq!(orders(&run["output"]).len(), 8, "{run:#}");
}

#[tokio::test]
async fn nats_asks_who_it_is_and_the_grant_where_to() {
    let nats = Service::nats(&["--user", "ada", "--pass", "secret"]).await;
    let place = format!("127.0.0.1:{}", nats.port());
    let text = document("nats", &place, "orders.new");
    let (files, host) = world(&text, &format!("tcp://{place}")).await;
    let order = json!({ "order": "one" });
    let run = host.run_document(&publish(&files), &order).await;
    assert!(is_error(&run["error"], "authentication"), "{run:#}");
    let login = "authentication: { basic: { username: ada, password: secret } }\n      message:";
    let known = publish(&files).replacen("message:", login, 1);
    let run = host.run_document(&known, &order).await;
    assert_eq!(run["status"], "completed", "{run:#}");

    let (files, host) = world(&text, "tcp://127.0.0.1:1").await;
    let run = host.run_document(&publish(&files), &order).await;
    assert!(is_error(&run["error"], "authorization"), "{run:#}");
    let detail = run["error"]["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(&format!("tcp: [\"{place}\"]")), "{detail}");
}

#[tokio::test]
async fn messages_go_through_a_websocket() {
    let server = Service::websocket().await;
    let place = format!("127.0.0.1:{}", server.port());
    let rule = format!("tcp://{place}");
    let (files, host) = world(&document("ws", &place, "/orders"), &rule).await;
    let run = host
        .run_document(&publish(&files), &json!({ "order": "one" }))
        .await;
    assert_eq!(run["status"], "completed", "{run:#}");
    eventually("the message has arrived", async || {
        server
            .output()
            .contains("test {\"order\":\"one\"}")
            .then_some(())
    })
    .await;

    let (files, host) = world(&document("ws", &place, "/count"), &rule).await;
    let run = host
        .run_document(&subscribe(&files, "{ amount: 3 }"), &json!({}))
        .await;
    assert_eq!(run["output"][2]["payload"]["number"], 2, "{run:#}");
    // It takes its leave as the protocol says (RFC 6455, section 7.4).
    eventually("the websocket is closed", async || {
        let output = server.output();
        let closed = output.lines().filter(|line| line.starts_with("closed "));
        let codes: Vec<&str> = closed.collect();
        assert!(codes.iter().all(|line| *line != "closed 1006"), "{codes:?}");
        (codes.len() == 2).then_some(())
    })
    .await;

    let (files, host) = world(&document("ws", &place, "/huge"), &rule).await;
    let run = host
        .run_document(&subscribe(&files, "{ amount: 1 }"), &json!({}))
        .await;
    assert!(is_error(&run["error"], "communication"), "{run:#}");
}

#[tokio::test]
async fn messages_go_through_http() {
    let server = Stub::start().await;
    server.on("POST", "/orders").answer(202, json!({}));
    let events = "data: {\"n\": 1}\n\ndata: {\"n\": 2}\n\n";
    let stream = [("content-type", "text/event-stream")];
    server
        .on("GET", "/orders")
        .answer_with(200, &stream, events);
    let host_of = server.url().trim_start_matches("http://");
    let (files, host) = world(&document("http", host_of, "/orders"), server.url()).await;
    let run = host
        .run_document(&publish(&files), &json!({ "order": "one" }))
        .await;
    assert_eq!(run["status"], "completed", "{run:#}");
    let seen = server.seen_on("POST", "/orders");
    assert_eq!(seen[0].json(), json!({ "order": "one" }));
    assert_eq!(seen[0].header("x-kind"), Some("test"));
    let run = host
        .run_document(&subscribe(&files, "{ amount: 2 }"), &json!({}))
        .await;
    assert_eq!(run["output"][1]["payload"]["n"], 2, "{run:#}");
}

/// The document that the specification's examples name, with servers that are there.
fn notifications(web: &str, socket: &str) -> Value {
    json!({
        "asyncapi": "3.0.0",
        "info": { "title": "Notifications", "version": "1.0.0" },
        "servers": {
            "staging": { "host": web, "protocol": "http" },
            "live": { "host": socket, "protocol": "ws" },
        },
        "channels": {
            "/notifications": { "address": "/notifications" },
            "pets": { "address": "/pets" },
        },
        "operations": {
            "getNotifications": {
                "action": "receive", "channel": { "$ref": "#/channels/~1notifications" },
            },
            "findPetsByStatus": { "action": "send", "channel": { "$ref": "#/channels/pets" } },
        },
    })
}

#[tokio::test]
async fn the_examples_of_the_specification_run() {
    let Some(folder) = paths::specification().map(|spec| spec.join("examples")) else {
        println!("the examples did not run: there is no folder of the specification (BATON_SPEC)");
        return;
    };
    let (web, socket) = (Stub::start().await, Service::websocket().await);
    let place = format!("127.0.0.1:{}", socket.port());
    let address = web.url().trim_start_matches("http://");
    web.on("GET", "/docs/asyncapi.json")
        .answer(200, notifications(address, &place));
    web.on("POST", "/pets").answer(202, json!({}));
    let stream = [("content-type", "text/event-stream")];
    let events = "data: {\"n\": 1}\n\ndata: {\"n\": 2}\n\n";
    web.on("GET", "/notifications")
        .answer_with(200, &stream, events);
    let rules = ["https://fake.com", web.url(), &format!("tcp://{place}")];
    let start = rules
        .iter()
        .fold(Start::default(), |it, rule| it.allow(rule));
    let rewrite = format!("https://fake.com={}", web.url());
    let host = start.argument("--testing-rewrite").argument(&rewrite);
    let host = host.start().await;
    // All of them have the same name and version.
    let mut version = 0;
    let mut play = async |name: &str| {
        let path = folder.join(format!("call-asyncapi-{name}.yaml"));
        let text = std::fs::read_to_string(path).expect("the example can be read");
        version += 1;
        let text = text.replacen("version: '0.1.0'", &format!("version: '1.0.{version}'"), 1);
        let input = json!({ "pet": { "id": 7 }, "token": "a-token" });
        let run = host.run_document(&text, &input).await;
        assert_eq!(run["status"], "completed", "{name}: {run:#}");
        run["output"].clone()
    };
    assert_eq!(play("publish").await, Value::Null);
    let seen = web.seen_on("POST", "/pets");
    assert_eq!(seen[0].json(), json!({ "petId": 7 }));
    assert_eq!(seen[0].header("authorization"), Some("Bearer a-token"));
    // The context that their filters look at is empty, and so is what they look for: all messages pass.
    let five = play("subscribe-consume-amount").await;
    assert_eq!(five[4]["payload"]["number"], 4, "{five:#}");
    for name in ["while", "until", "forever-foreach"] {
        let two = play(&format!("subscribe-consume-{name}")).await;
        assert_eq!(two.as_array().map(Vec::len), Some(2), "{name}: {two:#}");
    }
    let log = host.all("/v1/events").await;
    let consumed = "io.serverlessworkflow.samples.asyncapi.message.consumed.v1";
    let consumed = log.iter().filter(|it| it["event"]["type"] == consumed);
    assert_eq!(consumed.count(), 2, "{log:#?}");
}
