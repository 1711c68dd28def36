//! Approvals: list, read, decide.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use baton_api::approval::{Approval, DecideApproval, Decision};
use baton_api::page::Page;
use baton_engine::{Answer, ApprovalFilter, ApprovalId};

use crate::auth::Caller;
use crate::page::{self, CURSOR, LIMIT};
use crate::path::Segments;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::router::Context;
use crate::{body, convert};

pub(crate) async fn list(
    State(context): State<Context>,
    caller: Caller,
    request: Request,
) -> Result<Json<Page<Approval>>, Refusal> {
    let query = Query::read(request.uri(), &["status", "assignee", "run", CURSOR, LIMIT])?;
    let run = |text: &str| text.parse().map_err(|_| "expected a run's id".to_owned());
    let filter = ApprovalFilter {
        status: query.parsed("status", convert::approval_status_of_name)?,
        assignee: query.text("assignee").map(str::to_owned),
        run: query.parsed("run", run)?,
    };
    let limit = page::limit(&query)?;
    let found = context
        .engine
        .approvals(&caller.tenant, &filter, query.text(CURSOR), limit)
        .await?;
    Ok(Json(convert::page(found, convert::approval)))
}

pub(crate) async fn read(
    State(context): State<Context>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Result<Json<Approval>, Refusal> {
    Query::read(request.uri(), &[])?;
    let found = context
        .engine
        .approval(&caller.tenant, &parse(&id)?)
        .await?;
    let found = found.ok_or_else(|| no_such_approval(&id))?;
    Ok(Json(convert::approval(found)))
}

pub(crate) async fn decide(
    State(context): State<Context>,
    caller: Caller,
    Segments(id): Segments<String>,
    request: Request,
) -> Result<Json<Approval>, Refusal> {
    Query::read(request.uri(), &[])?;
    let parsed = parse(&id)?;
    let DecideApproval {
        decision,
        comment,
        data,
    } = body::read(&context, &caller, request, body::INPUT)
        .await?
        .json()?;
    let answer = Answer {
        decision: match decision {
            Decision::Approved => baton_engine::Decision::Approved,
            Decision::Rejected => baton_engine::Decision::Rejected,
        },
        by: caller.name,
        comment,
        data: Arc::new(data),
    };
    let decided = context
        .engine
        .decide(&caller.tenant, &parsed, answer)
        .await?;
    Ok(Json(convert::approval(decided)))
}

fn parse(id: &str) -> Result<ApprovalId, Refusal> {
    id.parse().map_err(|_| no_such_approval(id))
}

fn no_such_approval(id: &str) -> Refusal {
    Refusal::no_approval(&format!("there is no approval `{id}`"))
}
