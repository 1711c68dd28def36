//! What is and what is not a connector.

use baton_sandbox::{Capability, InspectError, LoadError, Sandbox, Settings, inspect};
use serde_json::json;

use crate::guest::{component, function, grant, sandbox};

fn refused(bytes: &[u8]) -> String {
    sandbox().load(bytes).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn what_is_no_component_is_refused_with_the_reason() {
    let valid = function("func()", "(func $RUN)");
    assert!(refused(b"").contains("is not WebAssembly"));
    assert!(refused(b"\x7fELF....").contains("is not WebAssembly"));
    assert!(
        refused(&wat::parse_str("(module)").unwrap())
            .contains("core WebAssembly module, not a component")
    );
    assert!(refused(b"\0asm\x09\0\0\0").contains("of an unknown kind (version 0x9)"));
    assert!(refused(&valid[..valid.len() - 20]).contains("is not valid"));
    assert!(refused(&wat::parse_str("(component)").unwrap()).contains("exports no function"));
}

#[test]
fn an_import_that_the_host_has_not_got_is_named() {
    let guest = wat::parse_str(
        r#"(component
             (import "acme:secret/door@1.0.0" (instance (export "open" (func))))
             (core module $m (func (export "f"))) (core instance $i (instantiate $m))
             (func (export "run") (canon lift (core func $i "f"))))"#,
    )
    .unwrap();
    assert!(
        refused(&guest).contains("imports `acme:secret/door@1.0.0`, which this host does not have")
    );
    let near = wat::parse_str(
        r#"(component
             (import "wasi:http/incoming-handler@0.2.0" (instance (export "handle" (func))))
             (core module $m (func (export "f"))) (core instance $i (instantiate $m))
             (func (export "run") (canon lift (core func $i "f"))))"#,
    )
    .unwrap();
    assert!(
        refused(&near).contains("it has `wasi:http/outgoing-handler`"),
        "{}",
        refused(&near)
    );
    let wrong = wat::parse_str(
        r#"(component
             (import "wasi:random/random@0.2.0" (instance (export "get-random-u128" (func (result u64)))))
             (core module $m (func (export "f"))) (core instance $i (instantiate $m))
             (func (export "run") (canon lift (core func $i "f"))))"#,
    )
    .unwrap();
    assert!(
        refused(&wrong).contains("get-random-u128"),
        "{}",
        refused(&wrong)
    );
}

#[test]
fn a_component_is_described_without_compiling_it() {
    let guest = component(
        "package acme:people@1.2.3;
         interface directory {
             use baton:connector/types@1.0.0.{json, failure};
             record user { user-name: string, active: option<bool>, extra: option<json> }
             enum role { admin, member }
             resource session { close: func(); }
             create: func(user: user, roles: list<role>) -> result<user, failure>;
             log-in: func() -> session;
         }
         world guest { import wasi:http/outgoing-handler@0.2.12; export directory; }",
        r#"(import "wasi:http/outgoing-handler@0.2.12" "handle" (func (param i32 i32 i32 i32)))
           (;end of imports;)
           (func (export "acme:people/directory@1.2.3#create")
              (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)
           (func (export "acme:people/directory@1.2.3#log-in") (result i32) unreachable)
           (func (export "acme:people/directory@1.2.3#[method]session.close") (param i32))"#,
    );
    let description = inspect(&guest).unwrap();
    assert_eq!(
        description.package.as_ref().unwrap().to_string(),
        "acme:people@1.2.3"
    );
    assert_eq!(description.requested(), [Capability::Http]);
    let create = description.function(None, "create").unwrap();
    assert_eq!(
        create.input_schema().unwrap(),
        json!({
            "type": "object",
            "properties": {
                "user": {
                    "type": "object",
                    "properties": {
                        "user-name": {"type": "string"},
                        "active": {"type": ["boolean", "null"]},
                        "extra": {},
                    },
                    "required": ["user-name"],
                    "additionalProperties": false,
                },
                "roles": {"type": "array", "items": {"enum": ["admin", "member"]}},
            },
            "required": ["user", "roles"],
            "additionalProperties": false,
        })
    );
    assert_eq!(
        create.output_schema().unwrap()["required"],
        json!(["user-name"])
    );
    let error = description
        .function(None, "log-in")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("cannot be called: the result is a resource"),
        "{error}"
    );
    assert!(
        sandbox().load(&guest).is_ok(),
        "one function that can be called is enough"
    );
}

#[test]
fn a_component_with_nothing_to_call_is_refused() {
    let guest = component(
        "package test:guest;
         interface api { resource thing; make: func() -> thing; }
         world guest { export api; }",
        r#"(func (export "test:guest/api#make") (result i32) unreachable)"#,
    );
    assert!(
        refused(&guest)
            .contains("none of the component's functions can be called; the first, `api/make`")
    );
}

#[test]
fn types_that_nest_too_deep_are_refused_without_harm() {
    // Far deeper than any stack would bear, were it followed.
    let mut types = String::from("(type $t0 (list u8))");
    for depth in 1..9_000 {
        types.push_str(&format!("(type $t{depth} (list $t{}))", depth - 1));
    }
    let guest = format!(
        r#"(component {types}
             (core module $m (memory (export "m") 1) (func (export "f") (param i32 i32))
               (func (export "r") (param i32 i32 i32 i32) (result i32) unreachable))
             (core instance $i (instantiate $m))
             (func (export "run") (param "x" $t8999)
               (canon lift (core func $i "f") (memory (core memory $i "m")) (realloc (core func $i "r")))))"#
    );
    let guest = wat::parse_str(&guest).unwrap();
    match inspect(&guest) {
        Ok(description) => assert!(description.functions[0].signature.is_err()),
        Err(error) => assert!(matches!(error, InspectError::Invalid(_)), "{error}"),
    }
    assert!(sandbox().load(&guest).is_err());
}

/// A number in LEB128.
fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(0x80 | (number & 0x7f) as u8);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A component of one section.
fn of_section(id: u8, content: &[u8]) -> Vec<u8> {
    let header = b"\0asm\x0d\0\x01\0".to_vec();
    [header, vec![id], leb128(content.len()), content.to_vec()].concat()
}

#[test]
fn declarations_that_nest_too_deep_are_refused_without_harm() {
    // One type that has one declaration inside, of a type that has one: three bytes a level, far more levels than any
    // stack would bear.
    for kind in [0x41, 0x42] {
        let nested = [&[1][..], &[kind, 1, 1].repeat(1_000_000), &[kind, 0]].concat();
        assert_eq!(
            inspect(&of_section(7, &nested)).unwrap_err(),
            InspectError::TooNested
        );
    }
    let mut nested = of_section(7, &[0]);
    for _ in 0..1_000 {
        nested = of_section(4, &nested);
    }
    assert_eq!(inspect(&nested).unwrap_err(), InspectError::TooNested);
    // Many beside one another, each with two inside, are counted.
    let many = [
        &leb128(4_000)[..],
        &[0x42, 2, 1, 0x42, 0, 1, 0x42, 0].repeat(4_000),
    ]
    .concat();
    assert_eq!(
        inspect(&of_section(7, &many)).unwrap_err(),
        InspectError::TooManyTypes
    );
    // What ends too soon is said to.
    let error = inspect(&of_section(7, &[1, 0x42, 2, 1])).unwrap_err();
    assert!(matches!(error, InspectError::Invalid(_)), "{error}");
}

#[test]
fn too_many_types_and_too_large_schemas_are_refused() {
    let many = format!("(component {})", "(type (list u8))".repeat(10_001));
    assert_eq!(
        inspect(&wat::parse_str(many).unwrap()).unwrap_err(),
        InspectError::TooManyTypes
    );

    // Each type names the one before four times: 4^9 nodes of schema.
    let mut types = String::from("(type $t0 (list string))");
    for depth in 1..10 {
        types.push_str(&format!(
            "(type $t{depth} (tuple{}))",
            format!(" $t{}", depth - 1).repeat(4)
        ));
    }
    let wide = format!(
        r#"(component {types} (type $t (list $t9))
             (core module $m (memory (export "m") 1) (func (export "f") (param i32 i32))
               (func (export "r") (param i32 i32 i32 i32) (result i32) unreachable))
             (core instance $i (instantiate $m))
             (func (export "run") (param "x" $t)
               (canon lift (core func $i "f") (memory (core memory $i "m")) (realloc (core func $i "r")))))"#
    );
    let error = inspect(&wat::parse_str(wide).unwrap()).unwrap_err();
    assert!(
        matches!(error, InspectError::TooComplex | InspectError::Invalid(_)),
        "{error}"
    );
}

#[test]
fn compiled_components_are_cached_and_a_damaged_file_is_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let guest = function("func() -> u8", "(func $RUN (result i32) (i32.const 9))");
    let load = || {
        let settings = Settings {
            cache: Some(folder.path().to_owned()),
            calls: Some(8),
            ..Settings::default()
        };
        Sandbox::new(settings)
            .unwrap()
            .load(&guest)
            .unwrap()
            .digest()
    };
    let digest = load();
    let files = || {
        std::fs::read_dir(folder.path())
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect::<Vec<_>>()
    };
    let [file] = &files()[..] else {
        panic!("one file: {:?}", files())
    };
    let whole = std::fs::read(file).unwrap();
    assert_eq!(load(), digest);
    for damaged in [
        &whole[..0],
        &whole[..whole.len() / 2],
        &[&whole[..100], &[whole[100] ^ 1], &whole[101..]].concat(),
    ] {
        std::fs::write(file, damaged).unwrap();
        assert_eq!(load(), digest);
        assert_eq!(
            std::fs::read(file).unwrap().len(),
            whole.len(),
            "compiled again and kept"
        );
    }
}

#[test]
fn a_grant_may_not_be_wrong() {
    assert_eq!(
        grant(&json!({"egress": ["https://*.example.org"]}))
            .limits()
            .concurrency,
        64
    );
    assert!(matches!(
        sandbox()
            .load_language(&function("func()", "(func $RUN)"))
            .unwrap_err(),
        LoadError::NoLanguage(_)
    ));
}
