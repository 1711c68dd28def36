//! What a script may ask of the outside.

/// The time, as a script sees it, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct World {
    /// The time since 1970-01-01T00:00:00Z.
    pub since_epoch: fn() -> u64,
    /// The time of a clock that only goes forward, from any point on.
    pub elapsed: fn() -> u64,
    /// Waits for so long.
    pub wait: fn(u64),
}
