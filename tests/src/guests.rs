//! Small components, written as WIT and WebAssembly text and put together as any toolchain does it.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::paths;

/// A component of a core module in text form and the WIT of its world, which is the only one of its
/// package and may use everything in the repository's `wit/`.
///
/// # Panics
///
/// When one of both is wrong.
pub fn component(wit: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve
        .push_dir(paths::file("wit"))
        .expect("the folder wit/ is right");
    let package = resolve
        .push_str("guest.wit", wit)
        .expect("the WIT of the guest is right");
    let world = resolve
        .select_world(&[package], None)
        .expect("the guest has one world");
    let mut module = wat::parse_str(module).expect("the text of the guest is right");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the world can be embedded");
    let mut encoder = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .expect("the module fits the world");
    encoder.encode().expect("the module makes a component")
}

/// A small impure connector: adds one, and reads the clock, so that its result must be durable before the
/// next step may start. `add-one: func(value: s64) -> s64`.
pub fn adder() -> Vec<u8> {
    adder_of(1)
}

/// The same to look at, and adds two: an upgrade that can be told from what was there before.
pub fn adder_of_two() -> Vec<u8> {
    adder_of(2)
}

fn adder_of(number: u8) -> Vec<u8> {
    let module = r#"
        (module
          (import "wasi:clocks/monotonic-clock@0.2.12" "now" (func $now (result i64)))
          (memory (export "memory") 1)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
          (func (export "test:adder/adder@1.0.0#add-one") (param i64) (result i64)
            (drop (call $now))
            (i64.add (local.get 0) (i64.const NUMBER))))
        "#;
    component(
        r"
        package test:adder@1.0.0;
        interface adder { add-one: func(value: s64) -> s64; }
        world guest { import wasi:clocks/monotonic-clock@0.2.12; export adder; }
        ",
        &module.replace("NUMBER", &number.to_string()),
    )
}

/// Adds one as [`adder`] does and imports nothing, so that it is seen to be pure.
pub fn pure_adder() -> Vec<u8> {
    component(
        r"
        package test:pure-adder@1.0.0;
        interface adder { add-one: func(value: s64) -> s64; }
        world guest { export adder; }
        ",
        r#"
        (module
          (memory (export "memory") 1)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
          (func (export "test:pure-adder/adder@1.0.0#add-one") (param i64) (result i64)
            (i64.add (local.get 0) (i64.const 1))))
        "#,
    )
}

/// A connector that misbehaves in each way that a test asks for. Every function is
/// `func() -> string`, but `no-json`, which returns `json`.
///
/// - `trap`: executes `unreachable`;
/// - `spin`: never returns;
/// - `allocate`: grows its memory until it is refused, then traps;
/// - `giant`: returns a string of 1 GB;
/// - `no-json`: returns text that is no JSON under the name `json`;
/// - `fine`: returns `fine`, to show that the host goes on.
pub fn hostile() -> Vec<u8> {
    component(
        r"
        package test:hostile@1.0.0;
        interface hostile {
            type json = string;
            trap: func() -> string;
            spin: func() -> string;
            allocate: func() -> string;
            giant: func() -> string;
            no-json: func() -> json;
            fine: func() -> string;
        }
        world guest { export hostile; }
        ",
        r#"
        (module
          (memory (export "memory") 1)
          (data (i32.const 64) "fine")
          (data (i32.const 80) "{ no json")
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
          ;; A string is returned by the address of its address and length.
          (func $string (param $at i32) (param $length i32) (result i32)
            (i32.store (i32.const 16) (local.get $at))
            (i32.store (i32.const 20) (local.get $length))
            (i32.const 16))
          (func (export "test:hostile/hostile@1.0.0#trap") (result i32) unreachable)
          (func (export "test:hostile/hostile@1.0.0#spin") (result i32)
            (loop $forever (br $forever)) unreachable)
          (func (export "test:hostile/hostile@1.0.0#allocate") (result i32)
            (loop $more (br_if $more (i32.ne (memory.grow (i32.const 256)) (i32.const -1))))
            unreachable)
          (func (export "test:hostile/hostile@1.0.0#giant") (result i32)
            (drop (memory.grow (i32.const 16384)))
            (call $string (i32.const 1024) (i32.const 1000000000)))
          (func (export "test:hostile/hostile@1.0.0#no-json") (result i32)
            (call $string (i32.const 80) (i32.const 9)))
          (func (export "test:hostile/hostile@1.0.0#fine") (result i32)
            (call $string (i32.const 64) (i32.const 4))))
        "#,
    )
}

/// A connector that has itself given the value of a secret (`secrets.reveal`), and says nothing but how long it is:
/// `measure: func(secret: string, member: option<string>) -> result<u32, string>`.
pub fn curious() -> Vec<u8> {
    component(
        r"
        package test:curious@1.0.0;
        interface curious { measure: func(secret: string, member: option<string>) -> result<u32, string>; }
        world guest { import baton:connector/secrets@1.0.0; export curious; }
        ",
        r#"
        (module
          (import "baton:connector/secrets@1.0.0" "reveal"
            (func $reveal (param i32 i32 i32 i32 i32 i32)))
          (memory (export "memory") 1)
          (global $free (mut i32) (i32.const 1024))
          (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
            (global.set $free (i32.add (local.get $at) (local.get $size)))
            (local.get $at))
          ;; The result of `reveal` is at 64: a case, then the value's text at 68, or the error's case and text at 72.
          (func (export "test:curious/curious@1.0.0#measure")
            (param $secret i32) (param $secret-length i32)
            (param $has-member i32) (param $member i32) (param $member-length i32) (result i32)
            (call $reveal
              (local.get $secret) (local.get $secret-length)
              (local.get $has-member) (local.get $member) (local.get $member-length)
              (i32.const 64))
            (i32.store (i32.const 32) (i32.load8_u (i32.const 64)))
            (if (i32.load8_u (i32.const 64))
              (then
                (i32.store (i32.const 36) (i32.load (i32.const 72)))
                (i32.store (i32.const 40) (i32.load (i32.const 76))))
              (else (i32.store (i32.const 36) (i32.load (i32.const 72)))))
            (i32.const 32)))
        "#,
    )
}

/// A component that imports an interface which no host has: `acme:teleport/beam@1.0.0`.
pub fn unknown_import() -> Vec<u8> {
    // The package that it imports from is nested, so that it is known to nobody else.
    component(
        r"
        package test:stranger@1.0.0;
        interface api { go: func(); }
        world guest { import acme:teleport/beam@1.0.0; export api; }
        package acme:teleport@1.0.0 { interface beam { up: func(); } }
        ",
        r#"
        (module
          (import "acme:teleport/beam@1.0.0" "up" (func $up))
          (memory (export "memory") 1)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
          (func (export "test:stranger/api@1.0.0#go") (call $up)))
        "#,
    )
}

/// A core module, which is no component.
pub fn core_module() -> Vec<u8> {
    wat::parse_str("(module)").expect("the text is right")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The guests are right, so that a refusal by the host is about what they do.
    #[test]
    fn guests_are_components() {
        for guest in [
            adder(),
            pure_adder(),
            hostile(),
            curious(),
            unknown_import(),
        ] {
            assert!(matches!(
                wit_component::decode(&guest).unwrap(),
                wit_component::DecodedWasm::Component(..)
            ));
        }
    }
}
