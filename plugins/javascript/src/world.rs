//! What a script may ask of the outside.

use std::time::Duration;

/// The time, as a script sees it.
pub trait World {
    /// The time since 1970-01-01T00:00:00Z.
    fn since_epoch(&self) -> Duration;

    /// The time of a clock that only goes forward, from any point on.
    fn elapsed(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration);
}
