//! `baton events`: the events of a host.

mod list;
mod send;
mod show;
mod watch;

use baton_api::event::{EventFilter, LoggedEvent};
use clap::Subcommand;
use serde_json::Value;

use crate::failure::Outcome;

/// `baton events …`
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Send an event to those that listen
    Send(send::Args),
    /// List the events that came, the oldest first
    List(list::Args),
    /// Show an event that came, by its id
    Show(show::Args),
    /// Show events as they come
    Watch(watch::Args),
}

impl Command {
    pub(crate) async fn execute(self) -> Outcome {
        match self {
            Self::Send(args) => args.execute().await,
            Self::List(args) => args.execute().await,
            Self::Show(args) => args.execute().await,
            Self::Watch(args) => args.execute().await,
        }
    }
}

/// Which events.
#[derive(clap::Args, Clone, Debug)]
struct Filter {
    /// Only those of this type
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,

    /// Only those of this source
    #[arg(long, value_name = "URI")]
    source: Option<String>,

    /// Only those about this subject
    #[arg(long)]
    subject: Option<String>,

    /// Only those behind this position of the log
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,
}

impl Filter {
    fn into_filter(self) -> EventFilter {
        EventFilter {
            kind: self.kind,
            source: self.source,
            subject: self.subject,
            after: self.after,
        }
    }
}

/// An event as a line: when, what, where from, about what, and its data.
fn columns(logged: &LoggedEvent) -> [String; 5] {
    let text = |name: &str| logged.event[name].as_str().unwrap_or_default().to_owned();
    let data = match (&logged.event["data"], &logged.event["data_base64"]) {
        (Value::Null, Value::String(_)) => "(binary)".to_owned(),
        (Value::Null, _) => String::new(),
        (data, _) => data.to_string(),
    };
    [
        logged.position.to_string(),
        logged.received_at.clone(),
        text("type"),
        text("source"),
        data,
    ]
}
