//! The command lines of a container engine.

use process::Command;

use crate::{Cleanup, Container, Pull};

/// The label that says which call a container is of.
pub const KEY_LABEL: &str = "io.baton.key";

/// The label that says how many milliseconds after its end a container is to be removed.
pub const REMOVE_LABEL: &str = "io.baton.remove-after";

/// The shell that finds the engine and stays around its command.
const SHELL: &str = "/bin/sh";

/// What it says, with the exit code below, where there is no engine.
pub const NO_ENGINE: &str = "baton: there is neither docker nor podman";

/// The exit code of a shell that does not find a program.
pub const NOT_FOUND: i32 = 127;

/// Runs the first engine that there is with the further arguments. The first names a container that is stopped
/// when the command is asked to end: an engine's command line may end without its container. Standard input goes by
/// way of another descriptor, since what a shell runs in the background reads nothing (POSIX, "Asynchronous Lists").
const SCRIPT: &str = r#"
name=$1
shift
engine=$(command -v docker || command -v podman) || {
  echo 'baton: there is neither docker nor podman' >&2
  exit 127
}
[ -z "$name" ] || trap '"$engine" kill "$name" >/dev/null 2>&1' TERM
exec 3<&0
"$engine" "$@" <&3 3<&- &
wait "$!"
"#;

/// A command line of the engine. `container` is stopped when the command has to end early.
pub fn command(container: Option<&str>, words: Vec<String>, stdin: Option<String>) -> Command {
    let mut arguments = ["-c", SCRIPT, "sh", container.unwrap_or_default()]
        .map(str::to_owned)
        .to_vec();
    arguments.extend(words);
    Command {
        program: SHELL.to_owned(),
        arguments,
        environment: Vec::new(),
        stdin,
    }
}

/// `run`: the whole command line behind the engine's name.
///
/// The environment goes into the arguments and not into that of the engine's command line: what a workflow names
/// must not reach that program.
pub fn run(container: &Container) -> Vec<String> {
    let mut words = vec!["run".to_owned(), format!("--name={}", container.name)];
    words.push(format!("--label={KEY_LABEL}={}", container.key));
    let pull = match container.pull {
        Pull::Missing => "missing",
        Pull::Always => "always",
        Pull::Never => "never",
    };
    words.push(format!("--pull={pull}"));
    match container.cleanup {
        Cleanup::Always => words.push("--rm".to_owned()),
        Cleanup::Never => {}
        Cleanup::Eventually(after) => words.push(format!("--label={REMOVE_LABEL}={after}")),
    }
    if container.detached {
        words.push("--detach".to_owned());
    }
    if container.stdin.is_some() && !container.detached {
        words.push("--interactive".to_owned());
    }
    for (name, value) in &container.environment {
        words.push(format!("--env={name}={value}"));
    }
    for (outside, inside) in &container.ports {
        words.push(format!("--publish={outside}:{inside}"));
    }
    for (outside, inside) in &container.volumes {
        words.push(format!("--volume={outside}:{inside}"));
    }
    if container.command.is_some() {
        words.push(format!("--entrypoint={SHELL}"));
    }
    // Nothing behind it is an option of the engine, whatever it looks like.
    words.push("--".to_owned());
    words.push(container.image.clone());
    if let Some(command) = &container.command {
        words.extend(["-c".to_owned(), command.clone(), "sh".to_owned()]);
    }
    words.extend(container.arguments.iter().cloned());
    words
}

/// Says which call the container of a name is of.
pub fn key_of(name: &str) -> Vec<String> {
    let format = format!("--format={{{{index .Config.Labels \"{KEY_LABEL}\"}}}}");
    ["container", "inspect", &format, "--", name]
        .map(str::to_owned)
        .to_vec()
}

/// Waits for the end of a container and says its exit code.
pub fn wait(name: &str) -> Vec<String> {
    ["wait", "--", name].map(str::to_owned).to_vec()
}

/// What a container has written.
pub fn logs(name: &str) -> Vec<String> {
    ["logs", "--", name].map(str::to_owned).to_vec()
}

/// The same name with nothing in it that engines do not take: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`.
pub fn name(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let name: String = text
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    match name.chars().next() {
        Some(first) if first.is_ascii_alphanumeric() => name,
        _ => format!("baton{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_asked_for_is_in_the_command_line() {
        let pairs = |a: &str, b: &str| vec![(a.to_owned(), b.to_owned())];
        let container = Container {
            image: "alpine".to_owned(),
            name: "n".to_owned(),
            command: Some("echo $1".to_owned()),
            arguments: vec!["--privileged".to_owned()],
            environment: pairs("A", "b c"),
            ports: pairs("8080", "80"),
            volumes: pairs("data", "/data"),
            stdin: Some("in".to_owned()),
            cleanup: Cleanup::Eventually(1000),
            pull: Pull::Always,
            detached: false,
            key: "k".to_owned(),
        };
        assert_eq!(
            run(&container),
            [
                "run",
                "--name=n",
                "--label=io.baton.key=k",
                "--pull=always",
                "--label=io.baton.remove-after=1000",
                "--interactive",
                "--env=A=b c",
                "--publish=8080:80",
                "--volume=data:/data",
                "--entrypoint=/bin/sh",
                "--",
                "alpine",
                "-c",
                "echo $1",
                "sh",
                "--privileged",
            ]
        );
        let always = Container {
            cleanup: Cleanup::Always,
            detached: true,
            image: "--privileged".to_owned(),
            ..Container::default()
        };
        assert_eq!(
            run(&always)[3..],
            ["--pull=missing", "--rm", "--detach", "--", "--privileged"]
        );
    }

    #[test]
    fn names_are_those_that_engines_take() {
        assert_eq!(name("flow-1.ns-the task"), "flow-1.ns-the-task");
        assert_eq!(name("-x"), "baton-x");
        assert_eq!(name(""), "baton");
    }
}
