//! Between the engine's types and the contract's: explicit, one function for each type, and nowhere else.

mod approval;
mod awaited;
mod connector;
mod diagnostic;
mod event;
mod history;
mod run;
mod schedule;
mod secret;
mod workflow;

use baton_api::page::Page;
use baton_engine::Timestamp;

pub(crate) use approval::{approval, approval_status_of_name};
pub(crate) use awaited::waits_for;
pub(crate) use connector::{call_result, connector, grant_spec};
pub(crate) use diagnostic::{count_errors, diagnostic};
pub(crate) use event::{logged_event, sent_event};
pub(crate) use history::history_item;
pub(crate) use run::{run, run_summary, status, status_of_name};
pub(crate) use schedule::schedule;
pub(crate) use secret::{secret, secret_content};
pub(crate) use workflow::{published, workflow, workflow_reference, workflow_summary};

/// A page of the engine's, with its items converted.
pub(crate) fn page<T, U>(page: baton_engine::Page<T>, convert: impl FnMut(T) -> U) -> Page<U> {
    Page {
        items: page.items.into_iter().map(convert).collect(),
        next: page.next,
    }
}

/// A time as the contract writes it.
fn time(time: Timestamp) -> String {
    time.to_string()
}

/// A time as clients write it: RFC 3339, with any offset.
pub(crate) fn time_of_text(text: &str) -> Result<Timestamp, String> {
    let time = text.parse::<jiff::Timestamp>();
    time.map(|time| Timestamp::from_millis(time.as_millisecond()))
        .map_err(|_| "expected a time such as `2026-11-24T08:00:00Z`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_any_offset() {
        for text in [
            "1970-01-01T00:00:01Z",
            "1970-01-01T01:00:01.000+01:00",
            "1970-01-01t00:00:01z",
        ] {
            assert_eq!(
                time_of_text(text),
                Ok(Timestamp::from_millis(1000)),
                "{text}"
            );
        }
        for text in ["", "1970-01-01", "now", "1000", "1970-13-01T00:00:01Z"] {
            assert!(time_of_text(text).is_err(), "{text}");
        }
        assert_eq!(
            time(Timestamp::from_millis(1000)),
            "1970-01-01T00:00:01.000Z"
        );
    }
}
