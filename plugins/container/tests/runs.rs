//! Containers on a scripted machine: what the engine is asked, and what comes of what it says.

use std::cell::RefCell;
use std::collections::VecDeque;

use container::{Cleanup, Container, Failure, Kind, run};
use process::{Command, Finished, ProcessError, Run};

/// 2026-11-24T12:00:00Z, in milliseconds.
const NOW: i64 = 1_795_521_600_000;

/// Answers each command line with the next of the script, and keeps what was asked: the words behind the
/// engine's name.
struct Machine {
    script: RefCell<VecDeque<Result<Finished, ProcessError>>>,
    asked: RefCell<Vec<Vec<String>>>,
}

impl Run for Machine {
    fn run(&self, command: &Command) -> Result<Finished, ProcessError> {
        // `-c`, the script that finds the engine, `sh`, and the container that it ends.
        let words = command.arguments[4..].to_vec();
        self.asked.borrow_mut().push(words);
        let next = self.script.borrow_mut().pop_front();
        next.expect("another command was run than was scripted")
    }
}

fn ended(code: i32, stdout: &str, stderr: &str) -> Result<Finished, ProcessError> {
    Ok(Finished {
        code,
        stdout: stdout.to_owned(),
        stderr: stderr.to_owned(),
    })
}

/// Runs the container; gives the command lines and the outcome.
fn play(
    container: &Container,
    script: Vec<Result<Finished, ProcessError>>,
) -> (Vec<Vec<String>>, Result<Finished, Failure>) {
    let machine = Machine {
        script: RefCell::new(script.into()),
        asked: RefCell::default(),
    };
    let outcome = run(container, NOW, &machine);
    assert!(machine.script.borrow().is_empty(), "not all was asked for");
    (machine.asked.into_inner(), outcome)
}

fn container() -> Container {
    Container {
        image: "alpine".to_owned(),
        name: "n".to_owned(),
        key: "key/1".to_owned(),
        ..Container::default()
    }
}

#[test]
fn what_the_container_writes_and_how_it_ends_is_the_outcome() {
    let (asked, outcome) = play(&container(), vec![ended(3, "out", "err")]);
    assert_eq!(asked[0][..2], ["run", "--name=n"]);
    let finished = outcome.expect("it ran");
    assert_eq!(
        (finished.code, &*finished.stdout, &*finished.stderr),
        (3, "out", "err")
    );
}

#[test]
fn a_container_that_has_outlived_the_host_is_waited_for() {
    let taken = "Conflict. The container name \"/n\" is already in use";
    let always = Container {
        cleanup: Cleanup::Always,
        ..container()
    };
    let script = vec![
        ended(125, "", taken),
        ended(0, "key/1\n", ""),
        ended(0, "0\n", ""),
        ended(0, "out", "err"),
        ended(0, "", ""),
    ];
    let (asked, outcome) = play(&always, script);
    let asked: Vec<&str> = asked.iter().map(|words| &*words[0]).collect();
    assert_eq!(asked, ["run", "container", "wait", "logs", "rm"]);
    let finished = outcome.expect("it ran");
    assert_eq!(
        (finished.code, &*finished.stdout, &*finished.stderr),
        (0, "out", "err")
    );
}

#[test]
fn a_container_of_somebody_elses_is_no_answer() {
    let script = vec![
        ended(125, "", "the name is in use"),
        ended(0, "other/1\n", ""),
    ];
    let failure = play(&container(), script).1.expect_err("it did not run");
    assert_eq!(failure.kind, Kind::Runtime);
    assert_eq!(
        failure.detail,
        "the container engine said: the name is in use"
    );
    // Neither is there one where the engine has failed for another reason.
    let script = vec![
        ended(125, "", "no such image"),
        ended(1, "", "no such container"),
    ];
    let failure = play(&container(), script).1.expect_err("it did not run");
    assert_eq!(failure.detail, "the container engine said: no such image");
}

#[test]
fn what_is_due_is_removed_and_nothing_before() {
    let eventually = Container {
        cleanup: Cleanup::Eventually(60_000),
        ..container()
    };
    let ends = "a|60000|2026-11-24T11:58:00.5Z\nb|60000|2026-11-24T11:59:30Z\nc|3600000|2026-11-24T11:58:00Z\n";
    let script = vec![
        ended(0, "out", ""),
        ended(0, "a\nb\nc\n", ""),
        ended(0, ends, ""),
        ended(0, "", ""),
    ];
    let (asked, outcome) = play(&eventually, script);
    assert_eq!(outcome.expect("it ran").stdout, "out");
    assert_eq!(asked[1][0], "ps");
    assert_eq!(asked[2][4..], ["a", "b", "c"]);
    assert_eq!(asked[3], ["rm", "--", "a"]);
    // That the engine cannot say what there is does not make the container a failed one.
    let (_, outcome) = play(
        &eventually,
        vec![
            ended(0, "out", ""),
            Err(ProcessError::Limit("no".to_owned())),
        ],
    );
    assert!(outcome.is_ok());
}

#[test]
fn why_there_is_no_container_is_said() {
    let cases = [
        (
            ended(127, "", "baton: there is neither docker nor podman\n"),
            Kind::Configuration,
            "neither `docker` nor `podman`",
        ),
        (
            Err(ProcessError::Denied("off".to_owned())),
            Kind::Authorization,
            "off",
        ),
        (
            Err(ProcessError::Failed("no".to_owned())),
            Kind::Configuration,
            "no",
        ),
        (
            Err(ProcessError::Limit("much".to_owned())),
            Kind::Runtime,
            "much",
        ),
    ];
    for (answer, kind, detail) in cases {
        let failure = play(&container(), vec![answer]).1.expect_err("none ran");
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert!(failure.detail.contains(detail), "{failure:?}");
    }
    let nameless = Container {
        image: " ".to_owned(),
        ..container()
    };
    let failure = play(&nameless, Vec::new()).1.expect_err("no image");
    assert_eq!(failure.kind, Kind::Validation);
}
