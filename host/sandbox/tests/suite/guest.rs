//! Components out of WIT and the text of a core module, and what is needed to call them.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use baton_sandbox::{
    CallContext, Connector, Grant, GrantSpec, Outcome, Progress, Sandbox, Secrets, Settings,
};
use serde_json::Value;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The bump allocator and the memory that every guest has.
const PRELUDE: &str = r#"
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 4096))
    (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $free) (i32.sub (local.get 2) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get 2))))
      (global.set $free (i32.add (local.get $at) (local.get 3)))
      (block $fits
        (br_if $fits (i32.le_u (global.get $free) (i32.mul (memory.size) (i32.const 65536))))
        (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get 3) (i32.const 16))))))
      (local.get $at))
"#;

/// Makes a component of the world `guest` of a WIT package, and of the body of a core module.
pub(crate) fn component(wit: &str, body: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve
        .push_dir(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")))
        .unwrap();
    let package = resolve.push_str("guest.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("guest")).unwrap();
    let imports = body.find("(;end of imports;)").unwrap_or(0);
    let (imports, body) = body.split_at(imports);
    let mut module = wat::parse_str(format!("(module {imports} {PRELUDE} {body})")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .validate(true)
        .encode()
        .unwrap()
}

/// A component whose interface `api` has one function: its WIT type, and its core function.
pub(crate) fn function(ty: &str, body: &str) -> Vec<u8> {
    let wit = format!(
        "package test:guest@1.0.0;
         interface api {{
             use baton:connector/types@1.0.0.{{json, failure}};
             run: {ty};
         }}
         world guest {{ export api; }}"
    );
    component(
        &wit,
        &body.replace("$RUN", r#"(export "test:guest/api@1.0.0#run")"#),
    )
}

/// The sandbox that the tests share.
pub(crate) fn sandbox() -> Arc<Sandbox> {
    static SANDBOX: LazyLock<Arc<Sandbox>> =
        LazyLock::new(|| Sandbox::new(Settings::default()).unwrap());
    Arc::clone(&SANDBOX)
}

pub(crate) fn load(bytes: &[u8]) -> Connector {
    sandbox().load(bytes).unwrap()
}

pub(crate) fn grant(spec: &Value) -> Grant {
    let spec: GrantSpec = serde_json::from_value(spec.clone()).unwrap();
    Grant::new(&spec).unwrap()
}

pub(crate) fn context() -> CallContext {
    CallContext {
        run: "0190f6a5-0000-7000-8000-000000000000".to_owned(),
        task: "/do/0/step".to_owned(),
        visit: 1,
        attempt: 2,
        idempotency_key: "key-1".to_owned(),
        deadline: Duration::from_secs(30),
        seed: [7; 32],
        secrets: Secrets::none(),
        progress: Progress::default(),
        items: None,
        reveals: None,
    }
}

/// Calls the function `run` of a component.
pub(crate) async fn run(bytes: &[u8], arguments: Value, grant: &Grant) -> Outcome {
    let connector = load(bytes);
    let function = connector.function(None, "run").unwrap();
    connector.call(function, &arguments, grant, context()).await
}
