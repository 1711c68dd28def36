//! Text that wants to exhaust the host. Bounds are constants; what is tested is that they hold and that
//! the answer is a diagnostic.

use baton_workflow::Document;
use baton_workflow::yaml::{DEPTH_MAX, NODES_MAX, TEXT_BYTES_MAX};

use super::{HEADER, parse};

/// The codes of what is wrong with a text.
fn codes(text: &str) -> Vec<&'static str> {
    let diagnostics = Document::parse(text, None).expect_err("the text is wrong");
    diagnostics.iter().map(|one| one.code).collect()
}

#[test]
fn large_text_is_refused_unread() {
    assert_eq!(codes(&"[".repeat(10 << 20)), ["too-large"]);
    assert_eq!(codes(&" ".repeat(TEXT_BYTES_MAX + 1)), ["too-large"]);
}

#[test]
fn deep_nesting_is_refused() {
    let depth = 10_000;
    let texts = [
        "[".repeat(depth),
        "{".repeat(depth),
        "{a: ".repeat(depth),
        "{\"a\":".repeat(depth),
        "- ".repeat(depth),
        "[\n".repeat(depth),
        format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth)),
    ];
    for text in texts {
        let codes = codes(&text);
        assert_eq!(codes, ["too-deep"], "{:.20}", text);
    }
}

#[test]
fn keys_that_are_mappings_are_refused_at_once() {
    assert_eq!(codes(&"? ".repeat(10_000)), ["not-json"]);
}

#[test]
fn nesting_up_to_the_bound_is_read() {
    let nested = |levels: usize| {
        let value = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        format!("{HEADER}do:\n- a: {{ set: {{ x: {value} }} }}\n")
    };
    // Mapping, list, item, task and `set` are five levels around the value.
    parse(&nested(DEPTH_MAX - 5));
    assert_eq!(codes(&nested(DEPTH_MAX - 4)), ["too-deep"]);
}

#[test]
fn alias_bombs_do_not_go_off() {
    let mut lists = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let before = format!("*a{}", level - 1);
        let items = [before.as_str(); 10].join(", ");
        lists.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    assert_eq!(codes(&lists), ["too-large"]);
    let long = "x".repeat(500_000);
    let strings = format!("a: &a '{long}'\nb: [{}]\n", vec!["*a"; 1000].join(", "));
    assert_eq!(codes(&strings), ["too-large"]);
}

#[test]
fn many_values_are_refused() {
    assert_eq!(
        codes(&format!("[{}]", "1,".repeat(NODES_MAX + 1))),
        ["too-large"]
    );
}

#[test]
fn many_mistakes_are_not_all_listed() {
    let tasks: String = (0..5_000)
        .map(|at| format!("- t{at}: {{ set: {{ x: 1 }}, then: n{at} }}\n"))
        .collect();
    let codes = codes(&format!("{HEADER}do:\n{tasks}"));
    assert_eq!(codes.len(), 101);
    assert_eq!(codes.last(), Some(&"too-many-errors"));
}

#[test]
fn aliases_work_within_the_bounds() {
    let document = parse(&format!(
        "{HEADER}do:\n- a: &a {{ set: {{ x: &x [1, 2], y: *x }} }}\n- b: *a\n"
    ));
    assert_eq!(
        document.value_at("/do/1/b/set/y"),
        Some(&serde_json::json!([1, 2]))
    );
}
