//! The variable segments of a path.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use baton_engine::RunId;
use serde::de::DeserializeOwned;

use crate::refusal::Refusal;
use crate::router::Context;

/// The variable segments, decoded, in the order of the route's template. A path that can't be decoded names
/// nothing that is here.
pub(crate) struct Segments<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Context> for Segments<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Refusal> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, context).await;
        let axum::extract::Path(segments) =
            path.map_err(|_| Refusal::not_found("the path is not UTF-8 after decoding"))?;
        Ok(Self(segments))
    }
}

/// The run of this id.
pub(crate) fn run(id: &str) -> Result<RunId, Refusal> {
    id.parse().map_err(|_| no_such_run(id))
}

pub(crate) fn no_such_run(id: &str) -> Refusal {
    Refusal::no_run(&format!("there is no run `{id}`"))
}
