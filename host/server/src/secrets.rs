//! Secrets.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use baton_api::page::Page;
use baton_api::routes;
use baton_api::secret::{Secret, SetSecret};

use crate::auth::Caller;
use crate::page::{self, CURSOR, LIMIT};
use crate::path::Segments;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::router::Context;
use crate::{body, convert};

/// What cursors of the list say that they are of.
const LIST: &str = "secrets";

pub(crate) async fn set(
    State(context): State<Context>,
    caller: Caller,
    Segments(name): Segments<String>,
    request: Request,
) -> Result<Response, Refusal> {
    Query::read(request.uri(), &[])?;
    let SetSecret {
        value,
        hosts,
        public,
    } = body::read(&context, &caller, request, body::SMALL)
        .await?
        .json()?;
    let content = convert::secret_content(value);
    let set = context
        .engine
        .set_secret(&caller.tenant, &name, content, hosts, public);
    let (secret, is_new) = set.await?;
    let secret = Json(convert::secret(secret));
    Ok(match is_new {
        true => {
            let location = routes::secret(&name);
            (StatusCode::CREATED, [(LOCATION, location)], secret).into_response()
        }
        false => secret.into_response(),
    })
}

pub(crate) async fn list(
    State(context): State<Context>,
    caller: Caller,
    request: Request,
) -> Result<Json<Page<Secret>>, Refusal> {
    let query = Query::read(request.uri(), &[CURSOR, LIMIT])?;
    let after = page::decode(&query, LIST)?;
    let limit = page::limit(&query)?;
    let all = context.engine.secrets(&caller.tenant).await?;
    let page = page::cut(LIST, all, after.as_deref(), limit, |secret| &secret.name);
    Ok(Json(page.map(convert::secret)))
}

pub(crate) async fn remove(
    State(context): State<Context>,
    caller: Caller,
    Segments(name): Segments<String>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    Query::read(request.uri(), &[])?;
    context.engine.remove_secret(&caller.tenant, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
