//! Whether the host is alive, and whether it takes work.

use axum::Json;
use axum::extract::State;
use baton_api::ProblemKind;
use baton_api::health::{Health, HealthStatus};

use crate::refusal::Refusal;
use crate::router::Context;

pub(crate) async fn alive() -> Json<Health> {
    Json(health(HealthStatus::Alive))
}

pub(crate) async fn ready(State(context): State<Context>) -> Result<Json<Health>, Refusal> {
    if context.engine.is_ready() && !*context.stopping.borrow() {
        return Ok(Json(health(HealthStatus::Ready)));
    }
    Err(Refusal::new(
        ProblemKind::Unavailable,
        "the host recovers its runs, shuts down, or can't write to its store",
    ))
}

fn health(status: HealthStatus) -> Health {
    Health {
        status,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
