//! How each example of the specification is run, or the reason why it is not.

use serde_json::{Value, json};

use How::{Calls, Completes, Due, Elsewhere, Faults, Hears, Not, StartedBy, Waits};

/// What becomes of an example.
pub(super) enum How {
    /// It is run with this input, and its output has this in it.
    Completes(Value, Value),
    /// It is run with this input, and ends with an error of this status.
    Faults(Value, u16),
    /// It is run with this input, makes a request of this method and path, and waits on.
    Calls(Value, &'static str, &'static str),
    /// It is run as the other says, and hears these events once it waits.
    Hears(Vec<Value>, Box<How>),
    /// It is published, and these events start it; its output has this in it.
    StartedBy(Vec<Value>, Value),
    /// It is published, and its schedule says when it starts.
    Due,
    /// It is started and waits for longer than a test should.
    Waits,
    /// Another test runs it or the same thing, since it takes more than a document: `path::name`.
    Elsewhere(&'static str),
    /// It is not run, and why.
    Not(&'static str),
}

const TEMPERATURE: &str = "com.fake-hospital.vitals.measurements.temperature";
const BPM: &str = "com.fake-hospital.vitals.measurements.bpm";

/// Every example by the name of its file, without `.yaml`.
pub(super) fn table() -> Vec<(&'static str, How)> {
    let pet = || json!({ "petId": 1, "token": "a-token" });
    let search = || json!({ "searchQuery": "Skywalker" });
    let milou = || json!({ "name": "milou" });
    let pets = || json!([{ "name": "milou" }, { "name": "idefix" }, { "name": "argos" }]);
    let luke = || json!([{ "name": "Luke Skywalker" }]);
    vec![
        (
            "accumulate-room-readings",
            Not("the OpenAPI document that it calls by is nowhere"),
        ),
        ("authentication-bearer", Completes(pet(), milou())),
        (
            "authentication-bearer-uri-format",
            Completes(pet(), milou()),
        ),
        (
            "authentication-oauth2",
            Elsewhere("tests/suite/authentication.rs::the_examples_of_the_specification_run"),
        ),
        (
            "authentication-oauth2-secret",
            Elsewhere("tests/suite/authentication.rs::the_examples_of_the_specification_run"),
        ),
        (
            "authentication-oidc",
            Elsewhere("tests/suite/authentication.rs::the_examples_of_the_specification_run"),
        ),
        (
            "authentication-oidc-secret",
            Elsewhere("tests/suite/authentication.rs::the_examples_of_the_specification_run"),
        ),
        ("authentication-reusable", Completes(pet(), milou())),
        (
            "call-asyncapi-publish",
            Elsewhere("tests/suite/asyncapi.rs::the_examples_of_the_specification_run"),
        ),
        (
            "call-asyncapi-subscribe-consume-amount",
            Elsewhere("tests/suite/asyncapi.rs::the_examples_of_the_specification_run"),
        ),
        (
            "call-asyncapi-subscribe-consume-forever-foreach",
            Elsewhere("tests/suite/asyncapi.rs::the_examples_of_the_specification_run"),
        ),
        (
            "call-asyncapi-subscribe-consume-until",
            Elsewhere("tests/suite/asyncapi.rs::the_examples_of_the_specification_run"),
        ),
        (
            "call-asyncapi-subscribe-consume-while",
            Elsewhere("tests/suite/asyncapi.rs::the_examples_of_the_specification_run"),
        ),
        (
            "call-custom-function-cataloged",
            Elsewhere("tests/suite/language.rs::the_example_of_a_cataloged_function_runs"),
        ),
        (
            "call-custom-function-inline",
            Completes(json!({}), json!({ "name": "argos" })),
        ),
        (
            "call-grpc",
            Elsewhere("tests/suite/grpc.rs::messages_and_streams_go_both_ways"),
        ),
        (
            "call-http-endpoint-interpolation",
            Completes(pet(), milou()),
        ),
        (
            "call-http-endpoint-interpolation-shorthand",
            Completes(pet(), milou()),
        ),
        (
            "call-http-query-headers-expressions",
            Completes(search(), luke()),
        ),
        ("call-http-query-parameters", Completes(search(), luke())),
        ("call-http-redirect", Completes(search(), luke())),
        (
            "call-mcp",
            Elsewhere(
                "tests/suite/mcp.rs::the_specifications_example_starts_its_server_where_the_operator_lets_it",
            ),
        ),
        ("call-openapi", Completes(json!({}), pets())),
        ("call-openapi-redirect", Completes(json!({}), pets())),
        (
            "conditional-task",
            Faults(json!({ "customer": { "age": 17 } }), 400),
        ),
        (
            "do-multiple",
            Completes(pet(), json!({ "name": "milou", "status": "sold" })),
        ),
        ("do-single", Completes(pet(), milou())),
        ("emit", Completes(json!({}), json!({}))),
        // It reads `.pets` of what it heard, which is a list of events, and a list has no members.
        (
            "for",
            hears(
                [event(
                    "com.fake.petclinic.pets.checkup.completed.v2",
                    json!({ "pets": [] }),
                )],
                Faults(json!({ "pets": [{ "id": 1 }], "vet": "Ada" }), 400),
            ),
        ),
        (
            "for-inline-array",
            Completes(
                json!({}),
                json!({ "processed": [{ "name": "red" }, { "name": "green" }, { "hex": "#0000FF" }] }),
            ),
        ),
        (
            "fork",
            Completes(
                json!({ "patient": { "fullName": "Ada Lovelace" }, "room": { "number": 7 } }),
                json!({ "patientId": "Ada Lovelace", "room": 7 }),
            ),
        ),
        (
            "listen-to-all read-envelope",
            hears(
                [fever(), slow()],
                Completes(
                    json!({}),
                    json!([{ "type": TEMPERATURE, "data": { "temperature": 39 } }, { "type": BPM, "data": { "bpm": 50 } }]),
                ),
            ),
        ),
        (
            "listen-to-all",
            hears(
                [healthy(), fever(), slow()],
                Completes(json!({}), json!([{ "temperature": 39 }, { "bpm": 50 }])),
            ),
        ),
        (
            "listen-to-any",
            hears(
                [fever()],
                Completes(json!({}), json!([{ "temperature": 39 }])),
            ),
        ),
        (
            "listen-to-any-filter",
            hears(
                [healthy(), slow()],
                Completes(json!({}), json!([{ "bpm": 50 }])),
            ),
        ),
        (
            "listen-to-any-forever-foreach",
            hears([gossip()], Calls(json!({ "roomId": 7 }), "POST", "/room/7")),
        ),
        (
            "listen-to-any-until-condition",
            hears(
                [healthy(), fever(), slow(), gossip()],
                Completes(
                    json!({}),
                    json!([{ "temperature": 37 }, { "temperature": 39 }, { "bpm": 50 }, { "roomId": 7 }]),
                ),
            ),
        ),
        (
            "listen-to-any-until-consumed",
            hears(
                [
                    fever(),
                    healthy(),
                    slow(),
                    event("com.fake-hospital.patient.checked-out", json!({})),
                ],
                Completes(json!({}), json!([{ "temperature": 39 }, { "bpm": 50 }])),
            ),
        ),
        // The car's id is a variable of a template, and what it heard, a list, has none: RFC 6570 leaves it out.
        (
            "listen-to-one",
            hears(
                [event(
                    "com.virtual-wf-powered-race.events.race.started.v1",
                    json!({ "carId": 4 }),
                )],
                Completes(json!({ "carId": 4 }), json!({ "started": true })),
            ),
        ),
        (
            "mock-service-extension",
            Elsewhere("tests/suite/language.rs::the_example_of_a_mocked_service_runs"),
        ),
        ("raise-inline", Faults(json!({}), 500)),
        ("raise-reusable", Faults(json!({}), 500)),
        (
            "run-container",
            Completes(json!({}), json!("Hello from Docker!\n")),
        ),
        (
            "run-container-cleanup-always",
            Completes(json!({}), json!("Hello from Docker!\n")),
        ),
        (
            "run-container-cleanup-eventually",
            Completes(json!({}), json!("Hello from Docker!\n")),
        ),
        (
            "run-container-stdin-and-arguments",
            Completes(
                json!({}),
                json!("STDIN was: Hello World\nARGS are Foo Bar\n"),
            ),
        ),
        (
            "run-container-with-name",
            Completes(json!({}), json!("Hello from Docker!\n")),
        ),
        (
            "run-container-with-pull-policy",
            Completes(json!({}), json!("Hello from Docker!\n")),
        ),
        (
            "run-return-all",
            Completes(
                json!({}),
                json!({ "code": 0, "stdout": "Hello from Docker!\n", "stderr": "" }),
            ),
        ),
        ("run-return-code", Completes(json!({}), json!(0))),
        ("run-return-none", Completes(json!({}), json!(null))),
        ("run-return-stderr", Completes(json!({}), json!(""))),
        (
            "run-script-with-stdin-and-arguments",
            Completes(
                json!({}),
                json!("stdin >  Hello Workflow\narg >  hello\nenv >  bar\n"),
            ),
        ),
        (
            "run-shell-stdin-and-arguments",
            Completes(
                json!({}),
                json!("STDIN was: Hello World\nARGS are Foo Bar\n"),
            ),
        ),
        (
            "run-subflow",
            Completes(json!({}), json!({ "registered": ".user" })),
        ),
        ("schedule-cron", Due),
        // It reads `.data` of what the reference says is the data already.
        (
            "schedule-event-driven",
            StartedBy(
                vec![event(
                    "com.example.hospital.events.patients.heartbeat.low",
                    json!({ "data": { "patient": { "id": 7, "room": { "number": 3 }, "vitals": { "bpm": 31 } } } }),
                )],
                json!({ "patientId": 7, "roomNumber": 3, "vitals": { "heartRate": 31 } }),
            ),
        ),
        (
            "set",
            StartedBy(
                vec![event(
                    "io.serverlessworkflow.samples.events.trigger.v1",
                    json!({ "n": 1 }),
                )],
                json!({ "startEvent": { "n": 1 } }),
            ),
        ),
        (
            "set-expression",
            StartedBy(
                vec![event(
                    "io.serverlessworkflow.samples.events.trigger.v1",
                    json!({ "n": 1 }),
                )],
                json!({ "n": 1 }),
            ),
        ),
        (
            "star-wars-homeworld",
            Completes(json!({ "id": 1 }), json!({ "name": "Tatooine" })),
        ),
        (
            "switch-then-string",
            Completes(
                json!({ "orderType": "electronic" }),
                json!({ "status": "fulfilled" }),
            ),
        ),
        (
            "try-catch",
            Completes(json!({ "petId": 404 }), json!({ "petId": 404 })),
        ),
        ("try-catch-retry-inline", Completes(pet(), milou())),
        ("try-catch-retry-reusable", Completes(pet(), milou())),
        (
            "try-catch-then",
            Completes(json!({ "petId": 404 }), json!({})),
        ),
        (
            "try-catch-then-directive",
            Completes(json!({}), json!({ "status": "failed" })),
        ),
        ("wait-duration-inline", Waits),
        ("wait-duration-iso8601", Waits),
    ]
}

fn hears<const N: usize>(events: [Value; N], how: How) -> How {
    Hears(events.into(), Box::new(how))
}

/// An event of this type. Whoever sends it gives it an id.
fn event(kind: &str, data: Value) -> Value {
    json!({ "specversion": "1.0", "source": "https://example.org", "type": kind, "data": data })
}

fn healthy() -> Value {
    event(TEMPERATURE, json!({ "temperature": 37 }))
}

fn fever() -> Value {
    event(TEMPERATURE, json!({ "temperature": 39 }))
}

fn slow() -> Value {
    event(BPM, json!({ "bpm": 50 }))
}

fn gossip() -> Value {
    event("com.fake-chat.gossip", json!({ "roomId": 7 }))
}
