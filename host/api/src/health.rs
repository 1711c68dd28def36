//! Whether the host is alive, and whether it takes work.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer of the health routes when all is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// What the host is.
    pub status: HealthStatus,
    /// The version of the host.
    #[schema(examples("0.1.0"))]
    pub version: String,
}

/// What a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// It answers requests.
    Alive,
    /// It has recovered its runs and takes work.
    Ready,
}
