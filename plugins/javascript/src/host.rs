//! The functions that `node.js` stands on, and what they write to.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use boa_engine::context::time::{Clock, JsInstant};
use boa_engine::error::RuntimeLimitError;
use boa_engine::object::ObjectInitializer;
use boa_engine::object::builtins::JsArray;
use boa_engine::property::Attribute;
use boa_engine::{
    Context, JsArgs, JsObject, JsResult, JsString, JsValue, NativeFunction, js_string,
};

use crate::{Script, World};

/// What a script has done so far, as seen from outside.
#[derive(Default)]
pub(crate) struct Output {
    pub(crate) stdout: RefCell<String>,
    pub(crate) stderr: RefCell<String>,
    /// The exit code that the script has asked for.
    pub(crate) exit: Cell<Option<i32>>,
}

/// What the functions find again in the context of the engine.
#[derive(Clone)]
struct Host {
    output: Rc<Output>,
    world: Rc<dyn World>,
}

/// The clock of `Date`.
pub(crate) struct WorldClock(pub(crate) Rc<dyn World>);

impl Clock for WorldClock {
    fn now(&self) -> JsInstant {
        let elapsed = self.0.elapsed();
        JsInstant::new(elapsed.as_secs(), elapsed.subsec_nanos())
    }

    fn system_time_millis(&self) -> i64 {
        i64::try_from(self.0.since_epoch().as_millis()).unwrap_or(i64::MAX)
    }
}

/// Makes the `host` of `node.js`.
pub(crate) fn object(
    script: &Script,
    output: Rc<Output>,
    world: Rc<dyn World>,
    context: &mut Context,
) -> JsResult<JsObject> {
    context.insert_data(Host { output, world });
    let arguments = script
        .arguments
        .iter()
        .map(|it| JsString::from(it.as_str()).into());
    let arguments = JsArray::from_iter(arguments, context);
    let environment = ObjectInitializer::new(context).build();
    for (name, value) in &script.environment {
        let (name, value) = (
            JsString::from(name.as_str()),
            JsString::from(value.as_str()),
        );
        environment.create_data_property_or_throw(name, value, context)?;
    }
    let stdin = JsString::from(script.stdin.as_deref().unwrap_or_default());
    let all = Attribute::all();
    let mut host = ObjectInitializer::new(context);
    host.function(NativeFunction::from_fn_ptr(write), js_string!("write"), 2)
        .function(NativeFunction::from_fn_ptr(exit), js_string!("exit"), 1)
        .function(NativeFunction::from_fn_ptr(now), js_string!("now"), 0)
        .function(NativeFunction::from_fn_ptr(sleep), js_string!("sleep"), 1)
        .property(js_string!("stdin"), stdin, all)
        .property(js_string!("arguments"), arguments, all)
        .property(js_string!("environment"), environment, all);
    Ok(host.build())
}

fn host(context: &Context) -> Host {
    context
        .get_data::<Host>()
        .cloned()
        .expect("the context was given its host")
}

fn write(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let descriptor = arguments.get_or_undefined(0).to_i32(context)?;
    let text = arguments
        .get_or_undefined(1)
        .to_string(context)?
        .to_std_string_lossy();
    let output = host(context).output;
    let stream = if descriptor == 2 {
        &output.stderr
    } else {
        &output.stdout
    };
    stream.borrow_mut().push_str(&text);
    Ok(JsValue::undefined())
}

/// Ends the script: with an error of the kind that no `catch` and no `finally` sees.
fn exit(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let code = arguments.get_or_undefined(0).to_i32(context)?;
    host(context).output.exit.set(Some(code));
    Err(RuntimeLimitError::Recursion.into())
}

fn now(_: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let elapsed = host(context).world.elapsed();
    Ok(JsValue::from(elapsed.as_secs_f64() * 1000.0))
}

fn sleep(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let milliseconds = arguments.get_or_undefined(0).to_number(context)?;
    let duration = Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(Duration::MAX);
    host(context).world.sleep(duration);
    Ok(JsValue::undefined())
}
