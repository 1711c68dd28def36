//! Calls against a scripted network: what is sent, and what is said of documents and parameters that don't fit.

use std::cell::RefCell;

use openapi::{Arguments, Failure, Kind, call};
use outgoing::authentication::testing::Host;
use outgoing::{Request, Response};
use serde_json::{Value, json};

const V3: &str = r##"
openapi: 3.1.0
servers: [ { url: "https://{zone}.pets.test/v1/", variables: { zone: { default: eu } } } ]
paths:
  /pets/{id}:
    parameters: [ { $ref: "#/components/parameters/id" } ]
    get:
      operationId: getPet
      parameters:
        - { name: fields, in: query, schema: { type: array, default: [name] } }
        - { name: X-Trace, in: header, schema: { type: string } }
        - { name: session, in: cookie, schema: { type: string } }
      responses: { "200": { content: { application/json: {}, application/xml: {} } } }
    put:
      operationId: putPet
      requestBody: { required: true, content: { application/json: {} } }
  /form:
    post:
      operationId: postForm
      servers: [ { url: /other } ]
      requestBody: { content: { application/x-www-form-urlencoded: {} } }
  /parts:
    post:
      operationId: postParts
      requestBody: { content: { multipart/form-data: {} } }
components:
  parameters: { id: { name: id, in: path, required: true, schema: { type: integer } } }
  securitySchemes: { key: { type: apiKey, in: query, name: api_key } }
"##;

const V2: &str = r#"{
  "swagger": "2.0", "host": "pets.test", "basePath": "/v2", "schemes": ["https", "http"],
  "produces": ["application/json"], "consumes": ["application/json"],
  "paths": {
    "/pet/findByStatus": { "get": { "operationId": "findPetsByStatus", "parameters": [
      { "name": "status", "in": "query", "required": true, "type": "array", "collectionFormat": "multi" } ] } },
    "/pet": { "post": { "operationId": "addPet", "parameters": [
      { "name": "body", "in": "body", "required": true, "schema": {} } ] } },
    "/pet/{petId}": { "post": { "operationId": "updatePet", "parameters": [
      { "name": "petId", "in": "path", "required": true, "type": "integer" },
      { "name": "name", "in": "formData", "type": "string" } ] } }
  }
}"#;

fn exchange(
    document: &str,
    operation: &str,
    parameters: &Value,
) -> (Vec<Request>, Result<String, Failure>) {
    let requests = RefCell::new(Vec::new());
    let network = |request: &Request| {
        let is_document = requests.borrow().is_empty();
        requests.borrow_mut().push(request.clone());
        Ok(Response {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: if is_document { document } else { "[]" }
                .as_bytes()
                .to_vec(),
        })
    };
    let arguments = Arguments {
        document: json!({ "endpoint": "https://docs.test/a/openapi.json" }).to_string(),
        operation_id: operation.to_owned(),
        parameters: Some(parameters.to_string()),
        authentication: Some(json!({ "bearer": { "token": "t" } }).to_string()),
        idempotency_key: "run/key/1".to_owned(),
        ..Arguments::default()
    };
    let result = call(&arguments, &network, &Host::default());
    (requests.into_inner(), result)
}

fn asked(document: &str, operation: &str, parameters: Value) -> Request {
    let (mut requests, result) = exchange(document, operation, &parameters);
    result.expect("the call should succeed");
    assert_eq!(requests.len(), 2);
    assert_eq!(
        requests[0].header("authorization"),
        None,
        "the document is public"
    );
    requests.remove(1)
}

fn refused(document: &str, operation: &str, parameters: Value) -> Failure {
    let (requests, result) = exchange(document, operation, &parameters);
    assert_eq!(requests.len(), 1);
    result.expect_err("the call should fail")
}

fn body(request: &Request) -> String {
    String::from_utf8(request.body.clone().unwrap_or_default()).expect("text")
}

#[test]
fn parameters_go_where_the_document_says() {
    let parameters =
        json!({ "id": 7, "fields": ["a", "b"], "X-Trace": "t", "session": "s", "api_key": "k" });
    let request = asked(V3, "getPet", parameters);
    assert_eq!(
        request.uri.as_str(),
        "https://eu.pets.test/v1/pets/7?fields=a&fields=b&api_key=k"
    );
    for (name, value) in [
        ("x-trace", "t"),
        ("cookie", "session=s"),
        ("accept", "application/json"),
        ("authorization", "Bearer t"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    let request = asked(V3, "getPet", json!({ "id": "a/b" }));
    assert_eq!(
        request.uri.as_str(),
        "https://eu.pets.test/v1/pets/a%2Fb?fields=name"
    );
}

#[test]
fn bodies_are_given_whole_or_by_their_members() {
    for parameters in [
        json!({ "id": 7, "body": { "name": "Rex" } }),
        json!({ "id": 7, "name": "Rex" }),
    ] {
        let request = asked(V3, "putPet", parameters);
        assert_eq!(
            (request.method.as_str(), body(&request)),
            ("PUT", r#"{"name":"Rex"}"#.to_owned())
        );
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("idempotency-key"), Some("run/key/1"));
    }
    let request = asked(V3, "postForm", json!({ "a": "x y", "b": 1 }));
    assert_eq!(request.uri.as_str(), "https://docs.test/other/form");
    assert_eq!(body(&request), "a=x+y&b=1");
    let request = asked(V3, "postParts", json!({ "a": "x", "b": { "c": 1 } }));
    assert!(
        request
            .header("content-type")
            .is_some_and(|it| it.starts_with("multipart/form-data; boundary="))
    );
    let sent = body(&request);
    assert!(
        sent.contains("name=\"a\"\r\n\r\nx\r\n") && sent.contains("{\"c\":1}"),
        "{sent}"
    );
}

#[test]
fn swagger_is_understood() {
    let request = asked(V2, "findPetsByStatus", json!({ "status": "available" }));
    assert_eq!(
        request.uri.as_str(),
        "https://pets.test/v2/pet/findByStatus?status=available"
    );
    let request = asked(V2, "addPet", json!({ "body": { "name": "Rex" } }));
    assert_eq!(body(&request), r#"{"name":"Rex"}"#);
    let request = asked(V2, "updatePet", json!({ "petId": 1, "name": "Rex" }));
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(
        (request.uri.as_str(), body(&request).as_str()),
        ("https://pets.test/v2/pet/1", "name=Rex")
    );
}

#[test]
fn what_does_not_fit_is_said() {
    for (document, operation, parameters, kind, expected) in [
        (
            V3,
            "getPets",
            json!({}),
            Kind::Configuration,
            "has no operation `getPets`: there are `getPet`, `putPet`",
        ),
        (
            V3,
            "getPet",
            json!({}),
            Kind::Validation,
            "`id` of `getPet` is required",
        ),
        (
            V3,
            "getPet",
            json!({ "id": 1, "field": 2 }),
            Kind::Validation,
            "no parameter `field`: there are `fields`",
        ),
        (
            V3,
            "getPet",
            json!({ "id": ".." }),
            Kind::Validation,
            "`id` makes a part of the path `.` or `..`",
        ),
        (
            V3,
            "putPet",
            json!({ "id": 1 }),
            Kind::Validation,
            "`putPet` needs a body",
        ),
        (
            V2,
            "addPet",
            json!({}),
            Kind::Validation,
            "`addPet` needs a body",
        ),
        (
            "{\"a\": ",
            "x",
            json!({}),
            Kind::Configuration,
            "is no OpenAPI document: EOF while parsing a value at line 1",
        ),
        (
            "a: [",
            "x",
            json!({}),
            Kind::Configuration,
            "is no OpenAPI document",
        ),
        (
            "a: 1",
            "x",
            json!({}),
            Kind::Configuration,
            "neither `openapi` nor `swagger`",
        ),
        (
            "openapi: 4.0.0",
            "x",
            json!({}),
            Kind::Configuration,
            "of version 4.0.0",
        ),
        (
            "openapi: 3.0.0",
            "x",
            json!({}),
            Kind::Configuration,
            "no `paths`",
        ),
        (
            "openapi: 3.0.0\npaths: { /: { get: { operationId: x, parameters: [ { $ref: 'a.yaml#/b' } ] } } }",
            "x",
            json!({}),
            Kind::Configuration,
            "another document",
        ),
        (
            "openapi: 3.0.0\npaths: { /: { get: { operationId: x, parameters: [ { $ref: '#/paths/~1/get/parameters/0' } ] } } }",
            "x",
            json!({}),
            Kind::Configuration,
            "in circles",
        ),
    ] {
        let failure = refused(document, operation, parameters);
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert!(failure.detail.contains(expected), "{failure:?}");
    }
}
