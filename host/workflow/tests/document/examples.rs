//! The specification's own examples.

use std::path::PathBuf;

use baton_workflow::Document;

use super::render;

/// The folder with the specification: `BATON_SPEC`, or `shared/spec` beside the repository.
fn specification() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec");
    let folder = std::env::var_os("BATON_SPEC").map_or_else(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

#[test]
fn every_example_parses_without_loss() {
    let Some(folder) = specification() else {
        println!("not run: the specification is not there; set BATON_SPEC to its folder");
        return;
    };
    let mut count = 0;
    let mut wrong = Vec::new();
    for entry in folder
        .join("examples")
        .read_dir()
        .expect("the specification has examples")
    {
        let path = entry.expect("a readable folder").path();
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let name = path
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        count += 1;
        match Document::parse(text.as_str(), Some(&name)) {
            Err(diagnostics) => wrong.push(format!("{name}\n{}", render(&diagnostics))),
            Ok(document) => {
                if !document.warnings().is_empty() {
                    wrong.push(format!("{name}\n{}", render(document.warnings())));
                }
                assert_eq!(document.text(), text, "{name}");
                let independent: serde_json::Value = serde_saphyr::from_str(&text).expect("YAML");
                assert_eq!(**document.value(), independent, "{name}");
                // Equality of objects ignores their order, text doesn't.
                assert_eq!(
                    document.value().to_string(),
                    independent.to_string(),
                    "{name}"
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 68, "{count} examples");
}
