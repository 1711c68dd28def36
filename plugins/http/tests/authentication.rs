//! Digest, OAuth 2 and OpenID Connect against a scripted network: what is sent, and what is kept.

use std::cell::RefCell;

use http::{Arguments, Failure, Kind, call};
use outgoing::authentication::Environment;
use outgoing::authentication::testing::Host;
use outgoing::{Request, Response};
use serde_json::{Value, json};

fn answer(status: u16, headers: &[(&str, &str)], body: &Value) -> Response {
    let mut headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    headers.push(("content-type".to_owned(), "application/json".to_owned()));
    Response {
        status,
        headers,
        body: body.to_string().into_bytes(),
    }
}

/// Calls with a policy; `server` answers.
fn exchange(
    host: &Host,
    policy: &Value,
    server: impl Fn(&Request) -> Response,
) -> (Vec<Request>, Result<String, Failure>) {
    let requests = RefCell::new(Vec::new());
    let network = |request: &Request| {
        requests.borrow_mut().push(request.clone());
        Ok(server(request))
    };
    let endpoint = json!({ "uri": "https://api.test/x?y=1", "authentication": policy });
    let arguments = Arguments {
        method: "get".to_owned(),
        endpoint: endpoint.to_string(),
        ..Arguments::default()
    };
    let result = call(&arguments, &network, host);
    (requests.into_inner(), result)
}

fn authorization(request: &Request) -> &str {
    request.header("authorization").unwrap_or_default()
}

fn body(request: &Request) -> String {
    String::from_utf8(request.body.clone().unwrap_or_default()).expect("text")
}

#[test]
fn a_challenge_is_met_and_met_again_at_once() {
    let host = Host::default();
    let policy = json!({ "digest": { "username": "ada", "password": "pw" } });
    let challenge = r#"Digest realm="r", nonce="n1", qop="auth", algorithm=SHA-256, opaque="o""#;
    let server = |request: &Request| match authorization(request) {
        "" => answer(401, &[("www-authenticate", challenge)], &json!({})),
        _ => answer(200, &[], &json!("in")),
    };
    let (requests, result) = exchange(&host, &policy, server);
    assert_eq!(
        (requests.len(), result.expect("in").as_str()),
        (2, "\"in\"")
    );
    let sent = authorization(&requests[1]);
    for part in [
        r#"Digest username="ada", realm="r", nonce="n1", uri="/x?y=1""#,
        "algorithm=SHA-256",
        r#"opaque="o""#,
        "qop=auth, nc=00000001",
    ] {
        assert!(sent.contains(part), "{part} in {sent}");
    }
    let (requests, _) = exchange(&host, &policy, server);
    assert_eq!(requests.len(), 1, "the challenge is known");
    assert!(authorization(&requests[0]).contains("nc=00000002"));
}

#[test]
fn credentials_that_are_not_taken_are_an_authentication_failure() {
    let policy = json!({ "digest": { "username": "ada", "password": "pw" } });
    let challenge = r#"Digest realm="r", nonce="n1""#;
    let server = |_: &Request| answer(401, &[("www-authenticate", challenge)], &json!({}));
    let (requests, result) = exchange(&Host::default(), &policy, server);
    assert_eq!(requests.len(), 2);
    assert_eq!(result.expect_err("refused").kind, Kind::Authentication);
}

fn client_credentials(more: &Value) -> Value {
    let mut policy = json!({
        "authority": "https://id.test/realm/", "grant": "client_credentials",
        "client": { "id": "me", "secret": "s&t" }, "scopes": ["a", "b"],
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        policy[name] = value.clone();
    }
    json!({ "oauth2": policy })
}

fn is_token_request(request: &Request) -> bool {
    request.method == "POST"
}

#[test]
fn a_token_is_asked_for_kept_and_renewed_once() {
    let host = Host::default();
    let tokens = RefCell::new(0);
    let server = |request: &Request| {
        if is_token_request(request) {
            *tokens.borrow_mut() += 1;
            let token = format!("token-{}", tokens.borrow());
            return answer(
                200,
                &[],
                &json!({ "access_token": token, "expires_in": 300 }),
            );
        }
        // The first token is revoked after its first use.
        match (authorization(request), *tokens.borrow()) {
            ("Bearer token-1", 1) if host.kept.borrow().contains_key("revoked") => {
                answer(401, &[], &json!({}))
            }
            (token, _) => answer(200, &[], &json!({ "echo": token })),
        }
    };
    let policy = client_credentials(&json!({}));
    let (requests, result) = exchange(&host, &policy, server);
    assert_eq!(
        requests[0].uri.as_str(),
        "https://id.test/realm/oauth2/token"
    );
    assert_eq!(
        body(&requests[0]),
        "grant_type=client_credentials&scope=a%20b&client_id=me&client_secret=s%26t"
    );
    assert_eq!(authorization(&requests[1]), "Bearer token-1");
    assert_eq!(result.expect("in"), r#"{"echo":"Bearer (concealed)"}"#);
    let kept = host.kept.borrow().values().next().cloned();
    assert_eq!(kept, Some(("token-1".to_owned(), 270_000)));

    assert_eq!(
        exchange(&host, &policy, server).0.len(),
        1,
        "the token is kept"
    );
    host.remember("revoked", "", 1);
    let (requests, result) = exchange(&host, &policy, server);
    assert_eq!(requests.len(), 3);
    assert_eq!(authorization(&requests[2]), "Bearer token-2");
    result.expect("in");
}

#[test]
fn clients_authenticate_as_they_are_told() {
    let asked = |more: Value| {
        let server = |request: &Request| match is_token_request(request) {
            true => answer(200, &[], &json!({ "access_token": "t" })),
            false => answer(200, &[], &json!({})),
        };
        let (requests, result) = exchange(&Host::default(), &client_credentials(&more), server);
        result.expect("in");
        requests[0].clone()
    };
    let with = |method: &str| json!({ "client": { "id": "me", "secret": "s&t", "authentication": method } });
    let basic = asked(with("client_secret_basic"));
    assert_eq!(authorization(&basic), "Basic bWU6cyUyNnQ=");
    assert_eq!(body(&basic), "grant_type=client_credentials&scope=a%20b");
    assert_eq!(
        body(&asked(with("none"))),
        "grant_type=client_credentials&scope=a%20b&client_id=me"
    );
    let signed = body(&asked(with("client_secret_jwt")));
    assert!(
        signed.contains("client_assertion=ey") && !signed.contains("secret="),
        "{signed}"
    );
    let assertion = json!({ "client": { "id": "me", "assertion": "a.b.c", "authentication": "private_key_jwt" } });
    assert!(body(&asked(assertion)).ends_with("client_assertion=a.b.c"));
    let other = asked(json!({
        "endpoints": { "token": "/auth/token" }, "audiences": ["x", "y"], "request": { "encoding": "application/json" },
    }));
    assert_eq!(other.uri.as_str(), "https://id.test/realm/auth/token");
    let sent: Value = serde_json::from_str(&body(&other)).expect("JSON");
    assert_eq!(sent["audience"], json!(["x", "y"]));
}

#[test]
fn other_grants_ask_with_what_they_are_given() {
    let asked = |more: Value| {
        let server = |request: &Request| match is_token_request(request) {
            true => answer(200, &[], &json!({ "access_token": "t" })),
            false => answer(200, &[], &json!({})),
        };
        let (requests, result) = exchange(&Host::default(), &client_credentials(&more), server);
        result
            .map(|_| body(&requests[0]))
            .map_err(|failure| failure.detail)
    };
    let password = asked(json!({ "grant": "password", "username": "ada", "password": "pw" }));
    assert!(
        password
            .expect("asked")
            .starts_with("grant_type=password&username=ada&password=pw")
    );
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    let token = json!({ "token": "st", "type": "urn:x" });
    let exchanged = asked(json!({ "grant": exchange, "subject": token, "actor": token }));
    let expected =
        "subject_token=st&subject_token_type=urn%3Ax&actor_token=st&actor_token_type=urn%3Ax";
    assert!(exchanged.expect("asked").contains(expected));
    let refreshed = asked(json!({ "grant": "refresh_token", "subject": token }));
    assert!(refreshed.expect("asked").contains("refresh_token=st"));
    for grant in ["password", "refresh_token", exchange] {
        let missing = asked(json!({ "grant": grant })).expect_err("refused");
        assert!(missing.contains("needs"), "{missing}");
    }
}

#[test]
fn a_server_that_says_no_is_an_authentication_failure_that_says_what_it_said() {
    let said = json!({ "error": "invalid_client", "error_description": "who are you" });
    let server = |_: &Request| answer(401, &[], &said);
    let (_, result) = exchange(&Host::default(), &client_credentials(&json!({})), server);
    let failure = result.expect_err("refused");
    assert_eq!(failure.kind, Kind::Authentication);
    assert!(
        failure.detail.contains("401: invalid_client: who are you"),
        "{}",
        failure.detail
    );
}

#[test]
fn a_server_is_found_out_about_and_must_be_the_one() {
    let policy = |issuers: Value| {
        json!({ "oidc": {
            "authority": "https://id.test/realm", "grant": "client_credentials",
            "client": { "id": "me", "secret": "s" }, "issuers": issuers,
        } })
    };
    let found =
        json!({ "issuer": "https://id.test/realm", "token_endpoint": "https://id.test/token" });
    let server = |request: &Request| match request.uri.path().as_str() {
        "/realm/.well-known/openid-configuration" => answer(200, &[], &found),
        "/token" => answer(200, &[], &json!({ "access_token": "t" })),
        _ => answer(200, &[], &json!({})),
    };
    let (requests, result) = exchange(&Host::default(), &policy(json!([])), server);
    result.expect("in");
    assert_eq!(requests[1].uri.as_str(), "https://id.test/token");
    let (_, result) = exchange(
        &Host::default(),
        &policy(json!(["https://other.test"])),
        server,
    );
    let failure = result.expect_err("refused");
    assert_eq!(failure.kind, Kind::Authentication);
    assert!(
        failure
            .detail
            .contains("the issuer is `https://id.test/realm`"),
        "{}",
        failure.detail
    );
}
