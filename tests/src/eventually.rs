//! Waiting for what another process will do.

use std::time::{Duration, Instant};

/// How long a test waits for anything: long enough for a busy machine, short enough to learn of a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(2);

/// Looks again and again until `look` finds something, and returns that.
///
/// # Panics
///
/// After a minute, saying what it waited for.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            since.elapsed() < PATIENCE,
            "waited in vain for {PATIENCE:?}: {what}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}
