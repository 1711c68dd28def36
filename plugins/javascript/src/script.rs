//! Running a script, from its source to its result.

use std::path::Path;
use std::rc::Rc;

use boa_engine::builtins::promise::PromiseState;
use boa_engine::object::builtins::JsPromise;
use boa_engine::{Context, JsError, JsObject, JsResult, JsValue, Module, Source, js_string};

use crate::World;
use crate::host::{self, Output, WorldClock};
use crate::modules::{self, Modules};
use crate::rejections::Rejections;

/// What a script finds around it, in JavaScript.
const NODE: &str = include_str!("node.js");

/// What stands before a script that is made the body of a function.
const FUNCTION: &str = "(function (exports, require, module, __filename, __dirname) {";

/// How deeply functions may call each other: less than what the stack of an instance has room for, so that a
/// recursion without end is an error of the script and not a trap.
const RECURSION_MAX: usize = 4000;

/// A script, and what it is given.
#[derive(Debug, Default)]
pub struct Script {
    /// The source.
    pub code: String,
    /// `process.argv` from its third item on.
    pub arguments: Vec<String>,
    /// `process.env`.
    pub environment: Vec<(String, String)>,
    /// Standard input; empty where there is none.
    pub stdin: Option<String>,
}

/// How a script ended.
#[derive(Debug, PartialEq, Eq)]
pub struct ProcessResult {
    /// The exit code.
    pub code: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// Runs a script to its end. An exception that leaves it is a result too, with the exit code 1.
///
/// # Errors
///
/// Where the engine itself cannot be started.
pub fn run(script: &Script, world: Rc<dyn World>) -> Result<ProcessResult, String> {
    let output = Rc::new(Output::default());
    let loader = Rc::new(Modules::default());
    let rejections = Rc::new(Rejections::default());
    let context = Context::builder()
        .host_hooks(Rc::clone(&rejections))
        .clock(Rc::new(WorldClock(Rc::clone(&world))))
        .module_loader(Rc::clone(&loader))
        .build();
    let mut context = context.map_err(|error| error.to_string())?;
    context
        .runtime_limits_mut()
        .set_recursion_limit(RECURSION_MAX);
    let node = surround(script, Rc::clone(&output), world, &loader, &mut context);
    let (object, host) = node.map_err(|error| error.to_string())?;
    let node = Node {
        object,
        host,
        rejections,
    };

    let ended = execute(&script.code, &node, &mut context).and_then(|()| node.finish(&mut context));
    let code = match (ended, output.exit.get()) {
        (_, Some(code)) => code,
        (Ok(code), None) => code,
        (Err(error), None) => {
            let mut account = node.describe(&error, &mut context);
            account.push('\n');
            output.stderr.borrow_mut().push_str(&account);
            1
        }
    };
    Ok(ProcessResult {
        code,
        stdout: output.stdout.take(),
        stderr: output.stderr.take(),
    })
}

/// Makes what is around the script.
fn surround(
    script: &Script,
    output: Rc<Output>,
    world: Rc<dyn World>,
    loader: &Modules,
    context: &mut Context,
) -> JsResult<(JsObject, JsObject)> {
    let host = host::object(script, output, world, context)?;
    let make = context.eval(Source::from_bytes(NODE))?;
    let made = call(&make, &[host.clone().into()], context)?;
    let object = made
        .as_object()
        .ok_or_else(|| JsError::from_opaque(made.clone()))?;
    let available = object.get(js_string!("modules"), context)?;
    if let Some(available) = available.as_object() {
        modules::provide(&available, loader, context)?;
    }
    Ok((object, host))
}

/// Executes the source and all that it leaves to be done later.
fn execute(code: &str, node: &Node, context: &mut Context) -> JsResult<()> {
    match start(code, node, context)? {
        None => node.work_off(context),
        Some(evaluated) => {
            node.work_off(context)?;
            match evaluated.state() {
                PromiseState::Rejected(reason) => Err(JsError::from_opaque(reason)),
                PromiseState::Fulfilled(_) | PromiseState::Pending => Ok(()),
            }
        }
    }
}

/// Starts the source as Node.js does: as the body of a function, and where it is none, as a module.
fn start(code: &str, node: &Node, context: &mut Context) -> JsResult<Option<JsPromise>> {
    let name = Path::new("script");
    // On one line with the source's first, so that the lines keep their numbers.
    let wrapped = format!("{FUNCTION}{code}\n}})");
    node.start_at(FUNCTION.len(), context)?;
    let parsed = context.eval(Source::from_bytes(&wrapped).with_path(name));
    let error = match parsed {
        Ok(body) => {
            let exports = JsObject::with_object_proto(context.intrinsics());
            let module = JsObject::with_object_proto(context.intrinsics());
            module.create_data_property_or_throw(
                js_string!("exports"),
                exports.clone(),
                context,
            )?;
            let require = node.object.get(js_string!("require"), context)?;
            let file = JsValue::from(js_string!("script"));
            let arguments = [
                exports.into(),
                require,
                module.into(),
                file,
                js_string!("/").into(),
            ];
            return call(&body, &arguments, context).map(|_| None);
        }
        Err(error) => error,
    };
    let is_module = Module::parse(Source::from_bytes(code).with_path(name), None, context);
    match is_module {
        Ok(module) => {
            node.start_at(0, context)?;
            Ok(Some(module.load_link_evaluate(context)))
        }
        // What is neither is mostly what it looks like.
        Err(as_module) if looks_like_module(code) => {
            node.start_at(0, context)?;
            Err(as_module)
        }
        Err(_) => Err(error),
    }
}

/// Whether a line begins with `import` or `export`.
fn looks_like_module(code: &str) -> bool {
    code.lines().map(str::trim_start).any(|line| {
        ["import ", "import{", "import*", "export "]
            .iter()
            .any(|it| line.starts_with(it))
    })
}

fn call(function: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    match function.as_callable() {
        Some(function) => function.call(&JsValue::undefined(), arguments, context),
        None => Err(JsError::from_opaque(function.clone())),
    }
}

/// What `node.js` gives back, and the promises that nobody looks after.
struct Node {
    object: JsObject,
    host: JsObject,
    rejections: Rc<Rejections>,
}

impl Node {
    /// Says how many columns stand before the script on its first line.
    fn start_at(&self, column: usize, context: &mut Context) -> JsResult<()> {
        let column = JsValue::from(column as f64);
        self.host.set(js_string!("offset"), column, true, context)?;
        Ok(())
    }

    /// Runs what the script has left to be done later, until nothing is left.
    fn work_off(&self, context: &mut Context) -> JsResult<()> {
        loop {
            context.run_jobs()?;
            if let Some(reason) = self.rejections.first() {
                return Err(JsError::from_opaque(reason));
            }
            if !self.ask("tick", &[], context)?.to_boolean() {
                return Ok(());
            }
        }
    }

    /// The end of the script: its exit code.
    fn finish(&self, context: &mut Context) -> JsResult<i32> {
        self.ask("finish", &[], context)?.to_i32(context)
    }

    /// What to write about an error that nobody caught.
    fn describe(&self, error: &JsError, context: &mut Context) -> String {
        let thrown = error.clone().into_opaque(context);
        let described = thrown.and_then(|thrown| {
            let text = self.ask("describe", &[thrown], context)?;
            text.to_string(context)
        });
        described.map_or_else(|_| error.to_string(), |text| text.to_std_string_lossy())
    }

    fn ask(&self, name: &str, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
        let function = self.object.get(boa_engine::JsString::from(name), context)?;
        call(&function, arguments, context)
    }
}
