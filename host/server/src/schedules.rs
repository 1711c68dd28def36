//! Schedules: list, read, pause, resume.

use axum::Json;
use axum::extract::{Request, State};
use baton_api::page::Page;
use baton_api::schedule::Schedule;

use crate::auth::Caller;
use crate::convert;
use crate::page::{self, CURSOR, LIMIT};
use crate::path::Segments;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::router::Context;

pub(crate) async fn list(
    State(context): State<Context>,
    caller: Caller,
    request: Request,
) -> Result<Json<Page<Schedule>>, Refusal> {
    let query = Query::read(request.uri(), &[CURSOR, LIMIT])?;
    let limit = page::limit(&query)?;
    let found = context
        .engine
        .schedules(&caller.tenant, query.text(CURSOR), limit)
        .await?;
    Ok(Json(convert::page(found, convert::schedule)))
}

pub(crate) async fn read(
    State(context): State<Context>,
    caller: Caller,
    Segments((namespace, name)): Segments<(String, String)>,
    request: Request,
) -> Result<Json<Schedule>, Refusal> {
    Query::read(request.uri(), &[])?;
    let found = context
        .engine
        .schedule(&caller.tenant, &namespace, &name)
        .await?;
    let found = found.ok_or(baton_engine::ScheduleError::NotFound)?;
    Ok(Json(convert::schedule(found)))
}

pub(crate) async fn pause(
    State(context): State<Context>,
    caller: Caller,
    Segments((namespace, name)): Segments<(String, String)>,
    request: Request,
) -> Result<Json<Schedule>, Refusal> {
    Query::read(request.uri(), &[])?;
    let now = context
        .engine
        .pause_schedule(&caller.tenant, &namespace, &name, &caller.name)
        .await?;
    Ok(Json(convert::schedule(now)))
}

pub(crate) async fn resume(
    State(context): State<Context>,
    caller: Caller,
    Segments((namespace, name)): Segments<(String, String)>,
    request: Request,
) -> Result<Json<Schedule>, Refusal> {
    Query::read(request.uri(), &[])?;
    let now = context
        .engine
        .resume_schedule(&caller.tenant, &namespace, &name)
        .await?;
    Ok(Json(convert::schedule(now)))
}
