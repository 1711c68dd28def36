//! The clients of a simulated world: they ask, and remember what they were told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use baton_store::{RunId, TenantId};
use baton_workflow::machine::{Answer, Decision, Note};
use baton_workflow::{CloudEvent, Data, Error};
use serde_json::{Value, json};

use super::documents::{Workflow, document};
use super::host::Host;
use super::neighbour;
use super::store::SILENCE;
use crate::engine::Engine;
use crate::error::{PublishError, StartError};
use crate::view::{ApprovalId, RunView, StartRun};
use crate::{Status, Unavailable};

/// What somebody asks.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Start {
        key: String,
        order: Order,
    },
    Cancel(RunId),
    Stop(RunId),
    Suspend(RunId),
    Resume(RunId),
    Retry(RunId),
    Restart(RunId),
    Decide(ApprovalId),
    Send {
        kind: &'static str,
        id: String,
    },
    Publish(&'static Workflow),
    Pause(&'static str),
    Sweep,
    /// The neighbour starts a run.
    Neighbour(Order),
    Show(RunId),
    ReadHistory(RunId),
}

/// A run that is to be started.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) workflow: &'static str,
    pub(crate) input: Value,
}

/// What they were told.
enum Told {
    /// It has been done, durably.
    Done,
    /// It can't be done, or not now.
    Refused(String),
    Started(RunId),
    Sent(u64),
    Shown(Box<RunView>),
    Lines(Vec<Note>),
    /// Nobody may be told this.
    Wrong(String),
}

/// How a run was shown to have ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ShownEnd {
    pub(crate) status: Status,
    pub(crate) output: Option<Data>,
    pub(crate) error: Option<Error>,
}

/// What they know.
#[derive(Default)]
pub(crate) struct Client {
    asked: BTreeMap<u64, Wish>,
    answers: Arc<Mutex<Vec<(u64, Told)>>>,
    count: u64,
    /// What was ordered under each key, and which run it is where that was told.
    pub(crate) orders: BTreeMap<String, (Order, Option<RunId>)>,
    /// The runs that they were told of.
    pub(crate) runs: BTreeSet<RunId>,
    /// Who was told that a run has taken in what they asked of it.
    pub(crate) promised: BTreeSet<(RunId, String)>,
    /// The ids of events by the position that was told.
    pub(crate) sent: BTreeMap<u64, String>,
    /// The workflows that start by themselves.
    pub(crate) published: BTreeSet<&'static str>,
    pub(crate) ends: BTreeMap<RunId, ShownEnd>,
    pub(crate) lines: BTreeMap<RunId, Vec<Note>>,
    /// The runs whose outcome does not follow from their input alone any more.
    pub(crate) touched: BTreeSet<RunId>,
    /// Those that may have been tried again.
    pub(crate) retried: BTreeSet<RunId>,
}

impl Client {
    /// Asks something. The answer comes some day, or the host dies before.
    pub(crate) fn ask(&mut self, wish: Wish, host: &Host) {
        self.count += 1;
        let number = self.count;
        match &wish {
            Wish::Start { key, order } => {
                let order = (order.clone(), None);
                self.orders.entry(key.clone()).or_insert(order);
            }
            Wish::Cancel(run) | Wish::Stop(run) => drop(self.touched.insert(*run)),
            Wish::Retry(run) => {
                self.touched.insert(*run);
                self.retried.insert(*run);
            }
            _ => {}
        }
        let (engine, answers) = (host.engine.clone(), self.answers.clone());
        let work = told(engine, wish.clone(), by(number));
        self.asked.insert(number, wish);
        host.spawn(async move {
            let told = work.await;
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.push((number, told));
        });
    }

    /// How many questions are open.
    pub(crate) fn waits_for(&self) -> usize {
        self.asked.len()
    }

    /// A name that nothing has had yet.
    pub(crate) fn name(&mut self, of: &str) -> String {
        self.count += 1;
        format!("{of}-{}", self.count)
    }

    /// The host has died: what was asked may or may not have been done.
    pub(crate) fn forget(&mut self) {
        self.asked.clear();
        self.answers = Arc::default();
    }

    /// Takes in what has been told, for the trace.
    ///
    /// # Errors
    ///
    /// Where it does not go with what was told before.
    pub(crate) fn hear(&mut self) -> Result<Vec<String>, String> {
        let told =
            std::mem::take(&mut *self.answers.lock().unwrap_or_else(PoisonError::into_inner));
        let mut heard = Vec::new();
        for (number, told) in told {
            let wish = self.asked.remove(&number).expect("it was asked");
            let what = self.take_in(number, &wish, told)?;
            heard.push(format!("{}: {wish:?}: {what}", by(number)));
        }
        Ok(heard)
    }

    fn take_in(&mut self, number: u64, wish: &Wish, told: Told) -> Result<String, String> {
        match (told, wish) {
            (Told::Wrong(reason), _) => return Err(format!("{wish:?} was told {reason}")),
            (Told::Refused(reason), _) => return Ok(format!("no, {reason}")),
            (Told::Started(run), Wish::Start { key, .. }) => {
                let (_, known) = self.orders.get_mut(key).expect("it was ordered");
                if known.is_some_and(|known| known != run) {
                    return Err(format!("{key} is {run} now, and was {known:?}"));
                }
                *known = Some(run);
                self.runs.insert(run);
                return Ok(format!("it is {run}"));
            }
            (Told::Started(run), _) => drop(self.runs.insert(run)),
            (Told::Sent(position), Wish::Send { id, .. }) => {
                let before = self.sent.insert(position, id.clone());
                if before.as_ref().is_some_and(|before| before != id) {
                    return Err(format!("{id} is where {before:?} was"));
                }
                return Ok(format!("at {position}"));
            }
            (Told::Done, Wish::Publish(workflow)) => drop(self.published.insert(workflow.name)),
            (Told::Shown(view), Wish::Show(run)) => {
                self.runs.insert(*run);
                return self.see(*run, *view);
            }
            (Told::Lines(lines), Wish::ReadHistory(run)) => {
                let known = self.lines.entry(*run).or_default();
                let both = known.len().min(lines.len());
                if known[..both] != lines[..both] {
                    return Err(format!(
                        "the history of {run} was {known:?} and is {lines:?}"
                    ));
                }
                if lines.len() > known.len() {
                    *known = lines;
                }
                return Ok(format!("{} lines", known.len()));
            }
            (
                Told::Done,
                Wish::Cancel(run)
                | Wish::Stop(run)
                | Wish::Suspend(run)
                | Wish::Resume(run)
                | Wish::Retry(run)
                | Wish::Decide(ApprovalId { run, .. }),
            ) => drop(self.promised.insert((*run, by(number)))),
            _ => {}
        }
        Ok("yes".to_owned())
    }

    fn see(&mut self, run: RunId, view: RunView) -> Result<String, String> {
        let shown = format!("{:?}", view.status);
        if self.retried.contains(&run) {
            return Ok(shown);
        }
        let end = ShownEnd {
            status: view.status,
            output: view.output,
            error: view.error,
        };
        match self.ends.get(&run) {
            Some(before) if *before != end => {
                Err(format!("{run} had ended as {before:?}, and is {end:?}"))
            }
            None if end.status.is_ended() => {
                self.ends.insert(run, end);
                Ok(shown)
            }
            _ => Ok(shown),
        }
    }
}

fn by(number: u64) -> String {
    format!("client-{number}")
}

async fn told(engine: Engine, wish: Wish, by: String) -> Told {
    let tenant = TenantId::default();
    match wish {
        Wish::Start { key, order } => {
            let request = StartRun {
                namespace: "test".to_owned(),
                name: order.workflow.to_owned(),
                version: None,
                input: order.input,
                tags: BTreeMap::from([("key".to_owned(), key.clone())]),
                idempotency_key: Some(key),
            };
            match engine.start(&tenant, request).await {
                Ok(run) => Told::Started(run.id),
                Err(error @ (StartError::Busy { .. } | StartError::Unavailable(_))) => {
                    Told::Refused(error.reason())
                }
                Err(error) => Told::Wrong(error.reason()),
            }
        }
        Wish::Neighbour(order) => {
            let request = StartRun {
                namespace: "test".to_owned(),
                name: order.workflow.to_owned(),
                version: None,
                input: order.input,
                tags: BTreeMap::new(),
                idempotency_key: None,
            };
            match engine.start(&neighbour(), request).await {
                Ok(_) => Told::Done,
                Err(error @ (StartError::Busy { .. } | StartError::Unavailable(_))) => {
                    Told::Refused(error.reason())
                }
                Err(error) => Told::Wrong(error.reason()),
            }
        }
        Wish::Cancel(run) => done(engine.cancel(&tenant, &run, &by, None).await),
        Wish::Stop(run) => done(engine.stop(&tenant, &run, &by, None).await),
        Wish::Suspend(run) => done(engine.suspend(&tenant, &run, &by, None).await),
        Wish::Resume(run) => done(engine.resume(&tenant, &run, &by, None).await),
        Wish::Retry(run) => done(engine.retry(&tenant, &run, None, &by, None).await),
        Wish::Restart(run) => match engine.restart(&tenant, &run, None, &by, None).await {
            Ok(run) => Told::Started(run.id),
            Err(error) => Told::Refused(error.to_string()),
        },
        Wish::Decide(id) => {
            let answer = Answer {
                decision: Decision::Approved,
                by,
                comment: None,
                data: Arc::new(Value::Null),
            };
            done(engine.decide(&tenant, &id, answer).await)
        }
        Wish::Publish(workflow) => match engine.publish(&tenant, &document(workflow)).await {
            Err(PublishError::Invalid(wrong)) => Told::Wrong(format!("{wrong:?}")),
            published => done(published),
        },
        Wish::Pause(name) => {
            let paused = engine.pause_schedule(&tenant, "test", name, &by);
            done(paused.await)
        }
        Wish::Sweep => {
            let shared = engine.shared();
            let swept = shared.journal.sweep(&tenant, shared.clock.now());
            done(swept.await.map_err(Unavailable::from))
        }
        Wish::Send { kind, id } => {
            let data = json!({ "n": 1, "id": id });
            let event = json!({ "specversion": "1.0", "id": id, "source": "/client", "type": kind, "data": data });
            let event = CloudEvent::new(event).expect("an event");
            match engine.send_events(&tenant, vec![event]).await {
                Ok(sent) => Told::Sent(sent[0].position),
                Err(error) => Told::Refused(error.to_string()),
            }
        }
        Wish::Show(run) => match engine.run(&tenant, &run).await {
            Ok(Some(view)) => Told::Shown(Box::new(view)),
            Ok(None) => Told::Wrong("that there is no such run".to_owned()),
            Err(error) => refused(&error),
        },
        Wish::ReadHistory(run) => match engine.history(&tenant, &run, 0, 1_000).await {
            Ok(Some(lines)) => Told::Lines(lines),
            Ok(None) => Told::Wrong("that there is no such run".to_owned()),
            Err(error) => refused(&error),
        },
    }
}

fn done<T, E: std::fmt::Display>(result: Result<T, E>) -> Told {
    match result {
        Ok(_) => Told::Done,
        Err(error) => Told::Refused(error.to_string()),
    }
}

/// What is there can be read, as long as the medium answers.
fn refused(error: &Unavailable) -> Told {
    match error {
        Unavailable::Busy { .. } => Told::Refused(error.to_string()),
        Unavailable::Storage(reason) if reason.ends_with(SILENCE) => Told::Refused(reason.clone()),
        _ => Told::Wrong(error.to_string()),
    }
}
