//! Taking the values of secrets out of what comes back.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use memchr::memmem;
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use zeroize::Zeroizing;

use super::keyring::{ENCODED, Used, json};

/// Values shorter than this are not looked for: they occur by chance, and what is replaced then is not the secret
/// but the data.
const VALUE_BYTES_MIN: usize = 4;

/// What a path or query need not encode (RFC 3986, section 3.3), so that servers write it back so.
const LENIENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Replaces values by their placeholders in a stream of bytes, also where a value comes in pieces. It holds back
/// only what may turn out to be the beginning of a value.
pub(crate) struct Scrubber {
    patterns: Vec<Pattern>,
    held: Zeroizing<Vec<u8>>,
}

struct Pattern {
    bytes: Zeroizing<Vec<u8>>,
    placeholder: String,
}

impl Scrubber {
    /// One that looks for what was filled in, as it was or in an encoding that servers are wont to echo it in. None
    /// where there is nothing to look for.
    pub(crate) fn new(used: &Used) -> Option<Self> {
        let mut patterns: Vec<Pattern> = Vec::new();
        let long_enough = used
            .0
            .iter()
            .filter(|(_, value)| value.expose().len() >= VALUE_BYTES_MIN);
        for (placeholder, value) in long_enough {
            for bytes in forms(value.expose()) {
                let is_new = !patterns.iter().any(|it| *it.bytes == *bytes);
                if is_new {
                    let placeholder = placeholder.to_string();
                    patterns.push(Pattern { bytes, placeholder });
                }
            }
        }
        (!patterns.is_empty()).then(|| Self {
            patterns,
            held: Zeroizing::default(),
        })
    }

    /// Takes the next piece, and gives what can be passed on.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let (passed, rest) = self.scrub(&held, false);
        self.held = Zeroizing::new(held[rest..].to_vec());
        passed
    }

    /// Gives what was held back, at the end.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        self.scrub(&held, true).0
    }

    /// A text that is whole.
    pub(crate) fn whole(&self, bytes: &[u8]) -> Vec<u8> {
        self.scrub(bytes, true).0
    }

    /// What of `bytes` can be passed on, and where the rest begins.
    fn scrub(&self, bytes: &[u8], is_end: bool) -> (Vec<u8>, usize) {
        let mut passed = Vec::with_capacity(bytes.len());
        let mut from = 0;
        loop {
            let open = match is_end {
                true => bytes.len(),
                false => self.open(bytes, from),
            };
            match self.first(bytes, from).filter(|(at, _)| *at < open) {
                Some((at, pattern)) => {
                    passed.extend_from_slice(&bytes[from..at]);
                    passed.extend_from_slice(pattern.placeholder.as_bytes());
                    from = at + pattern.bytes.len();
                }
                None => {
                    passed.extend_from_slice(&bytes[from..open]);
                    return (passed, open);
                }
            }
        }
    }

    /// The first value from `from` on; the longest, where several begin there.
    fn first(&self, bytes: &[u8], from: usize) -> Option<(usize, &Pattern)> {
        let found = self.patterns.iter().filter_map(|pattern| {
            let at = from + memmem::find(&bytes[from..], &pattern.bytes)?;
            Some((at, pattern))
        });
        found.min_by_key(|(at, pattern)| (*at, std::cmp::Reverse(pattern.bytes.len())))
    }

    /// Where, from `from` on, something begins that may go on to be a value, or a longer one.
    fn open(&self, bytes: &[u8], from: usize) -> usize {
        let longest = self.patterns.iter().map(|it| it.bytes.len()).max();
        let start = bytes
            .len()
            .saturating_sub(longest.unwrap_or(1) - 1)
            .max(from);
        let is_begun = |at: &usize| {
            let rest = &bytes[*at..];
            let goes_on = |pattern: &Pattern| {
                pattern.bytes.len() > rest.len() && pattern.bytes.starts_with(rest)
            };
            self.patterns.iter().any(goes_on)
        };
        (start..bytes.len()).find(is_begun).unwrap_or(bytes.len())
    }
}

/// The forms in which a value may come back.
fn forms(value: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let bytes = value.as_bytes();
    let percent = |set| percent_encode(bytes, set).to_string();
    let encoded = percent(ENCODED);
    let in_json = json(value).to_string();
    // A body of JSON, echoed as a text within JSON.
    let twice = json(&in_json).to_string();
    let forms = [
        value.to_owned(),
        ascii(&in_json),
        ascii(&twice),
        in_json,
        twice,
        percent(LENIENT),
        encoded.replace("%20", "+"),
        lower_hex(&encoded),
        BASE64_STANDARD.encode(bytes),
        BASE64_URL_SAFE_NO_PAD.encode(bytes),
        encoded,
    ];
    forms
        .into_iter()
        .map(|form| Zeroizing::new(form.into_bytes()))
        .collect()
}

/// A text within JSON as those write it who keep to ASCII (RFC 8259, section 7).
fn ascii(in_json: &str) -> String {
    let mut text = String::with_capacity(in_json.len());
    for unit in in_json.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\u{unit:04x}")),
        }
    }
    text
}

/// Percent-encoded text with its hex digits in lower case.
fn lower_hex(encoded: &str) -> String {
    let mut digits = 0;
    let lower = |character: char| {
        if character == '%' {
            digits = 2;
        } else if digits > 0 {
            digits -= 1;
            return character.to_ascii_lowercase();
        }
        character
    };
    encoded.chars().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::{Placeholder, Value};

    fn scrubber(values: &[&str]) -> Scrubber {
        let used = values.iter().zip(1..).map(|(value, number)| {
            let placeholder = Placeholder::from_bytes([number; 16]);
            (placeholder, Value::new((*value).to_owned()))
        });
        Scrubber::new(&Used(used.collect())).unwrap()
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn every_form_of_a_value_is_replaced() {
        let value = "s3cr\"t /ä";
        let scrubber = scrubber(&[value]);
        let placeholder = Placeholder::from_bytes([1; 16]);
        for form in [
            "s3cr\"t /ä",
            "s3cr\\\"t /ä",
            "s3cr\\\"t /\\u00e4",
            "s3cr\\\\\\\"t /ä",
            "s3cr%22t%20%2F%C3%A4",
            "s3cr%22t%20%2f%c3%a4",
            "s3cr%22t+%2F%C3%A4",
            "s3cr%22t%20/%C3%A4",
            &BASE64_STANDARD.encode(value),
        ] {
            let scrubbed = text(scrubber.whole(format!("<{form}>").as_bytes()));
            assert_eq!(scrubbed, format!("<{placeholder}>"), "{form}");
        }
    }

    #[test]
    fn a_short_value_is_left_alone() {
        let used = Used(vec![(
            Placeholder::from_bytes([1; 16]),
            Value::new("1".to_owned()),
        )]);
        let scrubber = Scrubber::new(&used);
        assert!(scrubber.is_none());
    }

    #[test]
    fn the_longer_of_two_values_goes_first() {
        let mut scrubber = scrubber(&["abcd", "abcdef"]);
        let [short, long] = [1, 2].map(|number| Placeholder::from_bytes([number; 16]));
        let mut out = scrubber.push(b"abcd abc");
        assert_eq!(text(out.clone()), format!("{short} "));
        out = scrubber.push(b"def abcde");
        out.extend(scrubber.finish());
        assert_eq!(text(out), format!("{long} {short}e"));
    }

    #[test]
    fn nothing_is_held_back_that_begins_no_value() {
        let mut scrubber = scrubber(&["secret-value"]);
        assert_eq!(scrubber.push(b"data: 1\n\n"), b"data: 1\n\n");
        assert_eq!(scrubber.push(b"a secr"), b"a ");
        assert_eq!(scrubber.push(b"ets."), b"secrets.");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            text in "[ab]{0,40}",
            cuts in proptest::collection::vec(0_usize..40, 0..6),
        ) {
            let values = ["abab", "ababb", "bbbbb", "aaab"];
            let whole = scrubber(&values).whole(text.as_bytes());
            let mut cuts: Vec<usize> = cuts.into_iter().map(|it| it.min(text.len())).collect();
            cuts.sort_unstable();
            cuts.push(text.len());
            let (mut pieces, mut from, mut scrubber) = (Vec::new(), 0, scrubber(&values));
            for cut in cuts {
                pieces.extend(scrubber.push(&text.as_bytes()[from..cut]));
                from = cut;
            }
            pieces.extend(scrubber.finish());
            prop_assert_eq!(pieces, whole);
        }
    }
}
