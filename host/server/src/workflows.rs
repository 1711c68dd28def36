//! Workflows: publish, list, read.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, VARY,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use baton_api::page::Page;
use baton_api::routes;
use baton_api::workflow::WorkflowSummary;
use baton_engine::{WorkflowFilter, WorkflowView};

use crate::auth::Caller;
use crate::page::{self, CURSOR, LIMIT};
use crate::path::Segments;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::router::Context;
use crate::{body, convert};

pub(crate) async fn publish(
    State(context): State<Context>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri(), &[])?;
    let held = body::read(&context, &caller, request, body::DOCUMENT).await?;
    let published = convert::published(context.engine.publish(&caller.tenant, held.text()?).await?);
    let status = if published.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let reference = &published.workflow;
    let location =
        routes::workflow_version(&reference.namespace, &reference.name, &reference.version);
    Ok((status, [(LOCATION, location)], Json(published)).into_response())
}

pub(crate) async fn list(
    State(context): State<Context>,
    caller: Caller,
    request: Request,
) -> Result<Json<Page<WorkflowSummary>>, Refusal> {
    let query = Query::read(request.uri(), &["namespace", "name", CURSOR, LIMIT])?;
    let filter = WorkflowFilter {
        namespace: query.text("namespace").map(str::to_owned),
        name: query.text("name").map(str::to_owned),
    };
    let limit = page::limit(&query)?;
    let found = context
        .engine
        .workflows(&caller.tenant, &filter, query.text(CURSOR), limit)
        .await?;
    Ok(Json(convert::page(found, convert::workflow_summary)))
}

pub(crate) async fn highest(
    State(context): State<Context>,
    caller: Caller,
    Segments((namespace, name)): Segments<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri(), &[])?;
    read(
        &context,
        &caller,
        (&namespace, &name, None),
        request.headers().clone(),
    )
    .await
}

pub(crate) async fn version(
    State(context): State<Context>,
    caller: Caller,
    Segments((namespace, name, version)): Segments<(String, String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri(), &[])?;
    let which = (&*namespace, &*name, Some(&*version));
    read(&context, &caller, which, request.headers().clone()).await
}

/// Takes the headers alone: a request's body can't be shared between threads, and an answer awaits the engine.
async fn read(
    context: &Context,
    caller: &Caller,
    (namespace, name, version): (&str, &str, Option<&str>),
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let found = context
        .engine
        .workflow(&caller.tenant, namespace, name, version)
        .await?;
    let workflow = found.ok_or_else(|| {
        let version = version
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        Refusal::no_workflow(&format!("there is no workflow {namespace}/{name}{version}"))
    })?;
    let mut response = match prefers_yaml(&headers) {
        true => text(workflow, &headers),
        false => Json(convert::workflow(workflow)).into_response(),
    };
    response.headers_mut().insert(VARY, ACCEPT.into());
    Ok(response)
}

/// The text byte for byte, or nothing where the client has it already (RFC 9110 section 13.1.2).
fn text(workflow: WorkflowView, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", workflow.summary.reference.digest);
    let validators = [
        (ETAG, tag.clone()),
        (CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    if headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .any(|value| names_tag(&String::from_utf8_lossy(value.as_bytes()), &tag))
    {
        return (StatusCode::NOT_MODIFIED, validators).into_response();
    }
    (
        validators,
        [(CONTENT_TYPE, "application/yaml")],
        workflow.text,
    )
        .into_response()
}

/// Whether a value of `If-None-Match` names the tag; compared weakly, as that header is.
fn names_tag(value: &str, tag: &str) -> bool {
    value
        .split(',')
        .map(str::trim)
        .any(|other| other == "*" || other.trim_start_matches("W/") == tag)
}

/// Whether the client prefers the text over JSON (RFC 9110 section 12.5.1): a YAML type with a greater
/// weight than what JSON gets.
fn prefers_yaml(headers: &HeaderMap) -> bool {
    let (mut yaml, mut json) = (0.0_f32, 0.0_f32);
    for value in headers.get_all(ACCEPT) {
        for range in String::from_utf8_lossy(value.as_bytes()).split(',') {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts
                .find_map(|part| part.strip_prefix("q=")?.parse().ok())
                .unwrap_or(1.0);
            match name.as_str() {
                "application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml" => {
                    yaml = yaml.max(weight);
                }
                "application/json" | "application/*" | "*/*" => json = json.max(weight),
                _ => {}
            }
        }
    }
    // A client that lists both with the same weight and names YAML first is rare; one that sends
    // `application/yaml, */*` isn't, and means YAML.
    yaml > 0.0 && yaml >= json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_given_to_whom_asks_for_it() {
        let prefers =
            |accept: &str| prefers_yaml(&[(ACCEPT, accept.parse().unwrap())].into_iter().collect());
        for accept in [
            "application/yaml",
            "text/yaml;q=0.9, application/json;q=0.8",
            "application/yaml, */*",
        ] {
            assert!(prefers(accept), "{accept}");
        }
        for accept in [
            "application/json",
            "*/*",
            "text/html",
            "application/json, application/yaml;q=0.1",
            "",
        ] {
            assert!(!prefers(accept), "{accept}");
        }
        assert!(!prefers_yaml(&HeaderMap::new()));
    }

    #[test]
    fn tags_are_found_in_lists() {
        for value in ["\"a\"", "\"b\", \"a\"", "W/\"a\"", "*"] {
            assert!(names_tag(value, "\"a\""), "{value}");
        }
        for value in ["", "a", "\"b\"", "\"ab\""] {
            assert!(!names_tag(value, "\"a\""), "{value}");
        }
    }
}
