//! What a host's process uses while something is measured.

use std::os::unix::fs::MetadataExt as _;

use baton_tests::Host;
use serde_json::{Value, json};

use crate::figures::{float, rounded};

/// The processor time that a host had used, and the room that it had taken on disk, at some moment.
pub(crate) struct Usage {
    cpu_seconds: f64,
    disk_bytes: u64,
}

impl Usage {
    /// As it is now.
    pub(crate) fn of(host: &Host) -> Self {
        Self {
            cpu_seconds: host.process().cpu_seconds(),
            disk_bytes: disk_bytes(host),
        }
    }

    /// What has been used since, over so many runs of so many steps; the memory is the most that it ever had.
    pub(crate) fn since(&self, host: &Host, runs: usize, steps: usize) -> Value {
        let now = Self::of(host);
        let grown = now.disk_bytes.saturating_sub(self.disk_bytes);
        let cpu = now.cpu_seconds - self.cpu_seconds;
        #[expect(clippy::cast_precision_loss, reason = "a file far below 2^52 bytes")]
        let per_run = grown as f64 / float(runs.max(1));
        json!({
            "peak_memory_bytes": host.process().peak_memory(),
            "cpu_seconds": cpu,
            "cpu_us_per_step": cpu * 1e6 / float((runs * steps).max(1)),
            "disk_bytes": now.disk_bytes,
            "disk_bytes_per_run": rounded(per_run),
        })
    }
}

/// What the store's files take on disk: allocated blocks, since a file may have holes.
pub(crate) fn disk_bytes(host: &Host) -> u64 {
    /// The unit of `st_blocks` (stat(2)).
    const BLOCK: u64 = 512;
    let files = ["baton.redb", "baton.wal"].map(|name| {
        let file = std::fs::metadata(host.data().join(name));
        file.expect("a host has its store").blocks()
    });
    files.iter().sum::<u64>() * BLOCK
}
