//! Showing a run while it goes on: a display that moves on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::{IsTerminal, Result, Write, stderr};
use std::sync::LazyLock;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::Value;

use super::history::{Clock, Item, Key, Lines, kind, path};
use super::text::{duration, tame};

/// How many tasks under way are shown with a line of their own, so that a wide `fork` does not push
/// the rest off the screen.
const SPINNERS_MAX: usize = 12;

/// What moves on the terminal. There is one of it, as there is one standard error.
static MOVING: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Standard error for lines that come from elsewhere, above what moves there.
pub(crate) struct Screen;

impl Write for Screen {
    fn write(&mut self, text: &[u8]) -> Result<usize> {
        MOVING.suspend(|| stderr().write(text))
    }

    fn flush(&mut self) -> Result<()> {
        stderr().flush()
    }
}

/// Who shows the run.
pub(crate) enum Display {
    /// On a terminal.
    Live(Live),
    /// Everywhere else.
    Plain(Lines),
}

impl Display {
    /// The display that fits standard error, for a run of the workflow with this document.
    pub(crate) fn for_stderr(document: Value) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if stderr().is_terminal() && !is_dumb {
            Self::Live(Live::new(document))
        } else {
            Self::Plain(Lines::new(document))
        }
    }

    /// Shows an item.
    pub(crate) fn show(&mut self, item: &Item) {
        match self {
            Self::Live(live) => live.show(item),
            Self::Plain(lines) => anstream::eprintln!("{}", lines.line(item)),
        }
    }

    /// Shows a line that is not from the history.
    pub(crate) fn say(&self, line: &str) {
        match self {
            Self::Live(live) => live.print(line),
            Self::Plain(_) => anstream::eprintln!("{line}"),
        }
    }
}

/// A spinner for each task under way, above them a line for each that has ended.
pub(crate) struct Live {
    document: Value,
    clock: Clock,
    screen: MultiProgress,
    spinners: HashMap<Key, ProgressBar>,
}

impl Live {
    fn new(document: Value) -> Self {
        Self {
            document,
            clock: Clock::default(),
            screen: MOVING.clone(),
            spinners: HashMap::new(),
        }
    }

    fn show(&mut self, item: &Item) {
        let took = self.clock.note(item);
        let Some(key) = item.key() else {
            return self.print_end(item, took);
        };
        let kind = match item.verb() {
            verb @ ("undoing" | "undone" | "not undone") => verb.to_owned(),
            _ => kind(&self.document, item).unwrap_or_default(),
        };
        match item.verb() {
            "started" | "undoing" => self.spin(key, &kind),
            "retried" => {
                self.print(&ended_line(item, &kind, None));
                if let Some(spinner) = self.spinners.get(&key) {
                    spinner.reset_elapsed();
                }
            }
            "revealed" => self.print(&ended_line(item, &kind, None)),
            // The line about the run says it.
            "suspended" | "resumed" => {}
            _ => {
                if let Some(spinner) = self.spinners.remove(&key) {
                    spinner.finish_and_clear();
                    self.screen.remove(&spinner);
                }
                self.print(&ended_line(item, &kind, took));
            }
        }
    }

    fn spin(&mut self, key: Key, kind: &str) {
        if self.spinners.len() >= SPINNERS_MAX {
            return;
        }
        let style = ProgressStyle::with_template("{spinner:.cyan} {wide_msg} {elapsed:.dim}")
            .expect("the template is valid")
            .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ");
        let spinner = self
            .screen
            .add(ProgressBar::new_spinner().with_style(style));
        spinner.set_message(format!("{}  {kind}", subject(&key)));
        spinner.enable_steady_tick(Duration::from_millis(100));
        self.spinners.insert(key, spinner);
    }

    fn print_end(&mut self, item: &Item, took: Option<Duration>) {
        if item.verb() == "started" {
            return;
        }
        if matches!(item.verb(), "completed" | "faulted" | "cancelled") {
            for (_, spinner) in self.spinners.drain() {
                spinner.finish_and_clear();
            }
        }
        self.print(&ended_line(item, "", took));
    }

    /// Prints above the spinners. A line that can't be drawn is no reason to end a run.
    fn print(&self, line: &str) {
        self.screen.suspend(|| anstream::eprintln!("{line}"));
    }
}

/// A task's path and, where the run came to it again, which visit this is.
fn subject((pointer, visit): &Key) -> String {
    match visit {
        0 | 1 => path(pointer),
        _ => format!("{} #{visit}", path(pointer)),
    }
}

/// The line that stays on the screen when something has ended, was skipped or will be tried again.
fn ended_line(item: &Item, kind: &str, took: Option<Duration>) -> String {
    const DIM: Style = Style::new().dimmed();
    let (mark, color) = match item.verb() {
        "completed" => ('✓', AnsiColor::Green),
        "faulted" => ('✗', AnsiColor::Red),
        "not undone" => ('✗', AnsiColor::Red),
        "retried" => ('↻', AnsiColor::Yellow),
        "undone" => ('↺', AnsiColor::Yellow),
        "skipped" => ('-', AnsiColor::BrightBlack),
        "cancelled" => ('■', AnsiColor::Yellow),
        _ => ('·', AnsiColor::Blue),
    };
    let color = color.on_default();
    let subject = match item.key() {
        Some(key) => subject(&key),
        None => match item.verb() {
            "suspended" => "the run stands still".to_owned(),
            "resumed" => "the run goes on".to_owned(),
            "retried" => "the run is tried again".to_owned(),
            "cancelled" => "the run was cancelled".to_owned(),
            verb => format!("the run has {verb}"),
        },
    };
    let again = item.due_in().filter(|_| item.verb() == "retried");
    let attempt = item
        .attempt
        .filter(|attempt| *attempt > 1 || item.verb() == "retried");
    let rest = [
        Some(kind.to_owned()).filter(|kind| !kind.is_empty()),
        attempt.map(|attempt| format!("attempt {attempt}")),
        again.map(|wait| format!("in {}", duration(wait))),
        took.map(duration),
        item.reveal.as_ref().map(ToString::to_string),
        item.by.as_ref().map(|by| format!("by {}", tame(by, 60))),
        item.reason.as_ref().map(|reason| tame(reason, 200)),
    ];
    let rest: Vec<String> = rest.into_iter().flatten().collect();
    let error = item
        .error()
        .map(|error| format!("\n    {}", tame(&error, 300)))
        .unwrap_or_default();
    format!(
        "{color}{mark}{color:#} {subject}  {DIM}{}{DIM:#}{error}",
        rest.join("  ")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::history::tests::item;
    use super::*;

    #[test]
    fn each_ending_has_its_mark() {
        let task = Some("/do/0/laptop");
        let error =
            Some(json!({ "type": "x/communication", "status": 503, "title": "Unavailable" }));
        let retried = item(0, "task.retried", task);
        let took = Some(Duration::from_millis(222));
        let items = [
            (item(0, "task.completed", task), took),
            (
                Item {
                    error: error.clone(),
                    ..item(0, "task.faulted", task)
                },
                took,
            ),
            (
                Item {
                    attempt: Some(2),
                    due_ms: Some(1_000),
                    error,
                    ..retried
                },
                None,
            ),
            (item(0, "task.skipped", task), None),
            (
                Item {
                    visit: 3,
                    ..item(0, "task.cancelled", task)
                },
                took,
            ),
            (item(0, "workflow.faulted", None), took),
            (
                Item {
                    by: Some("ada".into()),
                    reason: Some("maintenance".into()),
                    ..item(0, "workflow.suspended", None)
                },
                None,
            ),
            (item(0, "workflow.retried", None), None),
            (
                Item {
                    by: Some("ada".into()),
                    ..item(0, "workflow.cancelled", None)
                },
                took,
            ),
            (item(0, "workflow.completed", None), None),
        ];
        let line = |(item, took): &(Item, Option<Duration>)| {
            let kind = if item.task.is_some() { "call http" } else { "" };
            ended_line(item, kind, *took)
        };
        let lines: Vec<String> = items.iter().map(line).collect();
        let plain = anstream::adapter::strip_str(&lines.join("\n")).to_string();
        insta::assert_snapshot!(plain, @r##"
        ✓ laptop  call http  222 ms
        ✗ laptop  call http  222 ms
            Unavailable (communication, 503)
        ↻ laptop  call http  attempt 2  in 1.00 s
            Unavailable (communication, 503)
        - laptop  call http
        ■ laptop #3  call http  222 ms
        ✗ the run has faulted  222 ms
        · the run stands still  by ada  maintenance
        ↻ the run is tried again  
        ■ the run was cancelled  222 ms  by ada
        ✓ the run has completed  
        "##);
    }
}
