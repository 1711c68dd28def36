//! Runs: start, list, read, history, and control.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use baton_api::history::HistoryItem;
use baton_api::page::Page;
use baton_api::run::{CancelRun, ControlRun, RestartRun, RetryRun, Run, RunSummary, StartRun};
use baton_api::{ProblemKind, limits, routes};
use baton_engine::{RunFilter, RunId, RunView};

use crate::auth::Caller;
use crate::page::{self, CURSOR, LIMIT};
use crate::path::{self, Segments};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::router::{Context, has_stopped};
use crate::{body, convert, prefer};

pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

pub(crate) async fn start(
    State(context): State<Context>,
    caller: Caller,
    Segments((namespace, name)): Segments<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri(), &[])?;
    let wait = prefer::wait(request.headers())?;
    let idempotency_key = idempotency_key(request.headers())?;
    let StartRun {
        input,
        version,
        tags,
    } = body::read_json_or_default(&context, &caller, request, body::INPUT).await?;
    let request = baton_engine::StartRun {
        namespace,
        name,
        version,
        input,
        tags,
        idempotency_key,
    };
    let run = context.engine.start(&caller.tenant, request).await?;
    answer_started(&context, &caller, run, wait).await
}

/// A run that has just been started; when it has ended, where the client wants to wait for that.
async fn answer_started(
    context: &Context,
    caller: &Caller,
    mut run: RunView,
    wait: Option<Duration>,
) -> Result<Response, Refusal> {
    if let Some(wait) = wait {
        run = hold_back(context, caller, &run.id, wait)
            .await?
            .unwrap_or(run);
    }
    let ended = wait.is_some() && convert::status(run.status).is_ended();
    let status = if ended {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let location = routes::run(&run.id.to_string());
    Ok((status, [(LOCATION, location)], answer(run, wait)).into_response())
}

pub(crate) async fn list(
    State(context): State<Context>,
    caller: Caller,
    request: Request,
) -> Result<Json<Page<RunSummary>>, Refusal> {
    let known = [
        "status",
        "workflow",
        "tag",
        "parent",
        "restartOf",
        "startedAfter",
        "startedBefore",
        CURSOR,
        LIMIT,
    ];
    let query = Query::read(request.uri(), &known)?;
    let filter = RunFilter {
        status: query.parsed("status", convert::status_of_name)?,
        workflow: query.parsed("workflow", |text| pair(text, '/', "namespace/name"))?,
        tag: query.parsed("tag", |text| pair(text, '=', "key=value"))?,
        parent: query.parsed("parent", str::parse)?,
        restart_of: query.parsed("restartOf", str::parse)?,
        started_after: query.parsed("startedAfter", convert::time_of_text)?,
        started_before: query.parsed("startedBefore", convert::time_of_text)?,
    };
    let limit = page::limit(&query)?;
    let found = context
        .engine
        .runs(&caller.tenant, &filter, query.text(CURSOR), limit)
        .await?;
    Ok(Json(convert::page(found, convert::run_summary)))
}

pub(crate) async fn read(
    State(context): State<Context>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri(), &[])?;
    let wait = prefer::wait(request.headers())?;
    let run = path::run(&id)?;
    let found = match wait {
        Some(wait) => hold_back(&context, &caller, &run, wait).await?,
        None => context.engine.run(&caller.tenant, &run).await?,
    };
    let found = found.ok_or_else(|| path::no_such_run(&id))?;
    let awaited = context.engine.awaited(&caller.tenant, &run).await;
    let awaited = awaited.into_iter().flatten();
    let run = Run {
        waits_for: awaited.map(convert::waits_for).collect(),
        ..convert::run(found)
    };
    Ok(answer_whole(run, wait).into_response())
}

pub(crate) async fn history(
    State(context): State<Context>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Result<Json<Page<HistoryItem>>, Refusal> {
    let query = Query::read(request.uri(), &[CURSOR, LIMIT])?;
    let run = path::run(&id)?;
    let limit = page::limit(&query)?;
    // A cursor of another run's history would skip lines of this one.
    let list = format!("history-{run}");
    let after = page::decode(&query, &list)?
        .and_then(|last| last.parse().ok())
        .unwrap_or(0);
    let found = context
        .engine
        .history(&caller.tenant, &run, after, limit)
        .await?;
    let notes = found.ok_or_else(|| path::no_such_run(&id))?;
    // A full page may be the last one, which only the next one tells; that one is empty then.
    let next = notes
        .last()
        .filter(|_| notes.len() == limit)
        .map(|last| page::encode(&list, &last.seq.to_string()));
    Ok(Json(Page {
        items: notes.into_iter().map(convert::history_item).collect(),
        next,
    }))
}

pub(crate) async fn cancel(
    State(context): State<Context>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri(), &[])?;
    let run = path::run(&id)?;
    let CancelRun { reason, compensate } =
        body::read_json_or_default(&context, &caller, request, body::SMALL).await?;
    let (engine, tenant, by) = (&context.engine, &caller.tenant, &caller.name);
    let cancelled = match compensate {
        true => engine.cancel(tenant, &run, by, reason.as_deref()).await,
        false => engine.stop(tenant, &run, by, reason.as_deref()).await,
    };
    match cancelled {
        Ok(run) => Ok(answer(run, None).into_response()),
        // Who asks twice has what they asked for.
        Err(baton_engine::ControlError::Ended(baton_engine::Status::Cancelled)) => {
            let found = context.engine.run(&caller.tenant, &run).await?;
            Ok(answer(found.ok_or_else(|| path::no_such_run(&id))?, None).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn suspend(
    State(context): State<Context>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri(), &[])?;
    let run = path::run(&id)?;
    let ControlRun { reason } =
        body::read_json_or_default(&context, &caller, request, body::SMALL).await?;
    let suspended = context
        .engine
        .suspend(&caller.tenant, &run, &caller.name, reason.as_deref())
        .await?;
    Ok(answer(suspended, None).into_response())
}

pub(crate) async fn resume(
    State(context): State<Context>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri(), &[])?;
    let run = path::run(&id)?;
    let ControlRun { reason } =
        body::read_json_or_default(&context, &caller, request, body::SMALL).await?;
    let resumed = context
        .engine
        .resume(&caller.tenant, &run, &caller.name, reason.as_deref())
        .await?;
    Ok(answer(resumed, None).into_response())
}

pub(crate) async fn retry(
    State(context): State<Context>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri(), &[])?;
    let run = path::run(&id)?;
    let RetryRun { version, reason } =
        body::read_json_or_default(&context, &caller, request, body::SMALL).await?;
    let (engine, tenant, by) = (&context.engine, &caller.tenant, &caller.name);
    let retried = engine.retry(tenant, &run, version, by, reason.as_deref());
    Ok(answer(retried.await?, None).into_response())
}

pub(crate) async fn restart(
    State(context): State<Context>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri(), &[])?;
    let run = path::run(&id)?;
    let wait = prefer::wait(request.headers())?;
    let key = idempotency_key(request.headers())?;
    let RestartRun { version } =
        body::read_json_or_default(&context, &caller, request, body::SMALL).await?;
    let (engine, tenant, by) = (&context.engine, &caller.tenant, &caller.name);
    let started = engine.restart(tenant, &run, version, by, key).await?;
    answer_started(&context, &caller, started, wait).await
}

pub(crate) async fn delete(
    State(context): State<Context>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    Query::read(request.uri(), &[])?;
    let run = path::run(&id)?;
    context.engine.delete(&caller.tenant, &run).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The run when it has ended, or as it is after `wait` or when the server stops.
async fn hold_back(
    context: &Context,
    caller: &Caller,
    run: &RunId,
    wait: Duration,
) -> Result<Option<RunView>, Refusal> {
    let stopping = context.stopping.clone();
    tokio::select! {
        found = context.engine.wait(&caller.tenant, run, wait) => Ok(found?),
        () = has_stopped(stopping) => Ok(context.engine.run(&caller.tenant, run).await?),
    }
}

fn answer(run: RunView, wait: Option<Duration>) -> impl IntoResponse {
    answer_whole(convert::run(run), wait)
}

fn answer_whole(run: Run, wait: Option<Duration>) -> impl IntoResponse {
    let mut headers = HeaderMap::new();
    if let Some(wait) = wait {
        headers.insert(PREFERENCE_APPLIED, prefer::applied(wait));
    }
    (headers, Json(run))
}

/// `Idempotency-Key`, bare or as a quoted string (draft-ietf-httpapi-idempotency-key-header).
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    let key = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(&text);
    let fits = (1..=limits::IDEMPOTENCY_KEY_MAX).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        return Ok(Some(key.to_owned()));
    }
    let detail = format!(
        "`Idempotency-Key`: expected 1 to {} visible ASCII characters",
        limits::IDEMPOTENCY_KEY_MAX
    );
    Err(Refusal::new(ProblemKind::InvalidHeader, detail))
}

/// Two parts around a separator, neither of them empty.
fn pair(text: &str, separator: char, expected: &str) -> Result<(String, String), String> {
    match text.split_once(separator) {
        Some((one, other)) if !one.is_empty() && !other.is_empty() => {
            Ok((one.to_owned(), other.to_owned()))
        }
        _ => Err(format!("expected `{expected}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_bounded_and_visible() {
        let read = |value: &[u8]| {
            let value = axum::http::HeaderValue::from_bytes(value).unwrap();
            idempotency_key(
                &[(HeaderName::from_static("idempotency-key"), value)]
                    .into_iter()
                    .collect(),
            )
        };
        let long = "k".repeat(limits::IDEMPOTENCY_KEY_MAX);
        for (value, key) in [("a-1", "a-1"), ("\"a-1\"", "a-1"), (&long, &long)] {
            assert_eq!(read(value.as_bytes()).unwrap().as_deref(), Some(key));
        }
        for value in ["", "\"\"", "a b", &format!("{long}k"), "ä"] {
            assert!(read(value.as_bytes()).is_err(), "{value}");
        }
        assert_eq!(idempotency_key(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn pairs_have_two_parts() {
        let both = |one: &str, other: &str| Ok((one.to_owned(), other.to_owned()));
        assert_eq!(pair("it/hello", '/', "namespace/name"), both("it", "hello"));
        assert_eq!(pair("a=b=c", '=', "key=value"), both("a", "b=c"));
        for text in ["", "a", "=b", "a="] {
            assert_eq!(
                pair(text, '=', "key=value"),
                Err("expected `key=value`".to_owned()),
                "{text}"
            );
        }
    }
}
