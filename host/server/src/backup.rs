//! All that the host keeps, as a stream.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use baton_engine::Backup;
use futures_util::stream;

use crate::auth::Operator;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::router::Context;

pub(crate) async fn read(
    State(context): State<Context>,
    _operator: Operator,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri(), &[])?;
    let backup = context.engine.backup().await?;
    // A part is read when the one before it has been taken: a client sets the pace.
    let parts = stream::try_unfold(backup, |backup: Backup| async {
        let next = backup.next().await;
        next.inspect_err(|error| tracing::error!(%error, "a backup broke off"))
    });
    let headers = [(CONTENT_TYPE, "application/octet-stream")];
    Ok((headers, Body::from_stream(parts)).into_response())
}
