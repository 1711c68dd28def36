//! The contract, as a document.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use bytes::Bytes;

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
    let document = baton_api::openapi::document();
    serde_json::to_vec_pretty(&document)
        .expect("a document of strings and numbers makes JSON")
        .into()
});

pub(crate) async fn document() -> impl IntoResponse {
    (
        [
            (CONTENT_TYPE, "application/json"),
            (CACHE_CONTROL, "public, max-age=60"),
        ],
        DOCUMENT.clone(),
    )
}
