//! A warm instance of an expression language.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use wasmtime::component::{ResourceAny, TypedFunc, Val};
use wasmtime::{PoolConcurrencyLimitError, Store, Trap};

use crate::capability::log::Journal;
use crate::capability::{Granted, Preparation, Prepared};
use crate::ending::{is_out_of_fuel, trap};
use crate::limits::{
    EXPRESSION_INSTRUCTIONS_MAX, EXPRESSION_MEMORY_BYTES, EXPRESSION_MEMORY_KEPT_BYTES,
    EXPRESSION_RESULT_BYTES_MAX, EXPRESSION_TIME, Limits, TICK,
};
use crate::meter::Meter;
use crate::quota::Renewals;
use crate::secret::{Keyring, Secrets};
use crate::state::{Bounds, Exceeded, State};
use crate::units::{show_bytes, show_duration};
use crate::{CallContext, GrantSpec, Language, Progress};

/// How long to wait for room for an instance, and how long to look away meanwhile. Calls of connectors give room
/// back when they end.
const ROOM_PATIENCE: Duration = Duration::from_secs(10);
const ROOM_PAUSE: Duration = Duration::from_millis(5);

type Evaluate = TypedFunc<(ResourceAny, String, Vec<String>), (Result<String, String>,)>;

/// Evaluates expressions of one language, in an instance of its own that stays warm.
///
/// It may be sent between threads and is used by one at a time. Each evaluation ends within
/// [`EXPRESSION_INSTRUCTIONS_MAX`] and within [`EXPRESSION_MEMORY_BYTES`]. Whatever an expression does to the
/// instance, the evaluator is good for the next one: it makes a new instance and compiles its filters again
/// when they are next needed. What an expression comes to does not depend on what was evaluated before it:
/// where a warm instance runs out of memory or stack, a new one has the last word.
pub struct Evaluator {
    language: Language,
    filters: Vec<Filter>,
    known: HashMap<(String, Vec<String>), FilterId>,
    instance: Option<Instance>,
    unavailable: bool,
    spent: u64,
}

/// A compiled expression of one evaluator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FilterId(u32);

/// Why a source text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// What is wrong, in a form that fits behind "error: ".
    pub message: String,
    /// Where it begins: a byte position in the source text.
    pub start: usize,
    /// Where it ends, the first byte after it. An empty range stands where the text ends too early.
    pub end: usize,
}

/// Why there is no instance.
#[derive(Debug, thiserror::Error)]
enum NotStarted {
    /// Others have all there is room for.
    #[error("the expression language finds no room: {0}")]
    NoRoom(String),
    #[error("the expression language does not start: {0}")]
    Failed(String),
}

struct Filter {
    source: String,
    variables: Vec<String>,
    /// The filter within the current instance, if it is compiled there.
    handle: Option<ResourceAny>,
}

struct Instance {
    store: Store<State>,
    compile: wasmtime::component::Func,
    evaluate: Evaluate,
    /// Whether it has evaluated something before.
    warm: bool,
    _permit: OwnedSemaphorePermit,
}

impl Evaluator {
    pub(crate) fn new(language: Language) -> Self {
        Self {
            language,
            filters: Vec::new(),
            known: HashMap::new(),
            instance: None,
            unavailable: false,
            spent: 0,
        }
    }

    /// How many instructions all evaluations so far have executed, compiling not counted.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.spent
    }

    /// Whether the last thing that failed here was to get an instance. The error says nothing about the expression
    /// then: another time it may do.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.unavailable
    }

    /// Compiles an expression that may use these variables, named without `$`. The same expression is
    /// compiled once.
    ///
    /// # Errors
    ///
    /// Says what is wrong and where. A compiler that traps or takes too long is an error over the whole text.
    pub fn compile(&mut self, source: &str, variables: &[String]) -> Result<FilterId, SyntaxError> {
        let key = (source.to_owned(), variables.to_vec());
        if let Some(id) = self.known.get(&key) {
            return Ok(*id);
        }
        let handle = self.compile_now(source, variables)?;
        let filter = Filter {
            source: source.to_owned(),
            variables: variables.to_vec(),
            handle: Some(handle),
        };
        let id =
            FilterId(u32::try_from(self.filters.len()).expect("filters take memory of the host"));
        self.filters.push(filter);
        self.known.insert(key, id);
        Ok(id)
    }

    /// Evaluates a compiled expression on an input, with values for its variables in the order of
    /// [`Evaluator::compile`].
    ///
    /// # Errors
    ///
    /// The expression's own message, or which limit it passed.
    ///
    /// # Panics
    ///
    /// Panics if the filter is one of another evaluator with more filters than this one.
    pub fn evaluate(
        &mut self,
        filter: FilterId,
        input: &Value,
        values: &[&Value],
    ) -> Result<Value, String> {
        let is_warm = |instance: &Instance| instance.warm;
        let was_warm = self.instance.as_ref().is_some_and(is_warm);
        match self.evaluate_once(filter, input, values) {
            // The instance is gone: this is the limit of a warm one, which has less room than a new one.
            Err(_) if was_warm && self.instance.is_none() => {
                self.evaluate_once(filter, input, values)
            }
            result => result,
        }
    }

    fn evaluate_once(
        &mut self,
        filter: FilterId,
        input: &Value,
        values: &[&Value],
    ) -> Result<Value, String> {
        let index = filter.0 as usize;
        let handle = match self.filters[index].handle {
            Some(handle) => handle,
            None => {
                let Filter {
                    source, variables, ..
                } = &self.filters[index];
                let (source, variables) = (source.clone(), variables.clone());
                let handle = self
                    .compile_now(&source, &variables)
                    .map_err(|error| error.message)?;
                self.filters[index].handle = Some(handle);
                handle
            }
        };
        let parameters = (
            handle,
            input.to_string(),
            values.iter().map(ToString::to_string).collect(),
        );
        let mut spent = 0;
        let result = self.guarded(|instance| {
            instance.warm = true;
            let result = now(instance
                .evaluate
                .call_async(&mut instance.store, parameters));
            let left = instance.store.get_fuel().unwrap_or(0);
            spent = EXPRESSION_INSTRUCTIONS_MAX.saturating_sub(left);
            result
        });
        self.spent += spent;
        let (result,) = result?;
        let text = result?;
        serde_json::from_str(&text)
            .map_err(|error| format!("the expression's result is not JSON: {error}"))
    }

    fn compile_now(
        &mut self,
        source: &str,
        variables: &[String],
    ) -> Result<ResourceAny, SyntaxError> {
        let whole = |message: String| SyntaxError {
            message,
            start: 0,
            end: source.len(),
        };
        let variables = variables.iter().cloned().map(Val::String).collect();
        let parameters = [Val::String(source.to_owned()), Val::List(variables)];
        let result = self.guarded(|instance| {
            let mut results = [Val::Bool(false)];
            now(instance
                .compile
                .call_async(&mut instance.store, &parameters, &mut results))?;
            let [result] = results;
            Ok(result)
        });
        match result.map_err(whole)? {
            Val::Result(Ok(Some(filter))) => match *filter {
                Val::Resource(filter) => Ok(filter),
                _ => Err(whole(
                    "the expression language returned no filter".to_owned(),
                )),
            },
            Val::Result(Err(Some(error))) => Err(syntax_error(&error, source)),
            _ => Err(whole(
                "the expression language returned no filter".to_owned(),
            )),
        }
    }

    /// Runs something in the instance, under the limits. An instance that trapped, that has grown, or that
    /// asked for what it may not, is not used again.
    fn guarded<T>(
        &mut self,
        run: impl FnOnce(&mut Instance) -> wasmtime::Result<T>,
    ) -> Result<T, String> {
        self.unavailable = false;
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.start()?,
        };
        instance.store.set_epoch_deadline(ticks());
        let refuelled = instance.store.set_fuel(EXPRESSION_INSTRUCTIONS_MAX);
        refuelled.expect("the engine of languages counts instructions");
        match run(&mut instance) {
            Err(error) => {
                let message = explain(&error, &instance.store.data().bounds);
                self.forget();
                Err(message)
            }
            Ok(_) if !instance.store.data().capabilities.is_pure() => {
                self.forget();
                Err("the expression asked for the time, which is another one each time it is evaluated".to_owned())
            }
            Ok(value) => {
                if instance.store.data().bounds.memory() <= EXPRESSION_MEMORY_KEPT_BYTES {
                    self.instance = Some(instance);
                } else {
                    self.forget();
                }
                Ok(value)
            }
        }
    }

    fn forget(&mut self) {
        self.instance = None;
        self.filters
            .iter_mut()
            .for_each(|filter| filter.handle = None);
    }

    /// Makes an instance, and waits a while for room where there is none.
    #[expect(
        clippy::disallowed_methods,
        reason = "the engine's pool tells nobody when there is room again"
    )]
    fn start(&mut self) -> Result<Instance, String> {
        let mut patience = ROOM_PATIENCE;
        let started = loop {
            match self.try_start() {
                Err(NotStarted::NoRoom(_)) if !patience.is_zero() => {
                    std::thread::sleep(ROOM_PAUSE);
                    patience = patience.saturating_sub(ROOM_PAUSE);
                }
                started => break started,
            }
        };
        self.unavailable = started.is_err();
        started.map_err(|error| error.to_string())
    }

    fn try_start(&self) -> Result<Instance, NotStarted> {
        let language = Arc::clone(&self.language.0);
        let permit = Arc::clone(&language.sandbox.evaluators).try_acquire_owned();
        let permit = permit.map_err(|_| {
            NotStarted::NoRoom("all instances for expressions are in use".to_owned())
        })?;
        let mut store = Store::new(&language.sandbox.languages.engine, state());
        store.limiter(|state| &mut state.bounds);
        store.set_hostcall_fuel(EXPRESSION_RESULT_BYTES_MAX);
        store.set_epoch_deadline(ticks());
        let fuelled = store.set_fuel(EXPRESSION_INSTRUCTIONS_MAX);
        fuelled.expect("the engine of languages counts instructions");
        let started = now(language.pre.instantiate_async(&mut store)).and_then(|instance| {
            let compile = instance.get_func(&mut store, language.compile);
            let compile =
                compile.ok_or_else(|| wasmtime::format_err!("`compile` is no function"))?;
            let evaluate = instance.get_typed_func(&mut store, language.evaluate)?;
            Ok((compile, evaluate))
        });
        let (compile, evaluate) = started.map_err(|error| {
            let reason = explain(&error, &store.data().bounds);
            match error.is::<PoolConcurrencyLimitError>() {
                true => NotStarted::NoRoom(reason),
                false => NotStarted::Failed(reason),
            }
        })?;
        Ok(Instance {
            store,
            compile,
            evaluate,
            warm: false,
            _permit: permit,
        })
    }
}

impl std::fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluator")
            .field("language", &self.language)
            .field("filters", &self.filters.len())
            .field("warm", &self.instance.is_some())
            .finish()
    }
}

/// A store's data for expressions: nothing is granted, and the random numbers are always the same.
fn state() -> State {
    let context = CallContext {
        run: String::new(),
        task: String::new(),
        visit: 1,
        attempt: 1,
        idempotency_key: String::new(),
        deadline: EXPRESSION_TIME,
        seed: [0; 32],
        secrets: Secrets::none(),
        progress: Progress::default(),
        items: None,
        reveals: None,
    };
    let limits = Limits {
        memory: EXPRESSION_MEMORY_BYTES,
        ..Limits::default()
    };
    let journal = Journal::default();
    let deadline = Instant::now() + EXPRESSION_TIME;
    let granted = Granted::configure(&GrantSpec {
        config: BTreeMap::new(),
        ..GrantSpec::default()
    });
    let granted = granted.expect("the grant of nothing is valid");
    let renewals = Renewals::default();
    let preparation = Preparation {
        context: &context,
        limits: &limits,
        journal: &journal,
        deadline,
        rewrite: None,
        keyring: &Keyring::new(&context.secrets, context.seed),
        renewals: &renewals,
        trust: &Arc::default(),
    };
    let prepared = Prepared::prepare(&granted, &preparation);
    State::new(
        prepared,
        Bounds::new(limits, deadline, Arc::new(Meter::new()), renewals),
    )
}

/// The ticks of [`EXPRESSION_TIME`], and one for the tick that is already running.
fn ticks() -> u64 {
    (EXPRESSION_TIME.as_millis() / TICK.as_millis()) as u64 + 1
}

/// Runs a call that has nothing to wait for. A language that waits, for a timer or a stream, has imported
/// something to wait with and is ended.
fn now<T>(call: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    let waits = || {
        Err(wasmtime::format_err!(
            "the expression waits for something, which it may not"
        ))
    };
    call.now_or_never().unwrap_or_else(waits)
}

fn explain(error: &wasmtime::Error, bounds: &Bounds) -> String {
    if error.downcast_ref::<Trap>() == Some(&Trap::OutOfFuel) {
        let millions = EXPRESSION_INSTRUCTIONS_MAX / 1_000_000;
        return format!(
            "the expression took more than its limit of {millions} million instructions"
        );
    }
    if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
        return format!(
            "the expression took longer than its limit of {}",
            show_duration(EXPRESSION_TIME)
        );
    }
    if bounds.exceeded() == Some(Exceeded::Memory) {
        let limit = show_bytes(EXPRESSION_MEMORY_BYTES as u64);
        return format!("the expression needed more memory than its limit of {limit}");
    }
    if error.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) {
        return "the expression recursed too deeply: the call stack overflowed".to_owned();
    }
    if is_out_of_fuel(error) {
        let limit = show_bytes(EXPRESSION_RESULT_BYTES_MAX as u64);
        return format!("the expression's result is larger than its limit of {limit}");
    }
    format!("the expression ended its instance: {}", trap(error))
}

fn syntax_error(error: &Val, source: &str) -> SyntaxError {
    let Val::Record(fields) = error else {
        return SyntaxError {
            message: "not an expression".to_owned(),
            start: 0,
            end: source.len(),
        };
    };
    let field = |name: &str| {
        fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, val)| val)
    };
    let message = match field("message") {
        Some(Val::String(message)) => message.clone(),
        _ => "not an expression".to_owned(),
    };
    let position = |name: &str| match field(name) {
        // The language is not ours: its positions are kept within the text.
        Some(Val::U32(position)) => source.floor_char_boundary(*position as usize),
        _ => 0,
    };
    let (start, end) = (position("start"), position("end"));
    SyntaxError {
        message,
        start,
        end: end.max(start),
    }
}
