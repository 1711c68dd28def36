//! A connector on the command line: a component in a file, or a name on a host.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The component in this file.
    File(PathBuf),
    /// The one that a host has under this name.
    Name(String),
}

impl FromStr for Target {
    type Err = Infallible;

    /// What has a `/` or ends in `.wasm` is a file. No connector's name does.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_file =
            text.contains(std::path::is_separator) || Path::new(text).extension().is_some();
        Ok(if is_file {
            Self::File(text.into())
        } else {
            Self::Name(text.to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_look_like_files() {
        for file in ["greeter.wasm", "./greeter", "/tmp/greeter"] {
            assert_eq!(file.parse(), Ok(Target::File(file.into())));
        }
        assert_eq!("greeter".parse(), Ok(Target::Name("greeter".into())));
    }
}
