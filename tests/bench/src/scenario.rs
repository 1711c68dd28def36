//! The scenarios, each with a file of its name.

mod call;
mod crowd;
mod fanout;
mod flood;
mod history;
mod http;
mod latency;
mod load;
mod modest;
mod neighbour;
mod overload;
mod pure;
mod recovery;
mod size;
mod startup;
mod survivors;
mod throughput;
mod waiting;

use serde_json::Value;

use crate::settings::Settings;

/// What can be measured.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
pub(crate) enum Scenario {
    /// Ten calls one after the other, 64 and 256 runs at once
    Throughput,
    /// The same, one run alone
    Latency,
    /// A hundred calls at once, and their join
    Fanout,
    /// Ten calls of a connector that is seen to be pure
    Pure,
    /// Ten calls of an HTTP service
    Http,
    /// One function called through the API
    Call,
    /// From the start of the process to the first finished run
    Startup,
    /// What a finished run leaves on disk
    Size,
    /// Throughput over a million finished runs
    History,
    /// A million waiting runs, and waking them
    Waiting,
    /// SIGKILL with 100,000 open runs
    Recovery,
    /// What a tenant notices of another one's ten thousand runs, and of its connector that spins
    Neighbour,
    /// Ten minutes of more than can be done
    Overload,
}

impl Scenario {
    /// Those that take no more than a minute or two.
    pub(crate) const SHORT: &[Self] = &[
        Self::Throughput,
        Self::Latency,
        Self::Fanout,
        Self::Pure,
        Self::Http,
        Self::Call,
        Self::Startup,
        Self::Size,
        Self::Neighbour,
    ];

    /// As it is typed.
    pub(crate) fn name(self) -> String {
        let value = clap::ValueEnum::to_possible_value(&self).expect("none is left out");
        value.get_name().to_owned()
    }

    /// Measures it: figures, the host's usage, and `settings`.
    pub(crate) async fn measure(self, settings: &Settings) -> Value {
        match self {
            Self::Throughput => throughput::measure(settings).await,
            Self::Latency => latency::measure(settings).await,
            Self::Fanout => fanout::measure(settings).await,
            Self::Pure => pure::measure(settings).await,
            Self::Http => http::measure(settings).await,
            Self::Call => call::measure(settings).await,
            Self::Startup => startup::measure(settings).await,
            Self::Size => size::measure(settings).await,
            Self::History => history::measure(settings).await,
            Self::Waiting => waiting::measure(settings).await,
            Self::Recovery => recovery::measure(settings).await,
            Self::Neighbour => neighbour::measure(settings).await,
            Self::Overload => overload::measure(settings).await,
        }
    }
}
