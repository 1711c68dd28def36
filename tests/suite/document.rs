//! Documents at the door: what is wrong is answered with every diagnostic at once, and nothing is stored.

use baton_tests::{Answer, Client, Host};
use serde_json::Value;

use crate::fixtures::document;

/// A document that is wrong, and the parts that its diagnostics must have, one array each: code, pointer
/// and a word of the message or the help.
const WRONG: [(&str, &str, &[[&str; 3]]); 14] = [
    (
        "unknown keys",
        "
        - a:
            set:
              x: 1
            thn: end
        - b:
            wiat:
              seconds: 1
        ",
        &[
            ["unknown-key", "/do/0/a/thn", "then"],
            ["unknown-key", "/do/1/b/wiat", "wait"],
        ],
    ),
    (
        "a wrong type",
        "
        - a:
            wait:
              seconds: soon
        ",
        &[["", "/do/0/a/wait/seconds", "integer"]],
    ),
    (
        "duplicate names",
        "
        - a:
            set:
              x: 1
        - a:
            set:
              x: 2
        ",
        &[["", "/do/1/a", "a"]],
    ),
    (
        "then to nowhere",
        "
        - first:
            set:
              x: 1
            then: secnd
        - second:
            set:
              x: 2
        ",
        &[["", "/do/0/first/then", "second"]],
    ),
    (
        "bad jq, twice",
        "
        - a:
            set:
              x: ${ .a | }
        - b:
            if: ${ .a b }
            set:
              y: ${ 1 }
        ",
        &[["", "/do/0/a/set/x", ""], ["", "/do/1/b/if", ""]],
    ),
    (
        "a variable that is not there",
        "
        - a:
            set:
              x: ${ $nobody }
        ",
        &[["", "/do/0/a/set/x", "nobody"]],
    ),
    (
        "an unknown connector",
        "
        - a:
            call: create-user@scimm
        ",
        &[["", "/do/0/a/call", "scim"]],
    ),
    (
        "an unknown function",
        "
        - a:
            call: create-usr@scim
        ",
        &[["", "/do/0/a/call", "create-user"]],
    ),
    (
        "wrong arguments",
        "
        - a:
            call: find-group@scim
            with:
              display-name: 7
        - b:
            call: find-group@scim
            with:
              display-nam: engineers
        ",
        &[
            ["", "/do/0/a/with/display-name", "string"],
            ["missing-argument", "/do/1/b/with", "display-name"],
            [
                "unknown-argument",
                "/do/1/b/with/display-nam",
                "did you mean",
            ],
        ],
    ),
    (
        "branches that wait for one another",
        "
        - a:
            fork:
              branches:
                - x: { needs: [y], set: { n: 1 } }
                - y: { needs: [x], set: { n: 1 } }
        ",
        &[[
            "cycle",
            "/do/0/a/fork/branches/0/x/needs/0",
            "`x` needs `y`",
        ]],
    ),
    (
        "a schema that is none",
        "
        - a:
            input: { schema: { document: { type: objekt } } }
            set:
              x: 1
        ",
        &[["bad-schema", "/do/0/a/input/schema/document/type", "objekt"]],
    ),
    (
        "an event without a type",
        "
        - a:
            emit:
              event:
                with:
                  source: https://example.org
        ",
        &[["missing-key", "/do/0/a/emit/event/with", "type"]],
    ),
    (
        "a mistake of every kind at once",
        "
        - a:
            set:
              x: ${ .y | }
            colour: red
        - b:
            call: creat-user@scim
        - c:
            wait:
              seconds: soon
        - d:
            set:
              z: 1
            then: nowhere
        ",
        &[
            ["bad-expression", "/do/0/a/set/x", ""],
            ["unknown-key", "/do/0/a/colour", ""],
            ["unknown-function", "/do/1/b/call", "create-user"],
            ["wrong-type", "/do/2/c/wait/seconds", "integer"],
            ["unknown-task", "/do/3/d/then", "nowhere"],
        ],
    ),
    (
        "impure jq",
        "
        - a:
            set:
              x: ${ env.HOME }
        ",
        &[["", "/do/0/a/set/x", "env"]],
    ),
];

#[tokio::test]
async fn each_mistake_is_shown_with_its_place_and_a_way_out() {
    let host = Host::dev(&[]).await;
    for (what, tasks, expected) in WRONG {
        let text = document("wrong", tasks);
        let problem = host.publish(text.clone()).await.problem(422);
        let diagnostics = problem["diagnostics"]
            .as_array()
            .unwrap_or_else(|| panic!("{what}: {problem:#}"))
            .clone();
        assert_eq!(
            diagnostics.len(),
            expected.len(),
            "{what}: {diagnostics:#?}"
        );
        for (diagnostic, [code, pointer, word]) in diagnostics.iter().zip(expected) {
            well_formed(diagnostic, &text);
            assert!(
                code.is_empty() || diagnostic["code"] == **code,
                "{what}: {diagnostic:#}"
            );
            assert_eq!(diagnostic["pointer"], *pointer, "{what}: {diagnostic:#}");
            let said = format!("{} {}", diagnostic["message"], diagnostic["help"]);
            assert!(said.contains(word), "{what}: no {word:?} in {said}");
        }
        let validation = host
            .send("POST", "/v1/validate", YAML, text)
            .await
            .expect(200)
            .json();
        assert_eq!(validation["valid"], false, "{what}");
        assert_eq!(
            validation["diagnostics"], problem["diagnostics"],
            "{what}: both routes say the same"
        );
    }
    nothing_is_stored(&host).await;
}

const YAML: &[(&str, &str)] = &[("content-type", "application/yaml")];

/// Line, column and span fit each other and the text; a message is there.
fn well_formed(diagnostic: &Value, text: &str) {
    let number =
        |value: &Value| usize::try_from(value.as_u64().unwrap_or_default()).expect("it is small");
    let (line, column) = (number(&diagnostic["line"]), number(&diagnostic["column"]));
    let start = number(&diagnostic["span"]["start"]);
    let before = text
        .get(..start)
        .unwrap_or_else(|| panic!("the span is in the text: {diagnostic:#}"));
    assert_eq!(before.matches('\n').count() + 1, line, "{diagnostic:#}");
    let in_line = before.rsplit('\n').next().unwrap_or_default();
    assert_eq!(in_line.chars().count() + 1, column, "{diagnostic:#}");
    assert!(
        diagnostic["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty()),
        "{diagnostic:#}"
    );
    assert_eq!(diagnostic["severity"], "error", "{diagnostic:#}");
}

async fn nothing_is_stored(host: &Client) {
    assert_eq!(host.all("/v1/workflows").await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_is_no_document_is_refused_all_the_same() {
    let host = Host::dev(&[]).await;
    for text in [
        "",
        "a: [",
        "- just\n- a list\n",
        "'a string'",
        "{",
        "\t",
        "\u{0}",
        "a: &a [*a]",
        "--- a\n--- b\n",
    ] {
        let problem = host.publish(text).await.problem(422);
        assert!(
            !problem["diagnostics"].as_array().is_none_or(Vec::is_empty),
            "{text:?}: {problem:#}"
        );
    }
    let latin1 = host
        .send("POST", "/v1/workflows", YAML, vec![b'a', b':', b' ', 0xe4])
        .await;
    assert!(
        matches!(latin1.status, 400 | 422),
        "{} {}",
        latin1.status,
        latin1.text()
    );
    nothing_is_stored(&host).await;
}

/// More memory than a refusal may cost, in bytes.
const MEMORY: u64 = 100 << 20;

#[tokio::test]
async fn a_flood_of_a_document_is_refused_in_bounds() {
    let host = Host::dev(&[]).await;
    let before = host.process().peak_memory();
    let huge = format!(
        "{}{}\n",
        document("huge", "- a:\n    set:\n      x: 1"),
        "# padding\n".repeat(1 << 20)
    );
    assert!(huge.len() > 10_000_000);
    for (what, text) in [
        ("10 MB", huge),
        (
            "10 MB in one scalar",
            document(
                "huge",
                &format!("- a:\n    set:\n      x: {}", "x".repeat(10_000_000)),
            ),
        ),
        (
            "brackets",
            format!("a: {}{}", "[".repeat(10_000), "]".repeat(10_000)),
        ),
        ("open brackets", "[".repeat(10_000)),
        (
            "braces",
            format!("{}1{}", "{a: ".repeat(10_000), "}".repeat(10_000)),
        ),
        ("dashes", "- ".repeat(10_000)),
        (
            "indentation",
            (0..1_200)
                .map(|depth| format!("{}a:\n", " ".repeat(depth)))
                .collect(),
        ),
        ("aliases", alias_bomb()),
        (
            "anchors in an expression's place",
            document(
                "bomb",
                &format!("- a:\n    set: {}", alias_bomb().replace('\n', "\n      ")),
            ),
        ),
    ] {
        let answer =
            tokio::time::timeout(std::time::Duration::from_secs(20), host.publish(text)).await;
        let answer: Answer = answer.unwrap_or_else(|_| panic!("{what}: no answer"));
        assert!(
            matches!(answer.status, 413 | 422),
            "{what}: {} {}",
            answer.status,
            answer.text()
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{what}"
        );
    }
    let grown = host.process().peak_memory().saturating_sub(before);
    assert!(grown < MEMORY, "the refusals took {} MB", grown >> 20);
    nothing_is_stored(&host).await;
}

/// Ten levels of ten aliases each: ten thousand million nodes when expanded.
fn alias_bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let alias = format!("*a{}", level - 1);
        text.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            [alias.as_str(); 10].join(", ")
        ));
    }
    text
}
