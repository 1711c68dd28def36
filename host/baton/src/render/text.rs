//! Text from elsewhere, made fit for a terminal.

use std::time::Duration;

/// The text on one line, without control characters and no longer than `length_max` characters.
///
/// Names and messages come from documents, connectors and other servers. On a terminal, an escape
/// sequence in them could rewrite what the user reads.
pub(crate) fn tame(text: &str, length_max: usize) -> String {
    let mut tame: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    tame.retain(|character| !character.is_control() && !is_bidi_control(character));
    if tame.chars().count() > length_max {
        tame = tame.chars().take(length_max.saturating_sub(1)).collect();
        tame.push('…');
    }
    tame
}

/// The text as it is, but for control characters other than line breaks: for what may take several lines.
pub(crate) fn harmless(text: &str) -> String {
    let is_harmless = |it: &char| *it == '\n' || !(it.is_control() || is_bidi_control(*it));
    text.chars().filter(is_harmless).collect()
}

/// Whether a character changes the direction of the text around it (CVE-2021-42574).
fn is_bidi_control(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A duration with three digits at most: `0 ms`, `480 ms`, `1.25 s`, `2 min 05 s`, `3 h 20 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration.as_millis() {
        milliseconds @ 0..1_000 => format!("{milliseconds} ms"),
        1_000..10_000 => format!("{:.2} s", duration.as_secs_f64()),
        10_000..60_000 => format!("{:.1} s", duration.as_secs_f64()),
        60_000..3_600_000 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// `1 run`, `2 runs`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tames_what_could_rewrite_a_terminal() {
        let cases = [
            ("plain", "plain"),
            ("two\nli\tne  s", "two li ne s"),
            ("\u{1b}[2Jgone", "[2Jgone"),
            ("admin\u{202e}gpj", "admingpj"),
            ("1234567890ab", "1234567890…"),
        ];
        for (given, expected) in cases {
            assert_eq!(tame(given, 11), expected, "{given:?}");
        }
    }

    #[test]
    fn what_takes_several_lines_keeps_them() {
        let text = "first\n  \u{1b}]0;title\u{7}second\u{202e}\r\n";
        assert_eq!(harmless(text), "first\n  ]0;titlesecond\n");
    }

    #[test]
    fn durations_keep_three_digits() {
        let cases = [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_250, "1.25 s"),
            (59_940, "59.9 s"),
            (125_000, "2 min 05 s"),
            (12_000_000, "3 h 20 min"),
        ];
        for (milliseconds, expected) in cases {
            assert_eq!(duration(Duration::from_millis(milliseconds)), expected);
        }
    }
}
