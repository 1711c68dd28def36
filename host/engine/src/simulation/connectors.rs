//! The connectors of a simulated world: what a call gives follows from its arguments and its attempt; when it gives it
//! is for the world to say.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use baton_sandbox::{Description, Items, inspect};
use baton_store::{Digest, RunId};
use baton_workflow::machine::TaskKey;
use baton_workflow::{Data, Error, ErrorKind};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::chance::Chance;
use super::language;
use super::laws;
use crate::digest;
use crate::outside::{Answer, Call, Invoke};
use crate::shared::Shared;

/// A call that changes something: it reads a clock, so that it goes out when it is durable that it is wanted.
const IMPURE: &str = r#"
(component
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u64)))))
  (core module $m (func (export "f") (param i32 i32) (result i32) local.get 0))
  (core instance $i (instantiate $m))
  (func (export "f") (param "n" u32) (param "fails" u32) (result u32) (canon lift (core func $i "f"))))
"#;

/// A call that neither changes nor sees anything, and may go out before.
const PURE: &str = r#"
(component
  (core module $m (func (export "f") (param i32 i32) (result i32) local.get 0))
  (core instance $i (instantiate $m))
  (func (export "f") (param "n" u32) (param "fails" u32) (result u32) (canon lift (core func $i "f"))))
"#;

/// One call of so many is over at once.
const AT_ONCE: usize = 3;

/// A connector that is installed.
pub(crate) struct Installed {
    pub(crate) name: &'static str,
    pub(crate) digest: Digest,
    pub(crate) description: Arc<Description>,
}

/// The connectors that are installed, of all worlds: they are the same in each.
pub(crate) fn installed() -> &'static [Installed] {
    static INSTALLED: OnceLock<Vec<Installed>> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let text = |text: &str| wat::parse_str(text).expect("a component");
        let built = |name: &str| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/dist");
            std::fs::read(format!("{folder}/{name}.wasm")).expect("it is built")
        };
        let all = [
            ("impure", text(IMPURE)),
            ("pure", text(PURE)),
            ("shell", built("shell")),
            ("asyncapi", built("asyncapi")),
        ];
        let installed = all.map(|(name, bytes)| Installed {
            name,
            digest: digest::of(&bytes),
            description: Arc::new(inspect(&bytes).expect("a connector")),
        });
        installed.into()
    })
}

/// A call, by its run, task and attempt.
pub(crate) type CallKey = (RunId, TaskKey, u32);

/// An answer that has been given to a call.
pub(crate) type Given = (CallKey, Answer);

/// The connectors, and the calls of them that are under way.
#[derive(Default)]
pub(crate) struct SimulatedConnectors {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Who calls.
    host: Weak<Shared>,
    under_way: Vec<UnderWay>,
    /// Answers that have been given, to give them again.
    given: Vec<Given>,
    /// The tasks that have called something, and how many calls they have made together.
    callers: BTreeSet<(RunId, TaskKey)>,
    made: usize,
    /// Calls that are to be looked at: what they were made for is in the store, which could not be read, or made sense of,
    /// when they were.
    unchecked: Vec<Call>,
    /// What was wrong with calls.
    wrong: Vec<String>,
}

struct UnderWay {
    call: Call,
    reply: Reply,
}

/// Where what a call gives goes.
enum Reply {
    Answer(oneshot::Sender<Answer>),
    /// There is a message after the other.
    Messages(mpsc::UnboundedSender<Value>),
}

impl State {
    fn check(&mut self, call: &Call) {
        if let Some(host) = self.host.upgrade() {
            let is_pure = call.connector == "pure";
            let wrong = laws::check_call(&host, &call.tenant, &key(call), is_pure);
            self.wrong.extend(wrong.err());
        }
    }
}

impl SimulatedConnectors {
    /// Another host calls from now on; those that another one has made reach nobody.
    pub(crate) fn attach(&self, host: &Arc<Shared>) {
        let mut state = self.lock();
        state.host = Arc::downgrade(host);
        state.under_way.clear();
        // Nor do their answers: of a pure call, which is not recorded, the next host may make another one in its place.
        state.given.clear();
        state.unchecked.clear();
    }

    /// How many calls are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.lock().under_way.len()
    }

    /// How many calls have been made.
    pub(crate) fn made(&self) -> usize {
        self.lock().made
    }

    /// Ends one of the calls that are under way; a subscription brings a message instead. Gives what it was and came to.
    pub(crate) fn answer(&self, index: usize) -> String {
        let UnderWay { call, reply } = self.lock().under_way.remove(index);
        let key = key(&call);
        match reply {
            Reply::Messages(messages) => {
                let message = json!({ "payload": { "n": 1 }, "headers": {} });
                if messages.send(message).is_err() {
                    return format!("{} is over", shown(&key));
                }
                let reply = Reply::Messages(messages);
                self.lock().under_way.push(UnderWay { call, reply });
                format!("{} brings a message", shown(&key))
            }
            Reply::Answer(reply) => {
                let result = result(&call);
                let told = format!("{} {} gives {result:?}", shown(&key), call.connector);
                let answer = Answer::of(result);
                self.lock().given.push((key, answer.clone()));
                match reply.send(answer) {
                    Ok(()) => told,
                    Err(_) => format!("{told}, to nobody"),
                }
            }
        }
    }

    /// Whether a task has called something.
    pub(crate) fn was_called(&self, run: &RunId, pointer: &str) -> bool {
        let mut callers = self.lock().callers.clone().into_iter();
        callers.any(|(of, task)| of == *run && &*task.pointer == pointer)
    }

    /// One of the answers that have been given.
    pub(crate) fn given(&self, chance: &mut Chance) -> Option<Given> {
        chance.pick(&self.lock().given).cloned()
    }

    /// What has been wrong with calls so far.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let mut state = self.lock();
        for call in std::mem::take(&mut state.unchecked) {
            state.check(&call);
        }
        std::mem::take(&mut state.wrong)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Invoke for SimulatedConnectors {
    fn invoke(&self, call: Call) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        let mut state = self.lock();
        let key = key(&call);
        let host = state.host.upgrade();
        let is_blind = host.is_some_and(|host| host.store.get(&[]).is_err());
        match is_blind || !language::is_there() {
            // Nothing is written before it can be read again.
            true => state.unchecked.push(call.clone()),
            false => state.check(&call),
        }
        state.made += 1;
        state.callers.insert((key.0, key.1.clone()));
        match call.items.clone() {
            None if state.made.is_multiple_of(AT_ONCE) => {
                let answer = Answer::of(result(&call));
                state.given.push((key, answer.clone()));
                Box::pin(std::future::ready(answer))
            }
            None => {
                let (reply, answer) = oneshot::channel();
                let reply = Reply::Answer(reply);
                state.under_way.push(UnderWay { call, reply });
                Box::pin(async move {
                    match answer.await {
                        Ok(answer) => answer,
                        // Its host is dead.
                        Err(_) => std::future::pending().await,
                    }
                })
            }
            Some(items) => {
                let (messages, brought) = mpsc::unbounded_channel();
                let reply = Reply::Messages(messages);
                state.under_way.push(UnderWay { call, reply });
                Box::pin(hand_over(items, brought))
            }
        }
    }
}

/// Hands messages over until no more is wanted.
async fn hand_over(items: Items, mut brought: mpsc::UnboundedReceiver<Value>) -> Answer {
    while let Some(message) = brought.recv().await {
        if items.push(message).await != Some(true) {
            return Answer::of(Ok(Arc::new(Value::Null)));
        }
    }
    // Its host is dead.
    std::future::pending().await
}

/// A call, as traces show it.
pub(crate) fn shown((run, task, attempt): &CallKey) -> String {
    let run = run.to_string();
    format!("{}{}#{}.{attempt}", &run[24..], task.pointer, task.visit)
}

fn key(call: &Call) -> CallKey {
    let run = call.run.parse().expect("a run's id");
    (run, call.task.clone(), call.attempt)
}

/// It adds one, unless it is to fail so many times.
fn result(call: &Call) -> Result<Data, Error> {
    let argument = |name: &str| call.arguments.get(name).and_then(Value::as_u64);
    let fails = argument("fails").unwrap_or(0);
    if u64::from(call.attempt) <= fails {
        let mut error = Error::new(ErrorKind::Communication, "Failed", "as it was told to");
        error.status = 503;
        return Err(error);
    }
    Ok(Arc::new(json!({ "n": argument("n").unwrap_or(0) + 1 })))
}
