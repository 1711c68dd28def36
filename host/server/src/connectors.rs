//! Connectors: install, list, read, remove, grant, call.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use baton_api::connector::{CallFunction, CallResult, Connector, ConnectorSummary, Grants};
use baton_api::page::Page;
use baton_api::routes;

use crate::auth::Caller;
use crate::page::{self, CURSOR, LIMIT};
use crate::path::Segments;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::router::Context;
use crate::{body, convert};

/// What cursors of the list say that they are of.
const LIST: &str = "connectors";

pub(crate) async fn install(
    State(context): State<Context>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let query = Query::read(request.uri(), &["name"])?;
    let held = body::read(&context, &caller, request, body::COMPONENT).await?;
    let installed = context
        .engine
        .install(&caller.tenant, query.text("name"), held.bytes.to_vec())
        .await?;
    let status = if installed.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let connector = convert::connector(installed.connector);
    let location = routes::connector(&connector.summary.name);
    Ok((status, [(LOCATION, location)], Json(connector)).into_response())
}

pub(crate) async fn list(
    State(context): State<Context>,
    caller: Caller,
    request: Request,
) -> Result<Json<Page<ConnectorSummary>>, Refusal> {
    let query = Query::read(request.uri(), &[CURSOR, LIMIT])?;
    let after = page::decode(&query, LIST)?;
    let limit = page::limit(&query)?;
    let all = context.engine.connectors(&caller.tenant).await?;
    let page = page::cut(LIST, all, after.as_deref(), limit, |connector| {
        &connector.reference.name
    });
    Ok(Json(
        page.map(|connector| convert::connector(connector).summary),
    ))
}

pub(crate) async fn read(
    State(context): State<Context>,
    caller: Caller,
    Segments(name): Segments<String>,
    request: Request,
) -> Result<Json<Connector>, Refusal> {
    Query::read(request.uri(), &[])?;
    let found = context.engine.connector(&caller.tenant, &name).await?;
    let connector =
        found.ok_or_else(|| Refusal::not_found(format!("there is no connector `{name}`")))?;
    Ok(Json(convert::connector(connector)))
}

pub(crate) async fn remove(
    State(context): State<Context>,
    caller: Caller,
    Segments(name): Segments<String>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    Query::read(request.uri(), &[])?;
    context
        .engine
        .remove_connector(&caller.tenant, &name)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn grant(
    State(context): State<Context>,
    caller: Caller,
    Segments(name): Segments<String>,
    request: Request,
) -> Result<Json<Connector>, Refusal> {
    Query::read(request.uri(), &[])?;
    let grants: Grants = body::read(&context, &caller, request, body::SMALL)
        .await?
        .json()?;
    let connector = context
        .engine
        .grant(&caller.tenant, &name, convert::grant_spec(grants))
        .await?;
    Ok(Json(convert::connector(connector)))
}

pub(crate) async fn call(
    State(context): State<Context>,
    caller: Caller,
    Segments(name): Segments<String>,
    request: Request,
) -> Result<Json<CallResult>, Refusal> {
    Query::read(request.uri(), &[])?;
    let held = body::read(&context, &caller, request, body::INPUT).await?;
    let CallFunction {
        function,
        arguments,
    } = held.json()?;
    let result = context
        .engine
        .call(&caller.tenant, &name, &function, arguments)
        .await?;
    Ok(Json(convert::call_result(result)))
}
