//! What is wrong with a document.

use axum::Json;
use axum::extract::{Request, State};
use baton_api::diagnostic::{Severity, Validation};
use baton_engine::Home;

use crate::auth::Caller;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::router::Context;
use crate::{body, convert};

pub(crate) async fn validate(
    State(context): State<Context>,
    caller: Caller,
    request: Request,
) -> Result<Json<Validation>, Refusal> {
    Query::read(request.uri(), &[])?;
    let held = body::read(&context, &caller, request, body::DOCUMENT).await?;
    let found = context
        .engine
        .validate(&caller.tenant, held.text()?, &Home::default())
        .await?;
    let diagnostics: Vec<_> = found.iter().map(convert::diagnostic).collect();
    let valid = diagnostics
        .iter()
        .all(|diagnostic| diagnostic.severity != Severity::Error);
    Ok(Json(Validation { valid, diagnostics }))
}
