//! The main job by one command: `baton run`, and `baton validate` beside it.

use baton_tests::cli::baton;
use serde_json::json;

use crate::fixtures::{document, file};

#[tokio::test]
async fn prints_the_output_and_shows_the_steps() {
    let ran = baton(&[
        "run",
        "workflows/hello.yaml",
        "--input",
        r#"{"name":"Ada"}"#,
    ])
    .await
    .expect(0);
    assert_eq!(
        ran.json(),
        json!({ "greeting": "Hello, Ada!", "letters": 3 })
    );
    for task in ["chooseLanguage", "sayHello", "measure"] {
        assert!(
            ran.stderr.contains(task),
            "no step {task} in:\n{}",
            ran.stderr
        );
    }
    assert!(
        !ran.stderr.contains("sayBonjour"),
        "a step that did not happen:\n{}",
        ran.stderr
    );
    assert!(
        !ran.stderr.contains('\u{1b}'),
        "escape codes without a terminal:\n{}",
        ran.stderr
    );
}

#[tokio::test]
async fn takes_the_input_from_a_file_and_keeps_data_where_it_is_told() {
    let (folder, input) = file("input.json", r#"{"name":"Ada","language":"fr"}"#);
    let data = folder.path().join("data");
    let input = format!("@{}", input.display());
    let arguments = [
        "run",
        "workflows/hello.yaml",
        "--input",
        &input,
        "--data",
        &*data.to_string_lossy(),
    ];
    let ran = baton(&arguments).await.expect(0);
    assert_eq!(ran.json()["greeting"], "Bonjour, Ada !");
    assert!(data.is_dir());
    // The same directory again: the document is known by now, and runs all the same.
    baton(&arguments).await.expect(0);
}

#[tokio::test]
async fn a_fault_is_exit_1_and_explained() {
    let text = document(
        "fails",
        "
        - give:
            raise:
              error:
                type: https://example.org/errors/no-luck
                status: 418
                title: No luck today
                detail: the kettle is cold
        ",
    );
    let (_folder, path) = file("fails.yaml", &text);
    let ran = baton(&[path]).await;
    assert_ne!(ran.code, Some(0), "a file alone is no command");
    let (_folder, path) = file("fails.yaml", &text);
    let ran = baton(&["run", &*path.to_string_lossy()]).await.expect(1);
    assert_eq!(ran.stdout, "");
    for part in ["No luck today", "the kettle is cold", "/do/0/give"] {
        assert!(ran.stderr.contains(part), "no {part:?} in:\n{}", ran.stderr);
    }
}

#[tokio::test]
async fn input_that_does_not_fit_the_schema_is_a_fault() {
    let ran = baton(&["run", "workflows/hello.yaml", "--input", r#"{"name":7}"#])
        .await
        .expect(1);
    assert!(
        ran.stderr.contains("validation") && ran.stderr.contains("/name"),
        "{}",
        ran.stderr
    );
}

#[tokio::test]
async fn an_invalid_document_is_exit_2_with_every_diagnostic() {
    let text = document(
        "invalid",
        "
        - first:
            set:
              a: ${ .b | }
            then: nowhere
        - second:
            wiat:
              seconds: 1
        ",
    );
    let (_folder, path) = file("invalid.yaml", &text);
    let path = path.to_string_lossy();
    let ran = baton(&["run", &*path]).await.expect(2);
    assert_eq!(ran.stdout, "");
    for part in ["invalid.yaml", "nowhere", "wiat", "wait", "^"] {
        assert!(ran.stderr.contains(part), "no {part:?} in:\n{}", ran.stderr);
    }

    let ran = baton(&["validate", "workflows/hello.yaml", &*path])
        .await
        .expect(1);
    let all = ran.stdout + &ran.stderr;
    assert!(all.contains("nowhere") && all.contains("wiat"), "{all}");
    baton(&["validate", "workflows/hello.yaml"]).await.expect(0);
}

#[tokio::test]
async fn wrong_use_is_refused_with_a_way_out() {
    for (arguments, expected) in [
        (&["run", "no-such-file.yaml"][..], "no-such-file.yaml"),
        (
            &["run", "workflows/hello.yaml", "--input", "{name: Ada"][..],
            "--input",
        ),
        (&["rum", "workflows/hello.yaml"][..], "run"),
        (
            &[
                "run",
                "workflows/hello.yaml",
                "--input",
                "{}",
                "--allow",
                "ftp://example.org",
            ][..],
            "ftp://example.org",
        ),
    ] {
        let ran = baton(arguments).await;
        assert!(
            !matches!(ran.code, Some(0) | None),
            "{arguments:?} ended with {:?}",
            ran.code
        );
        assert!(
            ran.stderr.contains(expected),
            "no {expected:?} in the answer to {arguments:?}:\n{}",
            ran.stderr
        );
        assert!(
            !ran.stderr.contains("panicked"),
            "{arguments:?}:\n{}",
            ran.stderr
        );
    }
}
