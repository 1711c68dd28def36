//! As `throughput`, with a connector that is seen to be pure: the next step need not wait for the last to be durable.

use serde_json::Value;

use super::throughput;
use crate::settings::Settings;

pub(super) async fn measure(settings: &Settings) -> Value {
    throughput::with("pure", settings).await
}
