//! `baton events watch`: events as they come.

use std::time::Duration;

use baton_api::page::PageRequest;

use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::{Output, print, print_json};
use crate::remote::Remote;
use crate::signal;

/// How long one request waits for the next event.
const PATIENCE: Duration = Duration::from_secs(30);

/// The arguments of `baton events watch`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    filter: super::Filter,

    /// What an event looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    /// Shows what is in the log and then what comes, until somebody presses Ctrl-C.
    pub(crate) async fn execute(self) -> Outcome {
        let client = self.remote.client()?;
        let mut filter = self.filter.into_filter();
        let mut cursor = None;
        let mut interrupt = signal::Interrupts::new()?;
        loop {
            let request = PageRequest::after(cursor.take());
            let page = tokio::select! {
                page = client.events(&filter, &request, Some(PATIENCE)) => page?,
                () = interrupt.next() => return Ok(Exit::Interrupted),
            };
            for event in &page.items {
                match self.output {
                    Output::Json => print_json(event)?,
                    Output::Text => print(super::columns(event).join("  "))?,
                };
            }
            if let Some(last) = page.items.last() {
                filter.after = Some(last.position);
            }
            cursor = page.next;
        }
    }
}
