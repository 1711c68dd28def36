use crate::page::{Page, PageRequest};
use crate::routes;
use crate::schedule::Schedule;

/// List schedules
///
/// The workflows that start by themselves, by namespace and name.
#[utoipa::path(
    get,
    path = routes::SCHEDULES,
    tag = "schedules",
    operation_id = "listSchedules",
    params(PageRequest),
    responses((status = 200, description = "A page of the list.", body = Page<Schedule>))
)]
pub(super) fn list() {}

/// Read a schedule
#[utoipa::path(
    get,
    path = routes::SCHEDULE,
    tag = "schedules",
    operation_id = "readSchedule",
    params(
        ("namespace" = String, Path, description = "The workflow's namespace."),
        ("name" = String, Path, description = "The workflow's name."),
    ),
    responses(
        (status = 200, description = "The schedule.", body = Schedule),
        (status = 404, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn read() {}

/// Pause a schedule
///
/// It starts no run until it is resumed. To pause one that is paused is no error and changes nothing.
#[utoipa::path(
    post,
    path = routes::SCHEDULE_PAUSE,
    tag = "schedules",
    operation_id = "pauseSchedule",
    params(
        ("namespace" = String, Path, description = "The workflow's namespace."),
        ("name" = String, Path, description = "The workflow's name."),
    ),
    responses(
        (status = 200, description = "The schedule as it is now.", body = Schedule),
        (status = 404, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn pause() {}

/// Resume a schedule
///
/// What came due while it was paused is passed over. To resume one that is not paused is no error and changes
/// nothing.
#[utoipa::path(
    post,
    path = routes::SCHEDULE_RESUME,
    tag = "schedules",
    operation_id = "resumeSchedule",
    params(
        ("namespace" = String, Path, description = "The workflow's namespace."),
        ("name" = String, Path, description = "The workflow's name."),
    ),
    responses(
        (status = 200, description = "The schedule as it is now.", body = Schedule),
        (status = 404, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn resume() {}
