//! The language, as a JSON Schema.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use baton_workflow::document::SCHEMA;

pub(crate) async fn workflow() -> impl IntoResponse {
    (
        [
            // The media type of JSON Schema 2020-12, section 14.1.
            (CONTENT_TYPE, "application/schema+json"),
            (CACHE_CONTROL, "public, max-age=60"),
        ],
        SCHEMA,
    )
}
