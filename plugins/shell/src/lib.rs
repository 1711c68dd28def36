//! The workflow language's own `run: shell` (dsl-reference, "Shell Process"), as a connector.
//!
//! - [`command()`]: the command, as a process
//! - `component`: the contract; on WebAssembly only

#[cfg(target_arch = "wasm32")]
mod component;

use process::Command;

/// The shell (POSIX, "sh").
const SHELL: &str = "/bin/sh";

/// Where a command finds the key that is the same for every attempt and after every recovery.
const IDEMPOTENCY_KEY: &str = "BATON_IDEMPOTENCY_KEY";

/// A command of the shell as a process, with `arguments` as `$1` and so on.
pub fn command(
    command: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    stdin: Option<String>,
    idempotency_key: String,
) -> Command {
    // `$0` stands first behind the command.
    let mut words = vec!["-c".to_owned(), command, "sh".to_owned()];
    words.extend(arguments);
    let mut variables = vec![(IDEMPOTENCY_KEY.to_owned(), idempotency_key)];
    variables.extend(environment);
    Command {
        program: SHELL.to_owned(),
        arguments: words,
        environment: variables,
        stdin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stand_behind_the_name_of_the_shell() {
        let made = command(
            "echo $1".to_owned(),
            vec!["-n".to_owned()],
            vec![("A".to_owned(), "b".to_owned())],
            None,
            "key".to_owned(),
        );
        assert_eq!(made.arguments, ["-c", "echo $1", "sh", "-n"]);
        assert_eq!(
            made.environment[0],
            ("BATON_IDEMPOTENCY_KEY".to_owned(), "key".to_owned())
        );
    }
}
