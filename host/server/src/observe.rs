//! Around every request: its id, the log, panics, and problems in their final form.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use baton_api::problem::PROBLEM_JSON;
use baton_api::{Problem, routes};
use futures_util::FutureExt;

use crate::auth::Caller;
use crate::refusal::Refusal;

/// The header that carries a request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long an id may be that a client has given its request.
const GIVEN_ID_MAX: usize = 128;

/// What a handler tells the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed(Arc<OnceLock<Caller>>);

impl Observed {
    /// Says who asks.
    pub(crate) fn caller_is(&self, caller: &Caller) {
        // A handler that asks for its caller twice learns the same.
        let _ = self.0.set(caller.clone());
    }
}

/// What the log says of a request besides its answer.
struct Seen {
    id: String,
    method: String,
    path: String,
    route: String,
    observed: Observed,
    started: Instant,
}

/// The outermost layer.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let seen = Seen {
        id: given_id(request.headers()).unwrap_or_else(|| uuid::Uuid::now_v7().to_string()),
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        route: request
            .extensions()
            .get::<MatchedPath>()
            .map_or("-", MatchedPath::as_str)
            .to_owned(),
        observed: Observed::default(),
        started: Instant::now(),
    };
    request.extensions_mut().insert(seen.observed.clone());

    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response =
        answer.unwrap_or_else(|panic| Refusal::internal(panic_message(&*panic)).into_response());
    let refusal = response.extensions_mut().remove::<Refusal>();
    log(&seen, &response, refusal.as_ref());
    if let Some(refusal) = refusal {
        response = write(response, *refusal.problem, &seen);
    }

    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&seen.id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    // Answers belong to the tenant; no cache between here and there may keep one.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Puts the problem into the body of the response.
fn write(response: Response, mut problem: Problem, seen: &Seen) -> Response {
    problem.instance = Some(seen.path.clone());
    problem.request_id = Some(seen.id.clone());
    // Strings and numbers always make JSON.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}

fn log(seen: &Seen, response: &Response, refusal: Option<&Refusal>) {
    let status = response.status().as_u16();
    let caller = seen.observed.0.get();
    let tenant = caller.map_or("-", |caller| caller.tenant.as_str());
    let token = caller.map_or("-", |caller| caller.name.as_str());
    let latency_us = u64::try_from(seen.started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let (method, route, id) = (&*seen.method, &*seen.route, &*seen.id);
    let problem = refusal.map(|refusal| &*refusal.problem.type_uri);
    match refusal.and_then(|refusal| refusal.internal.as_deref()) {
        Some(internal) => {
            tracing::error!(
                tenant, token, method, route, status, latency_us, id, problem, internal, "request"
            );
        }
        // Whoever watches a host's health asks every few seconds.
        None if matches!(route, routes::HEALTH | routes::READY) => {
            tracing::debug!(
                tenant, token, method, route, status, latency_us, id, problem, "request"
            );
        }
        None => tracing::info!(
            tenant, token, method, route, status, latency_us, id, problem, "request"
        ),
    }
}

/// The id that the client gave the request, if it is one that a log line can take.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let fits =
        (1..=GIVEN_ID_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| id.to_owned())
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!(
        "a handler panicked: {}",
        text.as_deref().unwrap_or("without a message")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::get;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn ask(path: &str, id: Option<&str>) -> (HeaderMap, u16, String) {
        let router = Router::new()
            .route("/fine", get(|| async { "fine" }))
            .route("/refused", get(|| async { Refusal::not_found("gone") }))
            .route(
                "/internal",
                get(|| async { Refusal::internal("/var/lib/secret") }),
            )
            .route("/panics", get(panics))
            .layer(axum::middleware::from_fn(observe));
        let mut request = Request::builder().uri(path);
        if let Some(id) = id {
            request = request.header(REQUEST_ID, id);
        }
        let response = router
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (
            parts.headers,
            parts.status.as_u16(),
            String::from_utf8(body.to_vec()).unwrap(),
        )
    }

    async fn panics() -> &'static str {
        panic!("at the disco")
    }

    #[tokio::test]
    async fn every_answer_has_an_id_and_is_kept_by_no_cache() {
        for path in ["/fine", "/refused", "/panics", "/nowhere"] {
            let (headers, ..) = ask(path, None).await;
            assert!(!headers[REQUEST_ID].is_empty(), "{path}");
            assert_eq!(headers[CACHE_CONTROL], "no-store", "{path}");
        }
    }

    #[tokio::test]
    async fn an_id_of_the_client_is_kept_if_a_log_can_take_it() {
        assert_eq!(ask("/fine", Some("a-1")).await.0[REQUEST_ID], "a-1");
        for bad in ["", "a b", &"x".repeat(GIVEN_ID_MAX + 1)] {
            assert_ne!(ask("/fine", Some(bad)).await.0[REQUEST_ID], bad, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_written_as_a_problem() {
        let (headers, status, body) = ask("/refused", Some("a-1")).await;
        assert_eq!(
            (status, headers[CONTENT_TYPE].to_str().unwrap()),
            (404, PROBLEM_JSON)
        );
        let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
        let expected = serde_json::json!({
            "type": "urn:baton:problem:not-found", "title": "there is no such thing", "status": 404,
            "detail": "gone", "instance": "/refused", "requestId": "a-1",
        });
        assert_eq!(problem, expected);
    }

    #[tokio::test]
    async fn what_is_internal_stays_inside() {
        for path in ["/internal", "/panics"] {
            let (_, status, body) = ask(path, None).await;
            assert_eq!(status, 500, "{path}");
            assert!(body.contains("urn:baton:problem:internal"), "{body}");
            assert!(
                !body.contains("secret") && !body.contains("disco"),
                "{body}"
            );
        }
    }
}
