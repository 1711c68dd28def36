//! The targets of the fuzzer, on their seeds and on mutations of them with a fixed seed: a short form of
//! fuzzing that runs on every machine and says the same each time. `bash tests/fuzz/run` runs the real one.

#[path = "../../../tests/fuzz/src/targets.rs"]
#[expect(unreachable_pub, reason = "the fuzzer's own crate exports them")]
mod targets;

use std::path::{Path, PathBuf};

/// What the mutations put in, beside parts of other seeds.
const WORDS: [&str; 24] = [
    "${ ",
    " }",
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "\n",
    "  ",
    "'",
    "\"",
    "\\u0000",
    "&a ",
    "*a",
    "!!str ",
    "..",
    "$",
    "PT",
    "-1",
    "9223372036854775808",
    "1e999",
    "ü",
    "\u{fffd}",
];

#[test]
fn documents() {
    fuzz(targets::document, &document_seeds(), 3_000, 1);
}

#[test]
fn expressions() {
    fuzz(targets::expression, &expression_seeds(), 3_000, 2);
}

#[test]
fn fields() {
    let seeds = [
        "PT1S",
        "P1Y2M3W4DT5H6M7.5S",
        "0 8 * * MON-FRI",
        "*/5 0-3 1,15 JAN 7",
        "https://example.org/{id}?q={q}#f",
        "http://[::1]:8080/",
        "Europe/Berlin",
        "1.0.0-rc.1+build",
        "${ .a }",
        "users/create-user:1.2@scim",
        "/do/0/a~1b",
        "end",
    ];
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    // Each of them goes into many places.
    fuzz(targets::fields, &seeds, 500, 3);
}

#[test]
fn cloud_events() {
    let seeds: [&[u8]; 4] = [
        b"content-type: application/cloudevents+json\n\n{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/a\",\"type\":\"b.c\",\"data\":{\"n\":1},\"ext\":\"x\"}",
        b"content-type: application/cloudevents-batch+json\n\n[{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/a\",\"type\":\"b\",\"data_base64\":\"AAE=\"}]",
        b"ce-specversion: 1.0\nce-id: 1\nce-source: /a\nce-type: b\nce-time: 2026-11-24T08:00:00Z\ncontent-type: application/json\n\n{\"n\":[1.5,null]}",
        b"ce-specversion: 1.0\nce-id: %C3%BC\nce-source: a:b\nce-type: b\nce-subject: s\ncontent-type: text/plain\n\nhello",
    ];
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.to_vec()).collect();
    fuzz(targets::cloud_event, &seeds, 5_000, 4);
}

/// Runs a target on the seeds and on so many mutations of them.
fn fuzz(target: fn(&[u8]), seeds: &[Vec<u8>], mutations: usize, seed: u64) {
    assert!(!seeds.is_empty());
    for seed in seeds {
        target(seed);
    }
    let mut chance = Chance(seed);
    for _ in 0..mutations {
        let mut data = seeds[chance.below(seeds.len())].clone();
        for _ in 0..=chance.below(4) {
            mutate(&mut data, seeds, &mut chance);
        }
        target(&data);
    }
}

fn mutate(data: &mut Vec<u8>, seeds: &[Vec<u8>], chance: &mut Chance) {
    let at = chance.below(data.len() + 1);
    let end = (at + chance.below(16)).min(data.len());
    match chance.below(5) {
        0 => drop(data.drain(at..end)),
        1 => {
            let word = WORDS[chance.below(WORDS.len())];
            data.splice(at..at, word.bytes());
        }
        2 if at < data.len() => data[at] = u8::try_from(chance.below(256)).expect("it is a byte"),
        3 => {
            let part = data[at..end].to_vec();
            let to = chance.below(data.len() + 1);
            data.splice(to..to, part);
        }
        _ => {
            let other = &seeds[chance.below(seeds.len())];
            let from = chance.below(other.len() + 1);
            let part = other[from..(from + chance.below(64)).min(other.len())].to_vec();
            data.splice(at..end, part);
        }
    }
}

/// The documents of this repository and of the specification, where it is there.
fn document_seeds() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let specification =
        std::env::var_os("BATON_SPEC").map_or_else(|| root.join("../shared/spec"), PathBuf::from);
    let mut seeds = Vec::new();
    for folder in [root.join("workflows"), specification.join("examples")] {
        let Ok(entries) = folder.read_dir() else {
            continue;
        };
        let mut files: Vec<_> = entries
            .map(|entry| entry.expect("a readable folder").path())
            .filter(|file| {
                file.extension()
                    .is_some_and(|extension| extension == "yaml")
            })
            .collect();
        files.sort();
        seeds.extend(
            files
                .iter()
                .map(|file| std::fs::read(file).expect("a readable file")),
        );
    }
    seeds
}

/// The expressions in those documents, and some of every shape that the small evaluator takes.
fn expression_seeds() -> Vec<Vec<u8>> {
    let shapes = [
        ".",
        ".a.b[0]",
        ".[\"ü\"][\"\"]",
        "$input.a",
        "$context.b.a",
        "\"x \\(.a.b[1]) \\($context.b)\"",
        "-1.50e+3",
        "\"\\u00fc\\n\"",
        "null",
        "true",
        "[]",
        "{}",
        ".a?",
        ".. | .a",
        "{a: .b}",
    ];
    let mut seeds: Vec<Vec<u8>> = shapes
        .iter()
        .map(|shape| shape.as_bytes().to_vec())
        .collect();
    for document in document_seeds() {
        let text = String::from_utf8(document).expect("documents are text");
        for part in text.split("${").skip(1) {
            let end = part.find(" }").unwrap_or(0);
            seeds.push(part[..end].trim().as_bytes().to_vec());
        }
    }
    seeds
}

/// Numbers by chance, the same from the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    /// One of 0 to `bound - 1`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).expect("it is below a usize")
    }
}
