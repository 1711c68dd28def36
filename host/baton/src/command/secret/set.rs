//! `baton secret set`: a secret's value and hosts. The value is no argument: those are seen by everybody on the
//! machine, and kept by the shell.

use std::path::PathBuf;

use baton_api::secret::{SecretValue, SetSecret};

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::output::{Output, print_json};
use crate::remote::Remote;

/// The arguments of `baton secret set`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The secret's name
    #[arg(value_name = "NAME")]
    name: String,

    /// A host that may have it: `api.example.org`, `*.example.org`, `127.0.0.1:8080`; may be given several times
    #[arg(long = "host", value_name = "HOST", required = true)]
    hosts: Vec<String>,

    /// The file that holds the value, `-` for standard input; a line break at its end does not count
    #[arg(long, value_name = "FILE", default_value = "-")]
    file: PathBuf,

    /// The value is a JSON object of texts: `{"username": "ada", "password": "…"}`
    #[arg(long)]
    members: bool,

    /// A member that is no secret, so that workflows get it as it is; may be given several times
    #[arg(long, value_name = "MEMBER", requires = "members")]
    public: Vec<String>,

    /// What the answer looks like
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    remote: Remote,
}

impl Args {
    pub(crate) async fn execute(self) -> Outcome {
        let source = input::document(&self.file)?;
        let value = value(&source.text, self.members).ok_or_else(|| {
            Failure::invalid(format!("{} holds no JSON object of texts", source.name))
        })?;
        let secret = SetSecret {
            value,
            hosts: self.hosts,
            public: self.public,
        };
        let set = self
            .remote
            .client()?
            .set_secret(&self.name, &secret)
            .await?;
        match self.output {
            Output::Text => Ok(Exit::Done),
            Output::Json => print_json(&set),
        }
    }
}

/// The value that a text gives. What is wrong with it is not said more closely, since that would show it.
fn value(text: &str, members: bool) -> Option<SecretValue> {
    match members {
        true => serde_json::from_str(text).ok().map(SecretValue::Members),
        false => {
            let line = text.strip_suffix('\n').unwrap_or(text);
            let line = line.strip_suffix('\r').unwrap_or(line);
            Some(SecretValue::Text(line.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_break_does_not_count() {
        for text in ["hunter2", "hunter2\n", "hunter2\r\n"] {
            let expected = SecretValue::Text("hunter2".to_owned());
            assert_eq!(value(text, false), Some(expected));
        }
        let two = SecretValue::Text("a\nb\n".to_owned());
        assert_eq!(value("a\nb\n\n", false), Some(two));
    }

    #[test]
    fn members_are_texts() {
        let expected = SecretValue::Members([("a".to_owned(), "b".to_owned())].into());
        assert_eq!(value("{\"a\": \"b\"}\n", true), Some(expected));
        assert_eq!(value("{\"a\": 1}", true), None);
        assert_eq!(value("hunter2", true), None);
    }
}
