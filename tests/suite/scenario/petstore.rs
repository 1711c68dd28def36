//! What the kit calls on the network, as a stub on loopback: the host reaches it under the kit's names by the
//! authority rewrite that only tests can switch on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use baton_tests::{Host, Start, Stub};
use serde_json::{Value, json};

/// Where the pet store is, as far as the scenarios know.
pub(super) const URL: &str = "https://petstore.swagger.io";

/// A host that reaches the stub under the names that the kit calls.
pub(super) async fn host(stub: &Stub) -> Host {
    let services = [URL, "https://httpbin.org"];
    let start = services.iter().fold(Start::default(), |start, service| {
        start
            .allow(service)
            .argument("--testing-rewrite")
            .argument(&format!("{service}={}", stub.url()))
    });
    // Some scenarios run shell commands, some look at what is told of runs and tasks.
    let start = start.argument("--allow-shell");
    let start = start.argument("--lifecycle-events").argument("tasks");
    start.start().await
}

/// What the kit calls: a pet store, and a page behind basic authentication.
pub(super) async fn stub() -> Stub {
    fn pet(id: u64) -> Value {
        json!({ "id": id, "name": if id == 1 { "milou" } else { "idefix" }, "status": "available", "tags": [] })
    }
    let stub = Stub::start().await;
    stub.on("GET", "/v2/pet/").answer(
        404,
        json!({ "code": 1, "type": "error", "message": "Pet not found" }),
    );
    for id in [1, 2] {
        stub.on("GET", &format!("/v2/pet/{id}"))
            .answer(200, pet(id));
    }
    stub.on("GET", "/v2/swagger.json").answer(200, swagger());
    stub.on("GET", "/v2/pet/getPetByName/")
        .answer(404, json!({ "message": "Pet not found" }));
    stub.on("GET", "/v2/pet/findByStatus?status=available")
        .answer(200, json!([pet(1), pet(2)]));
    stub.on("GET", "/bearer").answer_by(|seen| {
        let known = seen.header("authorization") == Some("Bearer open-sesame");
        let status = if known { 200 } else { 401 };
        (status, json!({ "authenticated": known }))
    });
    stub.on("GET", "/basic-auth/").answer_by(|seen| {
        let credentials: Vec<&str> = seen.path.split('/').skip(2).collect();
        let expected = format!("Basic {}", STANDARD.encode(credentials.join(":")));
        let known = seen.header("authorization") == Some(&expected);
        (
            if known { 200 } else { 401 },
            json!({ "authenticated": known }),
        )
    });
    stub
}

/// What the pet store says of itself, as far as it is called by it.
pub(crate) fn swagger() -> Value {
    let parameter =
        |name, place, kind| json!({ "name": name, "in": place, "required": true, "type": kind });
    json!({
        "swagger": "2.0", "host": "petstore.swagger.io", "basePath": "/v2", "schemes": ["https", "http"],
        "paths": {
            "/pet/findByStatus": { "get": {
                "operationId": "findPetsByStatus", "parameters": [parameter("status", "query", "array")],
            } },
            "/pet/{petId}": { "get": {
                "operationId": "getPetById", "parameters": [parameter("petId", "path", "integer")],
            } },
        },
    })
}
