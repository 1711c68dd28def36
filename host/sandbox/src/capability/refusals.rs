//! What a call was refused, as far as it is kept.

use crate::limits::{REFUSAL_TEXT_BYTES_MAX, REFUSALS_MAX};
use crate::outcome::Refusal;

/// What a call was refused: the first [`REFUSALS_MAX`], with the beginnings of what the guest has put into them. They are
/// kept with the run, so that no guest may make them large.
#[derive(Clone, Default)]
pub(crate) struct Refusals(Vec<Refusal>);

impl Refusals {
    /// Notes one.
    pub(crate) fn note(&mut self, mut refusal: Refusal) {
        if self.0.len() >= REFUSALS_MAX {
            return;
        }
        let texts = [
            Some(&mut refusal.request),
            Some(&mut refusal.reason),
            refusal.rule.as_mut(),
        ];
        for text in texts.into_iter().flatten() {
            shorten(text);
        }
        self.0.push(refusal);
    }

    /// Notes all of another list, after what is here.
    pub(crate) fn append(&mut self, others: Self) {
        self.0.extend(others.0);
        self.0.truncate(REFUSALS_MAX);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_vec(self) -> Vec<Refusal> {
        self.0
    }
}

/// Cuts a text that is too long, so that it can be seen.
fn shorten(text: &mut String) {
    if text.len() > REFUSAL_TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(REFUSAL_TEXT_BYTES_MAX));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capability;

    fn refusal(request: String) -> Refusal {
        Refusal {
            capability: Capability::Secrets,
            request,
            reason: "no".to_owned(),
            rule: Some("é".repeat(REFUSAL_TEXT_BYTES_MAX)),
        }
    }

    #[test]
    fn there_are_so_many_of_such_a_length() {
        let mut refusals = Refusals::default();
        for number in 0..REFUSALS_MAX {
            refusals.note(refusal(format!("{number} {}", "x".repeat(1 << 20))));
        }
        refusals.note(refusal("one too many".to_owned()));
        let mut all = refusals.clone();
        all.append(refusals);
        let all = all.into_vec();
        assert_eq!(all.len(), REFUSALS_MAX);
        assert!(all[REFUSALS_MAX - 1].request.starts_with("31 xxx"));
        let longest = REFUSAL_TEXT_BYTES_MAX + '…'.len_utf8();
        assert!(all.iter().all(|it| it.request.len() == longest));
        assert!(
            all.iter()
                .all(|it| it.rule.as_ref().is_some_and(|rule| rule.len() <= longest))
        );
    }
}
