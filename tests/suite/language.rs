//! The language's functions, extensions and external resources on a running host, against servers that
//! count what they are asked.

use baton_tests::cli::baton;
use baton_tests::{Host, Start, Stub, paths};
use serde_json::{Value, json};

use crate::fixtures::{document, file};

/// A function of a catalog, as the catalog keeps it, which says `word`.
fn greet(word: &str) -> String {
    format!(
        "input: {{ schema: {{ resource: {{ endpoint: schema.json }} }} }}\nset: {{ text: '${{ \"{word}, \\(.name)!\" }}' }}\n"
    )
}

const SCHEMA: &str = r#"{ "properties": { "name": { "type": "string" } }, "required": ["name"] }"#;
const FUNCTION: &str = "/catalog/functions/greet/1.0.0/function.yaml";
const YAML: &[(&str, &str)] = &[("content-type", "application/yaml")];

/// A catalog with the function `greet:1.0.0`, behind basic authentication.
async fn catalog(word: &str) -> Stub {
    let stub = Stub::start().await;
    let schema = "/catalog/functions/greet/1.0.0/schema.json";
    stub.on("GET", schema).answer_with(200, &[], SCHEMA);
    stub.on("GET", FUNCTION)
        .answer_with(200, YAML, &greet(word));
    stub
}

fn calls_the_catalog(stub: &Stub) -> String {
    let tasks = "
        - hello:
            call: greet:1.0.0@ours
            with: { name: '${ .name }' }
        - again:
            wait: PT0.01S
    ";
    let catalog = format!(
        "use:\n  catalogs:\n    ours:\n      endpoint:\n        uri: {}/catalog\n        authentication: {{ basic: {{ username: ada, password: pw }} }}\ndo:\n",
        stub.url()
    );
    document("greets", tasks).replacen("do:\n", &catalog, 1)
}

#[tokio::test]
async fn what_is_kept_elsewhere_is_fetched_once_and_kept_with_the_version() {
    let stub = catalog("Hello").await;
    let mut host = Host::dev(&[stub.url()]).await;
    let text = calls_the_catalog(&stub);
    let published = host.publish(text.clone()).await.expect(201).json();
    let greeting = async |host: &Host| {
        let run = host.start("test/greets", &json!({ "name": "Ada" })).await;
        host.ended(&run).await["output"]["text"].clone()
    };
    assert_eq!(greeting(&host).await, "Hello, Ada!");
    let asked = stub.seen_on("GET", FUNCTION);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), Some("Basic YWRhOnB3"));

    // The catalog says something else from now on, and then nothing at all: the version does not change.
    stub.on("GET", FUNCTION)
        .answer_with(200, YAML, &greet("Goodbye"));
    host.kill9().await;
    host.restart().await;
    assert_eq!(greeting(&host).await, "Hello, Ada!");
    let again = host.publish(text.clone()).await.expect(200).json();
    assert_eq!(again["digest"], published["digest"]);
    assert_eq!(stub.seen_on("GET", FUNCTION).len(), 1);

    // A new version is made of what is there by then.
    let next = text.replace("version: '1.0.0'", "version: '1.0.1'");
    host.publish(next).await.expect(201);
    assert_eq!(greeting(&host).await, "Goodbye, Ada!");

    // What the function's schema does not allow is an error of the call.
    let run = host.start("test/greets", &json!({})).await;
    let error = host.ended(&run).await["error"].clone();
    assert_eq!(error["status"], 400, "{error:#}");
    assert_eq!(error["instance"], "/do/0/hello/call");
}

#[tokio::test]
async fn what_is_fetched_at_publication_can_be_behind_a_secret() {
    let stub = catalog("Hello").await;
    let host = Host::dev(&[stub.url()]).await;
    let text = calls_the_catalog(&stub)
        .replace(
            "{ basic: { username: ada, password: pw } }",
            "{ basic: { use: shelf } }",
        )
        .replacen("use:\n", "use:\n  secrets: [shelf]\n", 1);
    let problem = host.publish(text.clone()).await.problem(422);
    let said = problem["diagnostics"][0]["message"]
        .as_str()
        .expect("a message");
    assert!(said.contains("no secret `shelf`"), "{said}");
    assert!(stub.seen().is_empty());

    let place = stub.url().trim_start_matches("http://");
    let secret =
        json!({ "value": { "username": "ada", "password": "open-sesame" }, "hosts": [place] });
    host.put("/v1/secrets/shelf", &secret).await.expect(201);
    host.publish(text).await.expect(201);
    let asked = stub.seen_on("GET", FUNCTION);
    assert_eq!(
        asked[0].header("authorization"),
        Some("Basic YWRhOm9wZW4tc2VzYW1l")
    );
    let run = host.start("test/greets", &json!({ "name": "Ada" })).await;
    assert_eq!(host.ended(&run).await["output"]["text"], "Hello, Ada!");
}

#[tokio::test]
async fn what_can_t_be_fetched_is_said_at_its_place_and_nothing_is_stored() {
    let stub = Stub::start().await;
    let host = Host::dev(&[stub.url()]).await;
    let schema = |uri: &str| {
        let tasks = format!(
            "
            - a:
                input: {{ schema: {{ resource: {{ endpoint: '{uri}' }} }} }}
                set: {{ b: 1 }}
            "
        );
        document("refused", &tasks)
    };
    let at = "/do/0/a/input/schema/resource/endpoint";
    for (uri, code, word) in [
        (format!("{}/missing", stub.url()), "unfetched", "404"),
        (
            "https://elsewhere.example/s.json".to_owned(),
            "unfetched",
            "--allow",
        ),
        ("schemas/s.json".to_owned(), "bad-uri", "stands nowhere"),
        (
            "file:///etc/hostname".to_owned(),
            "bad-uri",
            "no files of yours",
        ),
    ] {
        let problem = host.publish(schema(&uri)).await.problem(422);
        let diagnostic = &problem["diagnostics"][0];
        assert_eq!(diagnostic["code"], code, "{problem:#}");
        assert_eq!(diagnostic["pointer"], at, "{problem:#}");
        let said = format!("{} {}", diagnostic["message"], diagnostic["help"]);
        assert!(said.contains(word), "no {word:?} in {said}");
        let validation = host
            .send("POST", "/v1/validate", YAML, schema(&uri))
            .await
            .expect(200)
            .json();
        assert_eq!(validation["diagnostics"], problem["diagnostics"]);
    }
    stub.on("GET", "/large")
        .answer_with(200, &[], &"x".repeat((1 << 20) + 1));
    stub.on("GET", "/none")
        .answer_with(200, &[], "{ type: strange }");
    for (path, word) in [("large", "bytes"), ("none", "no JSON Schema")] {
        let uri = format!("{}/{path}", stub.url());
        let problem = host.publish(schema(&uri)).await.problem(422);
        let message = problem["diagnostics"][0]["message"].to_string();
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(host.all("/v1/workflows").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_document_that_is_a_file_keeps_things_in_files_beside_it() {
    let tasks = "
        - hello:
            call: ./greet.yaml
            with: { name: Ada }
    ";
    let text = document("local", tasks).replace("./greet.yaml", "greet:1.0.0@local");
    let text = text.replacen(
        "do:\n",
        "use: { catalogs: { local: { endpoint: ./catalog } } }\ndo:\n",
        1,
    );
    let (folder, path) = file("local.yaml", &text);
    let function = folder.path().join("catalog/functions/greet/1.0.0");
    std::fs::create_dir_all(&function).expect("made");
    std::fs::write(function.join("function.yaml"), greet("Hello")).expect("written");
    std::fs::write(function.join("schema.json"), SCHEMA).expect("written");
    let path = path.to_str().expect("the path is text");
    let ran = baton(&["run", path]).await.expect(0);
    assert_eq!(ran.json()["text"], "Hello, Ada!");
    baton(&["validate", path]).await.expect(0);

    // Who changes a file beside the document has changed the document, and what is kept is a version.
    let data = folder.path().join("data");
    let kept = ["run", path, "--data", data.to_str().expect("text")];
    for _ in 0..2 {
        baton(&kept).await.expect(0);
    }
    std::fs::write(function.join("function.yaml"), greet("Goodbye")).expect("written");
    let ran = baton(&kept).await;
    assert!(
        ran.code != Some(0) && ran.stderr.contains("published before with other content"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        baton(&["run", path]).await.expect(0).json()["text"],
        "Goodbye, Ada!"
    );

    std::fs::write(function.join("function.yaml"), "set: { a: 1 }\nthn: end\n").expect("written");
    let ran = baton(&["validate", path]).await.expect(1);
    assert!(ran.stderr.contains("function.yaml:2:1"), "{}", ran.stderr);

    let host = Host::dev(&[]).await;
    let problem = host.publish(text).await.problem(422);
    assert_eq!(problem["diagnostics"][0]["code"], "bad-uri", "{problem:#}");
}

#[tokio::test]
async fn validating_offline_says_what_it_has_not_looked_at() {
    let tasks = "
        - a:
            call: https://functions.example/f.yaml
    ";
    let (_folder, path) = file("remote.yaml", &document("remote", tasks));
    let path = path.to_str().expect("the path is text");
    let ran = baton(&["validate", path]).await.expect(0);
    assert!(
        ran.stderr
            .contains("warning[unfetched]: https://functions.example/f.yaml was not looked at"),
        "{}",
        ran.stderr
    );
}

/// One of the specification's examples; none where the specification is not there.
fn example(name: &str) -> Option<String> {
    let Some(folder) = paths::specification() else {
        println!(
            "the example {name} did not run: there is no folder of the specification (BATON_SPEC)"
        );
        return None;
    };
    let path = folder.join("examples").join(name);
    Some(std::fs::read_to_string(path).expect("the example is there"))
}

/// A host that finds these services at the stub.
async fn host_with(services: &[&str], stub: &Stub) -> Host {
    let start = services.iter().fold(Start::default(), |start, service| {
        start
            .allow(service)
            .argument("--testing-rewrite")
            .argument(&format!("{service}={}", stub.url()))
    });
    start.start().await
}

#[tokio::test]
async fn the_example_of_an_inline_function_runs() {
    let Some(text) = example("call-custom-function-inline.yaml") else {
        return;
    };
    let stub = Stub::start().await;
    let pet = json!({ "id": 69, "name": "milou" });
    stub.on("GET", "/v2/pet/69").answer(200, pet.clone());
    let host = host_with(&["https://petstore.swagger.io"], &stub).await;
    let run = host.run_document(&text, &json!({})).await;
    assert_eq!(run["output"], pet, "{run:#}");
    let history = host.history(run["id"].as_str().expect("an id")).await;
    let tasks: Vec<&str> = history
        .iter()
        .filter(|item| item["type"] == "task.started")
        .filter_map(|item| item["task"].as_str())
        .collect();
    assert_eq!(tasks, ["/do/0/getPet", "/do/0/getPet/call"]);
}

#[tokio::test]
async fn the_example_of_a_cataloged_function_runs() {
    let Some(text) = example("call-custom-function-cataloged.yaml") else {
        return;
    };
    let stub = Stub::start().await;
    // What the real function does takes a script; what it is given is what counts here.
    stub.on(
        "GET",
        "/serverlessworkflow/catalog/main/functions/log/1.0.0/function.yaml",
    )
    .answer_with(200, YAML, "set: { logged: '${ .message }' }\n");
    let host = host_with(&["https://raw.githubusercontent.com"], &stub).await;
    let run = host.run_document(&text, &json!({})).await;
    assert_eq!(
        run["output"],
        json!({ "logged": "Hello, world!" }),
        "{run:#}"
    );
}

#[tokio::test]
async fn the_example_of_a_mocked_service_runs() {
    let Some(text) = example("mock-service-extension.yaml") else {
        return;
    };
    let stub = Stub::start().await;
    stub.on("GET", "/sample")
        .answer(200, json!({ "real": true }));
    let host = host_with(&["https://fake.com"], &stub).await;
    // As it stands, the example's own `when` takes an endpoint that is an object for a text. In jq that is an
    // error, which the specification wants to be one of the workflow.
    let run = host.run_document(&text, &json!({})).await;
    assert_eq!(run["error"]["status"], 400, "{run:#}");
    // With the endpoint as a text, it is not mocked; with the mocked service's, it is.
    let endpoint = "endpoint:\n          uri: https://fake.com/sample";
    assert!(text.contains(endpoint));
    let real = text
        .replace(endpoint, "endpoint: https://fake.com/sample")
        .replace("0.1.0", "0.1.1");
    // `$task.with.endpoint.uri` of a text is an error as well, so that the second half goes.
    let half = |text: &str| {
        let (when, _) = text
            .split_once(" or (")
            .expect("the example has two halves");
        let (_, rest) = text.split_once("\n        before:").expect("and tasks");
        format!("{when}\n        before:{rest}")
    };
    let run = host.run_document(&half(&real), &json!({})).await;
    assert_eq!(run["output"], json!({ "real": true }), "{run:#}");
    let mocked = real
        .replace("https://fake.com", "https://mocked.service.com")
        .replace("0.1.1", "0.1.2");
    let run = host.run_document(&half(&mocked), &json!({})).await;
    assert_eq!(run["output"]["content"]["foo"]["bar"], "baz", "{run:#}");
    assert_eq!(stub.seen().len(), 1, "the mocked service is not asked");
}
