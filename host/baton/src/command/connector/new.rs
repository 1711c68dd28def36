//! `baton connector new`: the crate of a connector, ready to be built.

use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// The arguments of `baton connector new`.
///
/// The crate knows `wit-bindgen` and the `wit` folders that are copied into it, and nothing else of the host.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The connector's name: words of a-z and 0-9 with `-` between them
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,

    /// Where the new folder goes, which gets that name
    #[arg(long, value_name = "DIR", default_value = ".")]
    into: PathBuf,
}

/// The template's name, which the new connector's replaces.
const TEMPLATE: &str = "greeter";
/// Where the template looks for the host's contract; a copy of it is put into the new crate.
const TEMPLATE_WIT: &str = "../../../wit";

/// What is written, by the path in the new folder: the greeter of the tests, and the host's contract.
const FILES: [(&str, &str); 16] = [
    (
        "Cargo.toml",
        include_str!("../../../../../tests/guests/greeter/Cargo.toml"),
    ),
    (
        "Cargo.lock",
        include_str!("../../../../../tests/guests/greeter/Cargo.lock"),
    ),
    (".gitignore", "/target\n*.wasm\n"),
    (
        "src/lib.rs",
        include_str!("../../../../../tests/guests/greeter/src/lib.rs"),
    ),
    (
        "src/fetch.rs",
        include_str!("../../../../../tests/guests/greeter/src/fetch.rs"),
    ),
    (
        "wit/connector.wit",
        include_str!("../../../../../tests/guests/greeter/wit/greeter.wit"),
    ),
    (
        "baton/connector.wit",
        include_str!("../../../../../wit/connector.wit"),
    ),
    (
        "baton/deps/cli.wit",
        include_str!("../../../../../wit/deps/cli.wit"),
    ),
    (
        "baton/deps/clocks.wit",
        include_str!("../../../../../wit/deps/clocks.wit"),
    ),
    (
        "baton/deps/config.wit",
        include_str!("../../../../../wit/deps/config.wit"),
    ),
    (
        "baton/deps/filesystem.wit",
        include_str!("../../../../../wit/deps/filesystem.wit"),
    ),
    (
        "baton/deps/http.wit",
        include_str!("../../../../../wit/deps/http.wit"),
    ),
    (
        "baton/deps/io.wit",
        include_str!("../../../../../wit/deps/io.wit"),
    ),
    (
        "baton/deps/logging.wit",
        include_str!("../../../../../wit/deps/logging.wit"),
    ),
    (
        "baton/deps/random.wit",
        include_str!("../../../../../wit/deps/random.wit"),
    ),
    (
        "baton/deps/sockets.wit",
        include_str!("../../../../../wit/deps/sockets.wit"),
    ),
];

impl Args {
    pub(crate) fn execute(self) -> Outcome {
        let folder = self.into.join(&self.name);
        if folder.exists() {
            return Err(Failure::invalid(format!(
                "{} is there already",
                folder.display()
            )));
        }
        for (path, text) in FILES {
            write(&folder.join(path), &adapt(path, text, &self.name))?;
        }
        anstream::eprintln!(
            "{folder} is the crate of a connector. Next:\n  baton connector build {folder}\n  baton connector call \
             {folder}/{name}.wasm greet --args '{{\"name\":\"Ada\"}}'",
            folder = folder.display(),
            name = self.name,
        );
        Ok(Exit::Done)
    }
}

/// A file of the template for a connector of another name. The host's contract stays as it is.
fn adapt(path: &str, text: &str, name: &str) -> String {
    if path.starts_with("baton/") {
        return text.to_owned();
    }
    // In a path of Rust, wit-bindgen writes the words of a name with `_` between them.
    let module = format!("::{}::", name.replace('-', "_"));
    text.replace(TEMPLATE_WIT, "baton")
        .replace("::greeter::", &module)
        .replace(TEMPLATE, name)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, text));
    written
        .map_err(|error| Failure::new(format!("cannot write {}", path.display())).because(&error))
}

/// A name that is one for cargo, for WIT and for the host.
fn name(text: &str) -> Result<String, String> {
    let word_fits = |word: &str| {
        let rest = word.trim_start_matches(|first: char| first.is_ascii_lowercase());
        rest.len() < word.len()
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if text.len() <= 63 && text.split('-').all(word_fits) {
        return Ok(text.to_owned());
    }
    Err("expected words of a-z and 0-9 with `-` between them, each starting with a letter".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_wit() {
        for good in ["a", "greeter", "my-crm2", "x9-y"] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "-a",
            "a-",
            "a--b",
            "2a",
            "A",
            "a_b",
            "a/b",
            &"x".repeat(64),
        ] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_trace_of_the_template_is_left() {
        for (path, text) in FILES {
            let text = adapt(path, text, "crm");
            assert!(
                !text.contains(TEMPLATE) && !text.contains(TEMPLATE_WIT)
                    || path.starts_with("baton/"),
                "{path}"
            );
        }
    }
}
