//! What the plugins' `Cargo.lock` says of one plugin's dependencies.
//!
//! The plugins share a lock. Each component depends on a part of it alone, so that a new plugin, or a
//! newer version of what another one uses, leaves it as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::{DistError, read};

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    checksum: Option<String>,
    /// `name`, or `name version` where the lock has several of the name.
    #[serde(default)]
    dependencies: Vec<String>,
}

/// A line `name version checksum` for the package `plugin` and for each that it depends on, sorted.
pub(super) fn closure(plugins: &Path, plugin: &str) -> Result<BTreeSet<String>, DistError> {
    let path = plugins.join("Cargo.lock");
    let text = String::from_utf8_lossy(&read(&path)?).into_owned();
    let lock: Lock = toml::from_str(&text).map_err(|source| DistError::Digests { path, source })?;
    Ok(reachable(&lock, plugin))
}

fn reachable(lock: &Lock, plugin: &str) -> BTreeSet<String> {
    let mut by_name: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for package in &lock.package {
        by_name.entry(&package.name).or_default().push(package);
    }
    let mut lines = BTreeSet::new();
    let mut open = vec![plugin];
    while let Some(reference) = open.pop() {
        let mut parts = reference.split(' ');
        let (name, version) = (parts.next().unwrap_or_default(), parts.next());
        let named = by_name.get(name).into_iter().flatten();
        for package in named.filter(|it| version.is_none_or(|version| version == it.version)) {
            let checksum = package.checksum.as_deref().unwrap_or("here");
            if lines.insert(format!("{name} {} {checksum}", package.version)) {
                open.extend(package.dependencies.iter().map(String::as_str));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_plugin_depends_on_counts() {
        let lock: Lock = toml::from_str(
            r#"
            package = [
                { name = "a", version = "1.0.0", dependencies = ["x", "y 2.0.0"] },
                { name = "b", version = "1.0.0", dependencies = ["y 1.0.0"] },
                { name = "x", version = "0.1.0", checksum = "cx", dependencies = ["y 2.0.0", "a"] },
                { name = "y", version = "1.0.0", checksum = "c1" },
                { name = "y", version = "2.0.0", checksum = "c2" },
            ]
            "#,
        )
        .unwrap();
        let lines = |plugin| Vec::from_iter(reachable(&lock, plugin));
        assert_eq!(lines("a"), ["a 1.0.0 here", "x 0.1.0 cx", "y 2.0.0 c2"]);
        assert_eq!(lines("b"), ["b 1.0.0 here", "y 1.0.0 c1"]);
    }
}
