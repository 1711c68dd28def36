//! Authenticating with real servers: pages behind Digest (httpbin), and a provider of identities whose tokens an API
//! takes (oidc-provider). The credentials are secrets, so that the values meet what the servers expect of them.

use baton_tests::{Client, Host, Service, Start, paths};
use serde_json::{Value, json};

/// The secret of the provider's clients.
const CLIENT: &str = "correct/horse+battery staple, which is long enough";

/// What has only unreserved characters: see docs/secrets.md for `client_secret_basic`.
const PLAIN_CLIENT: &str = "correct-horse-battery-staple-which-is-long-enough";

/// A host that may call these.
async fn host(services: &[&Service]) -> Host {
    let start = services.iter().fold(Start::default(), |start, service| {
        start.allow(&service.url())
    });
    start.start().await
}

async fn keep(host: &Host, name: &str, service: &Service, value: &Value, public: &Value) {
    let hosts = [format!("127.0.0.1:{}", service.port())];
    let secret = json!({ "value": value, "hosts": hosts, "public": public });
    let kept = host.put(&format!("/v1/secrets/{name}"), &secret).await;
    assert!(kept.status < 300, "{}", kept.text());
}

/// A workflow of one call under a policy, with the secrets that it uses.
fn calling(name: &str, secrets: &str, uri: &str, policy: &str) -> String {
    format!(
        "
document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0' }}
use: {{ secrets: [{secrets}] }}
do:
  - call:
      call: http
      with: {{ method: get, endpoint: {{ uri: '{uri}', authentication: {policy} }} }}
"
    )
}

/// Runs a document that completes, and gives its output.
async fn output(host: &Host, document: &str) -> Value {
    let run = host.run_document(document, &json!({})).await;
    assert_eq!(run["status"], "completed", "{run:#}");
    run["output"].clone()
}

/// Runs a document whose call is not authenticated, and gives the error.
async fn refusal(host: &Host, document: &str) -> Value {
    let run = host.run_document(document, &json!({})).await;
    assert_eq!(run["status"], "faulted", "{run:#}");
    let kind = run["error"]["type"].as_str().unwrap_or_default();
    assert!(kind.ends_with("/authentication"), "{run:#}");
    run["error"].clone()
}

/// What the specification's examples call by name is the provider and its API.
#[tokio::test]
async fn the_examples_of_the_specification_run() {
    let Some(folder) = paths::specification().map(|spec| spec.join("examples")) else {
        println!("the examples did not run: there is no folder of the specification (BATON_SPEC)");
        return;
    };
    let identity = Service::identity().await;
    let places = ["http://keycloak", "https://petstore.swagger.io"];
    let start = places.iter().fold(Start::default(), |start, place| {
        start
            .allow(place)
            .argument("--testing-rewrite")
            .argument(&format!("{place}={}", identity.url()))
    });
    let host = start.start().await;
    let secret = json!({
        "value": {
            "authority": "http://keycloak/realms/fake-authority",
            "endpoints.token": "/auth/token",
            "grant": "client_credentials",
            "client.id": "workflow-runtime-id",
            "client.secret": "workflow-runtime-secret",
        },
        "hosts": ["keycloak"],
        "public": ["authority", "endpoints.token", "grant", "client.id"],
    });
    host.put("/v1/secrets/mySecret", &secret).await.expect(201);
    for scheme in ["oauth2", "oauth2-secret", "oidc", "oidc-secret"] {
        let file = folder.join(format!("authentication-{scheme}.yaml"));
        let text = std::fs::read_to_string(file).expect("the example can be read");
        let run = host.run_document(&text, &json!({ "petId": 1 })).await;
        assert_eq!(run["output"]["name"], "milou", "{scheme}: {run:#}");
    }
}

#[tokio::test]
async fn digest_is_what_httpbin_takes() {
    let pages = Service::pages().await;
    let host = host(&[&pages]).await;
    let login = json!({ "username": "ada", "password": "open-sesame" });
    keep(&host, "login", &pages, &login, &json!(["username"])).await;
    let wrong = json!({ "username": "ada", "password": "guessed" });
    keep(&host, "guess", &pages, &wrong, &json!([])).await;
    for (name, kind) in [
        ("md5", "auth/ada/open-sesame/MD5"),
        ("sha", "auth/ada/open-sesame/SHA-256"),
        ("whole", "auth-int/ada/open-sesame/SHA-256"),
    ] {
        let uri = format!("{}/digest-auth/{kind}", pages.url());
        let document = calling(name, "login", &uri, "{ digest: { use: login } }");
        let once = output(&host, &document).await;
        assert_eq!(once["authenticated"], true, "{once}");
        // The second time, the challenge is known.
        let before = asked(&pages, kind);
        let again = host.start(&format!("test/{name}"), &json!({})).await;
        assert_eq!(host.ended(&again).await["output"], once);
        assert_eq!(asked(&pages, kind) - before, 1, "{kind}");

        let document = calling(
            &format!("{name}-wrong"),
            "guess",
            &uri,
            "{ digest: { use: guess } }",
        );
        refusal(&host, &document).await;
    }
}

/// How often httpbin was asked for a page, as its log says.
fn asked(pages: &Service, page: &str) -> usize {
    let output = pages.output();
    output.lines().filter(|line| line.contains(page)).count()
}

#[tokio::test]
async fn clients_authenticate_with_a_provider_in_each_way() {
    let provider = Service::identity().await;
    let host = host(&[&provider]).await;
    keep(&host, "client", &provider, &json!(CLIENT), &json!([])).await;
    keep(&host, "plain", &provider, &json!(PLAIN_CLIENT), &json!([])).await;
    for (id, secret, method) in [
        ("by-basic", "plain", "client_secret_basic"),
        ("by-post", "client", "client_secret_post"),
        ("by-jwt", "client", "client_secret_jwt"),
    ] {
        let client =
            format!("id: {id}, secret: '${{ $secrets.{secret} }}', authentication: {method}");
        let policy = |grant: &str| {
            let authority = provider.url();
            format!("{{ oauth2: {{ authority: '{authority}', {grant}, client: {{ {client} }} }} }}")
        };
        let uri = format!("{}/api/me", provider.url());
        let document = calling(
            id,
            secret,
            &uri,
            &policy("grant: client_credentials, scopes: [pets:read]"),
        );
        let said = output(&host, &document).await;
        assert_eq!(said["client"], id, "{said}");
        assert_eq!(said["scope"], "pets:read", "{said}");
        // The API gives back the token that it was called with.
        assert_eq!(said["token"], "(concealed)", "{said}");
    }
    let wrong = format!(
        "{{ oauth2: {{ authority: '{}', grant: client_credentials, client: {{ id: by-post, secret: guessed }} }} }}",
        provider.url()
    );
    let uri = format!("{}/api/me", provider.url());
    let error = refusal(&host, &calling("wrong", "", &uri, &wrong)).await;
    let detail = error["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("invalid_client"), "{detail}");
}

#[tokio::test]
async fn people_have_tokens_by_password_and_by_refreshing() {
    let provider = Service::identity().await;
    let host = host(&[&provider]).await;
    let ada = json!({ "password": "open sesame", "client": CLIENT });
    keep(&host, "ada", &provider, &ada, &json!([])).await;
    let client = "client: { id: by-post, secret: '${ $secrets.ada.client }' }";
    let uri = format!("{}/api/me", provider.url());
    let policy = format!(
        "{{ oauth2: {{ authority: '{}', grant: password, username: ada, password: '${{ $secrets.ada.password }}', {client} }} }}",
        provider.url()
    );
    let said = output(&host, &calling("by-password", "ada", &uri, &policy)).await;
    assert_eq!(said["user"], "ada", "{said}");

    let refresh = ask(
        &provider,
        "grant_type=password&username=ada&password=open+sesame",
    )
    .await;
    let refresh = json!({ "token": refresh["refresh_token"] });
    keep(&host, "refresh", &provider, &refresh, &json!([])).await;
    let policy = format!(
        "{{ oauth2: {{ authority: '{}', grant: refresh_token, {client}, subject: {{ token: '${{ $secrets.refresh.token }}', type: 'urn:ietf:params:oauth:token-type:refresh_token' }} }} }}",
        provider.url()
    );
    let said = output(
        &host,
        &calling("by-refreshing", "ada, refresh", &uri, &policy),
    )
    .await;
    assert_eq!(said["user"], "ada", "{said}");
}

/// Asks the provider itself, as the client `by-post`.
async fn ask(provider: &Service, fields: &str) -> Value {
    let client =
        "client_id=by-post&client_secret=correct%2Fhorse%2Bbattery+staple%2C+which+is+long+enough";
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("{fields}&{client}");
    let provider = Client::new(&provider.url(), None);
    let answer = provider.send("POST", "/oauth2/token", &headers, body).await;
    answer.expect(200).json()
}

#[tokio::test]
async fn a_token_is_kept_until_it_is_taken_back() {
    let provider = Service::identity().await;
    let host = host(&[&provider]).await;
    // All of the policy is one secret.
    let policy = json!({
        "authority": provider.url(), "grant": "client_credentials", "client.id": "by-post", "client.secret": CLIENT,
    });
    let public = json!(["authority", "grant", "client.id"]);
    keep(&host, "policy", &provider, &policy, &public).await;
    let uri = format!("{}/api/me", provider.url());
    let document = calling("kept", "policy", &uri, "{ oidc: { use: policy } }");
    let first = output(&host, &document).await;
    assert_eq!(first["client"], "by-post", "{first}");
    let again = async || {
        let run = host.start("test/kept", &json!({})).await;
        host.ended(&run).await["output"].clone()
    };
    assert_eq!(again().await, first, "no other token was asked for");

    let outside = Client::new(&provider.url(), None);
    outside.post("/forget", &json!({})).await.expect(200);
    let fresh = again().await;
    let count = |said: &Value| said["count"].as_u64().expect("a number");
    assert_eq!(count(&fresh), count(&first) + 1, "{fresh}");
    assert_eq!(again().await, fresh);
}

#[tokio::test]
async fn a_provider_is_who_it_has_to_be() {
    let provider = Service::identity().await;
    let host = host(&[&provider]).await;
    let uri = format!("{}/api/me", provider.url());
    let policy = format!(
        "{{ oidc: {{ authority: '{}', grant: client_credentials, issuers: ['https://else.example'], client: {{ id: by-post, secret: x }} }} }}",
        provider.url()
    );
    let error = refusal(&host, &calling("elsewhere", "", &uri, &policy)).await;
    let detail = error["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("says that the issuer is"), "{detail}");
}
