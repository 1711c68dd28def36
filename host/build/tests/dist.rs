//! The shipped components are built of the sources beside them.

use std::path::Path;

use baton_build::dist;

fn repository() -> std::path::PathBuf {
    std::fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

#[test]
fn each_component_is_what_its_sources_give() {
    let stale = dist::check(&repository()).unwrap();
    let messages: Vec<String> = stale.iter().map(ToString::to_string).collect();
    assert!(stale.is_empty(), "{}", messages.join("\n"));
}

#[test]
fn no_component_carries_a_path_of_the_machine_that_built_it() {
    for plugin in dist::PLUGINS {
        let path = repository().join(format!("plugins/dist/{plugin}.wasm"));
        let bytes = std::fs::read(path).unwrap();
        for trace in ["/root", "/work", "/home", "crates.io"] {
            let found = bytes
                .windows(trace.len())
                .any(|window| window == trace.as_bytes());
            assert!(!found, "{plugin}.wasm carries {trace}");
        }
    }
}

#[test]
fn a_changed_source_is_noticed() {
    let copy = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = copy.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("wit/a.wit", "package a:a;");
    write("plugins/Cargo.toml", "[workspace]");
    write("plugins/Cargo.lock", "");
    write(
        "plugins/jq/Cargo.toml",
        "[dependencies]\nhelper = { path = \"../helper\" }\n",
    );
    write("plugins/jq/src/lib.rs", "");
    write("plugins/helper/Cargo.toml", "");
    write("plugins/helper/src/lib.rs", "");
    let mut seen = vec![dist::sources(copy.path(), "jq").unwrap()];
    for (file, text) in [
        ("wit/a.wit", "// changed"),
        (
            "plugins/Cargo.lock",
            "package = [{ name = \"jq\", version = \"1.0.1\" }]",
        ),
        ("plugins/jq/src/lib.rs", "// changed"),
        ("plugins/helper/src/lib.rs", "// changed"),
    ] {
        write(file, text);
        let digest = dist::sources(copy.path(), "jq").unwrap();
        assert!(!seen.contains(&digest), "{file}");
        seen.push(digest);
    }
    assert_eq!(
        dist::check(copy.path()).unwrap().len(),
        dist::PLUGINS.len(),
        "nothing is built there"
    );
}

#[test]
fn a_folder_without_a_crate_is_refused() {
    let empty = tempfile::tempdir().unwrap();
    let error = baton_build::build(&baton_build::BuildOptions::new(empty.path())).unwrap_err();
    assert!(error.to_string().contains("holds no Cargo.toml"), "{error}");
}
