//! Any text gets an answer, never a panic.

use baton_workflow::Document;
use proptest::prelude::*;

const SEED: &str = "document:\n  dsl: '1.0.3'\n  namespace: test\n  name: a\n  version: '1.0.0'\nuse:\n  retries: { r: { delay: PT1S, backoff: { linear: {} } } }\ndo:\n- first:\n    try:\n    - inner: { call: http, with: { method: get, endpoint: 'http://a/{b}' } }\n    catch:\n      errors: { with: { status: 503 } }\n      retry: r\n      then: second\n- second:\n    for: { each: x, in: [{ a: 1 }] }\n    do:\n    - third: { wait: { seconds: 1 }, if: .y }\n- last:\n    fork: { branches: [ { ä: { set: { x: &q \"ö\" } } }, { b: { set: { y: *q } } } ] }\n";

/// Parses, and checks that each place is inside of the text.
fn answer(text: &str) {
    let diagnostics = match Document::parse(text, None) {
        Ok(document) => [
            document.warnings(),
            &document.unsupported(),
            &document.not_portable(),
        ]
        .concat(),
        Err(diagnostics) => diagnostics,
    };
    for one in diagnostics {
        assert!(text.get(one.span.start..one.span.end).is_some(), "{one:?}");
        let _ = one.display("x").to_string();
    }
}

#[test]
fn the_seed_is_right() {
    let document = Document::parse(SEED, None)
        .unwrap_or_else(|diagnostics| panic!("{}", super::render(&diagnostics)));
    assert!(document.unsupported().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        answer(&text);
    }

    #[test]
    fn any_punctuation(text in "[-?:,\\[\\]{}#&*!|>'\"%@` \n\ta0.]{0,80}") {
        answer(&text);
    }

    #[test]
    fn a_document_with_a_part_replaced(at in any::<prop::sample::Index>(), length in 0usize..40, with in "[-?:,\\[\\]{}#&*!|>'\" \n\ta0ä]{0,8}") {
        let boundaries: Vec<usize> = SEED.char_indices().map(|(at, _)| at).collect();
        let first = at.index(boundaries.len());
        let end = boundaries.get(first + length).copied().unwrap_or(SEED.len());
        answer(&format!("{}{with}{}", &SEED[..boundaries[first]], &SEED[end..]));
    }
}
