//! That a run has not ended, and where it is: in memory, or asleep.

use serde::{Deserialize, Serialize};

use super::{DecodeError, Record, TaskRecord, decode_form, encode_form};

/// The version that is written.
const VERSION: u8 = 2;

/// That a run has not ended. Removed with the event that ends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRecord {
    /// What it is doing.
    pub phase: PhaseRecord,
    /// How it is woken, where it is not in memory. None where it is, and is loaded when the host starts. Since
    /// version 2.
    pub asleep: Option<AsleepRecord>,
}

/// What an open run is doing. New kinds are added at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PhaseRecord {
    /// Something of it is under way. In version 1 also that somebody has suspended it.
    Running,
    /// Nothing of it is under way: it waits for timers, events of the world, or people.
    Waiting,
    /// Somebody has suspended it. Since version 2.
    Suspended,
}

/// How a run is woken that is not in memory. What else wakes it has records of its own: its timers, what it asks
/// people, and the runs that it has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsleepRecord {
    /// Whether it is loaded when the host starts, since it is another run's child or waits for one of its own: the
    /// host may have stopped before one was told of the other's end.
    pub has_kin: bool,
    /// Its tasks that listen to events.
    pub listening: Vec<ListeningRecord>,
}

/// A task that waits for an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListeningRecord {
    /// The task.
    pub task: TaskRecord,
    /// The position in the tenant's log of the next event that it has not been offered.
    pub next: u64,
    /// The same, as the run's journal has it.
    pub recorded: u64,
    /// Which events may be of interest; none for all.
    pub topics: Option<Vec<TopicRecord>>,
}

/// Events that may be of interest to a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicRecord {
    /// Their type.
    pub kind: String,
    /// What they have in common beside that.
    pub mark: Option<MarkRecord>,
}

/// What stands in an event at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkRecord {
    /// The place: names of members, from the event's JSON form down.
    pub path: Vec<String>,
    /// The text, number or boolean that stands there, as text.
    pub text: String,
}

/// Version 1, which knew nothing of sleep.
#[derive(Deserialize)]
struct OpenRecord1 {
    waiting: bool,
}

impl Record for OpenRecord {
    const NAME: &'static str = "open run";

    fn encode(&self) -> Vec<u8> {
        encode_form(VERSION, self)
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.first() != Some(&1) {
            return decode_form(Self::NAME, VERSION, bytes);
        }
        let former: OpenRecord1 = decode_form(Self::NAME, 1, bytes)?;
        Ok(Self {
            phase: match former.waiting {
                true => PhaseRecord::Waiting,
                false => PhaseRecord::Running,
            },
            asleep: None,
        })
    }
}
