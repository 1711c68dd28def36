//! How large a load is, and how long it lasts.

use std::time::Duration;

/// What is typed about all scenarios.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Settings {
    /// Everything in seconds: to see that it works, not to compare figures with
    #[arg(long)]
    pub(crate) quick: bool,

    /// How many runs `history`, `neighbour`, `recovery`, `size` and `waiting` have, instead of their own numbers
    #[arg(long, value_name = "COUNT")]
    runs: Option<usize>,

    /// How long a load lasts, in seconds, instead of each scenario's own time
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

impl Settings {
    /// How many runs a scenario has that takes so many by itself.
    pub(crate) fn runs(&self, whole: usize, quick: usize) -> usize {
        self.runs.unwrap_or(if self.quick { quick } else { whole })
    }

    /// How often something short is repeated.
    pub(crate) fn times(&self, whole: usize, quick: usize) -> usize {
        if self.quick { quick } else { whole }
    }

    /// How long a load lasts that takes so many seconds by itself.
    pub(crate) fn load(&self, seconds: u64) -> Duration {
        let own = if self.quick { 1 } else { seconds };
        Duration::from_secs(self.seconds.unwrap_or(own))
    }

    /// How long something lasts that is not the load itself, whatever is typed of that.
    pub(crate) fn pause(&self, whole: u64, quick: u64) -> Duration {
        Duration::from_secs(if self.quick { quick } else { whole })
    }

    /// How long the load before lasts that is not counted.
    pub(crate) fn warm_up(&self) -> Duration {
        if self.quick {
            Duration::from_millis(300)
        } else {
            Duration::from_secs(2)
        }
    }
}
