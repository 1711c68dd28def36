//! Which handler answers which route.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::from_fn;
use axum::routing::{get, post, put};
use baton_api::{ProblemKind, routes};
use baton_engine::Engine;
use tokio::sync::watch;

use crate::budget::Budget;
use crate::observe::observe;
use crate::refusal::Refusal;
use crate::settings::ServerSettings;
use crate::{
    approvals, backup, connectors, events, health, openapi, run_events, runs, schedules, schema,
    secrets, validate, workflows,
};

/// What every handler has at hand.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) engine: Engine,
    pub(crate) settings: Arc<ServerSettings>,
    pub(crate) budget: Budget,
    /// Becomes true when the server stops, which ends whatever only waits.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// All routes, without sockets. Streams of events end when `stopping` becomes true.
pub fn router(engine: Engine, settings: ServerSettings, stopping: watch::Receiver<bool>) -> Router {
    let budget = Budget::new(settings.body_bytes_max);
    let context = Context {
        engine,
        settings: Arc::new(settings),
        budget,
        stopping,
    };
    Router::new()
        .route(
            routes::WORKFLOWS,
            post(workflows::publish).get(workflows::list),
        )
        .route(routes::WORKFLOW, get(workflows::highest))
        .route(routes::WORKFLOW_VERSION, get(workflows::version))
        .route(routes::WORKFLOW_RUNS, post(runs::start))
        .route(routes::VALIDATE, post(validate::validate))
        .route(routes::RUNS, get(runs::list))
        .route(routes::RUN, get(runs::read).delete(runs::delete))
        .route(routes::RUN_HISTORY, get(runs::history))
        .route(routes::RUN_EVENTS, get(run_events::events))
        .route(routes::RUN_CANCEL, post(runs::cancel))
        .route(routes::RUN_SUSPEND, post(runs::suspend))
        .route(routes::RUN_RESUME, post(runs::resume))
        .route(routes::RUN_RETRY, post(runs::retry))
        .route(routes::RUN_RESTART, post(runs::restart))
        .route(routes::APPROVALS, get(approvals::list))
        .route(
            routes::APPROVAL,
            get(approvals::read).post(approvals::decide),
        )
        .route(routes::EVENTS, post(events::send).get(events::list))
        .route(routes::EVENT, get(events::read))
        .route(routes::SCHEDULES, get(schedules::list))
        .route(routes::SCHEDULE, get(schedules::read))
        .route(routes::SCHEDULE_PAUSE, post(schedules::pause))
        .route(routes::SCHEDULE_RESUME, post(schedules::resume))
        .route(
            routes::CONNECTORS,
            post(connectors::install).get(connectors::list),
        )
        .route(
            routes::CONNECTOR,
            get(connectors::read).delete(connectors::remove),
        )
        .route(routes::CONNECTOR_GRANTS, put(connectors::grant))
        .route(routes::CONNECTOR_CALL, post(connectors::call))
        .route(routes::SECRETS, get(secrets::list))
        .route(routes::SECRET, put(secrets::set).delete(secrets::remove))
        .route(routes::BACKUP, get(backup::read))
        .route(routes::HEALTH, get(health::alive))
        .route(routes::READY, get(health::ready))
        .route(routes::OPENAPI, get(openapi::document))
        .route(routes::WORKFLOW_SCHEMA, get(schema::workflow))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(observe))
        .with_state(context)
}

/// Completes when the server stops, or when there is no server that could.
pub(crate) async fn has_stopped(mut stopping: watch::Receiver<bool>) {
    // Without a sender nobody serves this router any more.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

async fn no_such_path(uri: Uri) -> Refusal {
    Refusal::not_found(format!(
        "there is no route `{}`; {} lists all of them",
        uri.path(),
        routes::OPENAPI
    ))
}

async fn no_such_method(method: Method, uri: Uri) -> Refusal {
    let detail = format!(
        "`{}` does not take {method}; the header `Allow` lists what it takes",
        uri.path()
    );
    Refusal::new(ProblemKind::MethodNotAllowed, detail)
}
