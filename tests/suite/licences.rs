//! What the project depends on may be used with it: each crate's licence is one that `deny.toml` allows.
//! The same list is checked, more thoroughly, by `cargo deny` where that is installed.

use std::collections::BTreeSet;
use std::process::Command;

use baton_tests::paths;
use serde_json::Value;

#[test]
fn every_dependency_has_an_allowed_licence() {
    let policy: toml::Table = std::fs::read_to_string(paths::file("deny.toml"))
        .expect("it can be read")
        .parse()
        .expect("it is TOML");
    let policy = &policy["licenses"];
    let allowed = texts(&policy["allow"]);
    for manifest in ["Cargo.toml", "plugins/Cargo.toml"] {
        for (name, licence) in dependencies(manifest) {
            // Some crates have the text of a licence and not its name, and some are excepted.
            let named = of_crate(policy, "clarify", &name).find_map(|it| it["expression"].as_str());
            let licence = named.unwrap_or(&licence);
            let mut allowed = allowed.clone();
            allowed
                .extend(of_crate(policy, "exceptions", &name).flat_map(|it| texts(&it["allow"])));
            assert!(
                is_allowed(licence, &allowed),
                "{name} has the licence {licence:?}, which deny.toml does not allow"
            );
        }
    }
}

fn texts(list: &toml::Value) -> BTreeSet<&str> {
    let items = list.as_array().expect("a list");
    items.iter().filter_map(toml::Value::as_str).collect()
}

/// What the policy says of one crate under a heading.
fn of_crate<'p>(
    policy: &'p toml::Value,
    heading: &str,
    name: &str,
) -> impl Iterator<Item = &'p toml::Value> {
    let entries = policy.get(heading).and_then(toml::Value::as_array);
    let entries = entries.into_iter().flatten();
    entries.filter(move |entry| entry["crate"].as_str() == Some(name))
}

/// The packages of a workspace's lock file, with their licence expressions.
fn dependencies(manifest: &str) -> Vec<(String, String)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--offline",
        "--manifest-path",
    ];
    let output = Command::new(cargo)
        .args(arguments)
        .arg(paths::file(manifest))
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("a list");
    let outside = packages
        .iter()
        .filter(|package| !package["source"].is_null());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    outside
        .map(|package| (text(&package["name"]), text(&package["license"])))
        .collect()
}

/// Whether an SPDX expression can be met with the allowed licences alone. Parentheses are rare enough in
/// the registry to be taken away; `AND` then binds tighter than `OR`, as in SPDX.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    // Older crates write `MIT/Apache-2.0`.
    let plain = expression.replace('/', " OR ");
    if let Some((all, any)) = parenthesised(&plain) {
        return is_allowed(&any, allowed) && is_allowed(&all, allowed);
    }
    plain.split(" OR ").any(|alternative| {
        alternative
            .split(" AND ")
            .all(|licence| allowed.contains(licence.trim()))
    })
}

/// Takes apart `A AND (B OR C)` and `(B OR C) AND A`, the one form with parentheses that occurs.
fn parenthesised(expression: &str) -> Option<(String, String)> {
    let (before, rest) = expression.split_once('(')?;
    let (inside, after) = rest.split_once(')')?;
    let outside = [before, after].map(|part| {
        part.trim()
            .trim_start_matches("AND ")
            .trim_end_matches(" AND")
            .trim()
            .to_owned()
    });
    let outside = outside
        .into_iter()
        .find(|part| !part.is_empty())
        .unwrap_or_else(|| inside.to_owned());
    Some((outside, inside.to_owned()))
}

#[test]
fn expressions_are_read() {
    let allowed = ["MIT", "Apache-2.0", "Unicode-3.0"].into();
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("", false),
        ("MIT OR GPL-3.0", true),
        ("MIT/GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0", false),
        ("(GPL-2.0 OR GPL-3.0) AND MIT", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
