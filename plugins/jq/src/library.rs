//! The functions that an expression may call: jq's, less what could differ next time.
//!
//! They come from jaq; [`LEFT_OUT`] says which of them do not, and `library.jq` adds those of jq that
//! jaq has in its command line only, or in a narrower form.

use std::sync::OnceLock;

use jaq_core::RunPtr;
use jaq_core::load::parse::Def;
use jaq_core::native::{Fun, bome, run, v};
use jaq_json::Val;
use jaq_std::ValT;

use crate::filter::Data;
use crate::{json, paths, rewrite};

/// What jq has and an expression has not, with what to do instead.
///
/// An expression is computed again after a crash, and must come to the same result.
pub const LEFT_OUT: &[(&str, &str)] = &[
    (
        "now",
        "it would differ each time: take a time of the run, as $workflow.startedAt or $task.startedAt",
    ),
    (
        "localtime",
        "it would depend on the host's time zone: use gmtime, which is UTC",
    ),
    (
        "strflocaltime",
        "it would depend on the host's time zone: use strftime, which is UTC",
    ),
    (
        "env",
        "there is no environment: pass values in through the workflow's input or its secrets",
    ),
    (
        "$ENV",
        "there is no environment: pass values in through the workflow's input or its secrets",
    ),
    ("input", "there are no further inputs: . is the only one"),
    ("inputs", "there are no further inputs: . is the only one"),
    (
        "input_filename",
        "there are no further inputs: . is the only one",
    ),
    (
        "input_line_number",
        "there are no further inputs: . is the only one",
    ),
    (
        "debug",
        "an expression has no output on the side: look at the run's history, where each task's input and output stand",
    ),
    (
        "stderr",
        "an expression has no output on the side: look at the run's history, where each task's input and output stand",
    ),
    (
        "halt",
        "an expression cannot end the process: use error to fail, or the workflow's raise",
    ),
    (
        "halt_error",
        "an expression cannot end the process: use error to fail, or the workflow's raise",
    ),
    ("$__prog_args", "there is no command line"),
    ("get_search_list", "there are no modules"),
];

/// Definitions of jaq that this crate has anew, by name and number of arguments.
const REPLACED: &[(&str, usize)] = &[
    ("del", 1),
    ("delpaths", 1),
    ("from_entries", 0),
    ("setpath", 2),
    ("tostring", 0),
    ("with_entries", 1),
    ("@json", 0),
    ("@text", 0),
];

/// The functions that are defined in jq itself.
pub(crate) fn definitions<'s>() -> impl Iterator<Item = Def<&'s str>> {
    static DEFINITIONS: OnceLock<Vec<Def<&'static str>>> = OnceLock::new();
    let parse = || {
        let own = jaq_core::load::parse(include_str!("library.jq"), |parser| parser.defs())
            .expect("library.jq is part of this crate, and its tests compile it");
        jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs())
            .filter(|definition| !is_left_out(definition.name))
            .filter(|definition| !REPLACED.contains(&(definition.name, definition.args.len())))
            .chain(own.into_iter().map(rewrite::definition))
            .collect()
    };
    DEFINITIONS.get_or_init(parse).iter().cloned()
}

/// The functions that are defined in Rust.
pub(crate) fn functions() -> impl Iterator<Item = Fun<Data>> {
    const UNUSED: &[&str] = &["debug_empty", "stderr_empty", "tojson"];
    let jaq = jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs())
        .filter(|(name, _, _)| !is_left_out(name) && !UNUSED.contains(name));
    jaq.chain(own()).chain(paths::functions())
}

/// Whether `name` (of a function or, with `$`, of a variable) is one of [`LEFT_OUT`].
pub fn is_left_out(name: &str) -> bool {
    LEFT_OUT.iter().any(|(left_out, _)| *left_out == name)
}

/// From values to text, with numbers as jq writes them (see [`json`]).
fn own() -> impl Iterator<Item = Fun<Data>> {
    let to_text: RunPtr<Data> = |(_, value)| {
        bome(Ok(match value {
            Val::TStr(_) | Val::BStr(_) => Val::from_utf8_bytes(bytes_of(value)),
            other => Val::from(json::text(&other)),
        }))
    };
    let to_json: RunPtr<Data> = |(_, value)| bome(Ok(Val::from(json::text(&value))));
    [
        ("tostring", to_text),
        ("@text", to_text),
        ("tojson", to_json),
        ("@json", to_json),
    ]
    .into_iter()
    .map(|(name, function)| run::<Data>((name, v(0), function)))
}

/// The bytes of a string of either kind.
fn bytes_of(value: Val) -> Vec<u8> {
    value.as_bytes().unwrap_or_default().to_vec()
}
