//! Running a script, from its source to its result.

use crate::World;
use rustpython_compiler_core::frozen::FrozenLib;
use rustpython_vm::builtins::{PyBaseExceptionRef, PyBytesRef};
use rustpython_vm::scope::Scope;
use rustpython_vm::{AsObject as _, Interpreter, PyResult, VirtualMachine};

/// The part of the standard library that is written in Python.
const LIBRARY: &FrozenLib = include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// What is around a script, in Python.
const AROUND: &str = include_str!("around.py");

/// What a script is called in its tracebacks.
const NAME: &str = "<script>";

/// A script, and what it is given.
#[derive(Debug, Default)]
pub struct Script {
    /// The source.
    pub code: String,
    /// `sys.argv` from its second item on.
    pub arguments: Vec<String>,
    /// `os.environ`.
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
/// Where the interpreter itself cannot be started.
pub fn run(script: &Script, world: World) -> Result<ProcessResult, String> {
    let builder = Interpreter::builder(Default::default());
    let modules = rustpython_stdlib::stdlib_module_defs(&builder.ctx);
    let interpreter = builder
        .add_native_modules(&modules)
        .add_frozen_modules(LIBRARY)
        .build();
    interpreter.enter(|vm| {
        let scope = vm.new_scope_with_builtins();
        surround(script, world, &scope, vm).map_err(|error| account(&error, vm))?;
        let code = execute(&script.code, vm);
        let stdout = written("_stdout", &scope, vm);
        let mut stderr = written("_stderr", &scope, vm);
        let code = match code {
            Ok(code) => code,
            Err(message) => {
                stderr.push_str(&message);
                1
            }
        };
        Ok(ProcessResult {
            code,
            stdout,
            stderr,
        })
    })
}

/// Makes what is around the script.
fn surround(script: &Script, world: World, scope: &Scope, vm: &VirtualMachine) -> PyResult<()> {
    let globals = &scope.globals;
    let arguments: Vec<_> = script
        .arguments
        .iter()
        .map(|it| vm.ctx.new_str(it.as_str()).into())
        .collect();
    globals.set_item("_arguments", vm.ctx.new_list(arguments).into(), vm)?;
    let environment = vm.ctx.new_dict();
    for (name, value) in &script.environment {
        environment.set_item(name.as_str(), vm.ctx.new_str(value.as_str()).into(), vm)?;
    }
    globals.set_item("_environment", environment.into(), vm)?;
    let stdin = script.stdin.as_deref().unwrap_or_default();
    globals.set_item("_stdin", vm.ctx.new_str(stdin).into(), vm)?;
    let World {
        since_epoch,
        elapsed,
        wait,
    } = world;
    let since_epoch = vm.new_function("since_epoch", move || -> u64 { since_epoch() });
    globals.set_item("_since_epoch", since_epoch.into(), vm)?;
    let elapsed = vm.new_function("elapsed", move || -> u64 { elapsed() });
    globals.set_item("_elapsed", elapsed.into(), vm)?;
    let wait = vm.new_function("wait", move |nanoseconds: u64| wait(nanoseconds));
    globals.set_item("_wait", wait.into(), vm)?;
    vm.run_string(scope.clone(), AROUND, "<baton>")?;
    Ok(())
}

/// Executes the source as the module `__main__`: its exit code, or what to say of the exception that left it.
fn execute(code: &str, vm: &VirtualMachine) -> Result<i32, String> {
    let scope = vm
        .new_scope_with_main()
        .map_err(|error| account(&error, vm))?;
    match vm.run_string(scope, code, NAME) {
        Ok(_) => Ok(0),
        Err(error) if error.fast_isinstance(vm.ctx.exceptions.system_exit) => exit_code(&error, vm),
        Err(error) => Err(account(&error, vm)),
    }
}

/// What `sys.exit` was given: nothing is 0, a number itself, and anything else is said, with the exit code 1.
fn exit_code(error: &PyBaseExceptionRef, vm: &VirtualMachine) -> Result<i32, String> {
    let arguments = error.args();
    let Some(argument) = arguments.first() else {
        return Ok(0);
    };
    if vm.is_none(argument) {
        return Ok(0);
    }
    match argument.clone().try_into_value::<i32>(vm) {
        Ok(code) => Ok(code),
        Err(_) => Err(argument
            .str(vm)
            .map_or_else(|_| String::new(), |text| format!("{text}\n"))),
    }
}

/// The traceback, as Python prints it.
fn account(error: &PyBaseExceptionRef, vm: &VirtualMachine) -> String {
    let mut text = String::new();
    match vm.write_exception(&mut text, error) {
        Ok(()) => text,
        Err(_) => "an exception that cannot be shown\n".to_owned(),
    }
}

/// What the script wrote to one of the two streams that it was given. What is no UTF-8 is replaced by U+FFFD.
fn written(stream: &str, around: &Scope, vm: &VirtualMachine) -> String {
    let get = || -> PyResult<PyBytesRef> {
        let stream = around.globals.get_item(stream, vm)?;
        let bytes = vm.call_method(&stream, "getvalue", ())?;
        bytes.try_into_value(vm)
    };
    let bytes = get().map_or_else(|_| Vec::new(), |bytes| bytes.as_bytes().to_vec());
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
