//! Retry policies: whether to try again, and when.

use std::time::Duration;

use super::builder::Moment;
use super::lower::{Lowering, optional};
use super::{DurationTemplate, Template};
use crate::document::{self, Duration as Written, Located, Retry, Reusable};

/// A retry policy (dsl-reference, "Retry").
#[derive(Debug)]
pub(crate) struct RetryPolicy {
    pub(crate) when: Option<Template>,
    pub(crate) except_when: Option<Template>,
    pub(crate) delay: Option<DurationTemplate>,
    pub(crate) backoff: Backoff,
    /// How many times to try again at most: with 5, the body runs six times (dsl.md, "Retries").
    pub(crate) count_max: Option<u32>,
    /// How long one attempt may take.
    pub(crate) attempt_limit: Option<DurationTemplate>,
    /// How long after the first attempt began a further one may begin.
    pub(crate) total_limit: Option<DurationTemplate>,
    pub(crate) jitter: Option<(DurationTemplate, DurationTemplate)>,
}

/// How the delay grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backoff {
    /// The delay, each time.
    Constant,
    /// The delay times the number of the retry.
    Linear,
    /// The delay, doubled with each retry.
    Exponential,
}

/// The longest delay between two attempts. A policy that asks for more, which an exponential one does
/// soon, waits this long.
pub(crate) const DELAY_MAX: Duration = Duration::from_secs(24 * 60 * 60);

impl Backoff {
    /// How long to wait before retry number `retry`, from 1.
    pub(crate) fn delay(self, base: Duration, retry: u32) -> Duration {
        let factor = match self {
            Self::Constant => 1,
            Self::Linear => retry,
            Self::Exponential => 1u32
                .checked_shl(retry.saturating_sub(1))
                .unwrap_or(u32::MAX),
        };
        base.saturating_mul(factor).min(DELAY_MAX)
    }
}

/// Lowers a retry policy; the name of one under `use` stands for that one.
pub(super) fn lower<'d>(lowering: &mut Lowering<'d>, it: &'d Reusable<Retry>) -> RetryPolicy {
    let it = lowering.document.workflow().retry(it);
    let mut duration = |it: &Option<Located<Written>>| {
        it.as_ref()
            .map(|it| lowering.builder.duration(it, Moment::During))
    };
    let delay = duration(&it.delay);
    let attempt_limit = duration(&it.limit.attempt_duration);
    let total_limit = duration(&it.limit.duration);
    let jitter = it.jitter.as_ref().map(|(from, to)| {
        (
            lowering.builder.duration(from, Moment::During),
            lowering.builder.duration(to, Moment::During),
        )
    });
    RetryPolicy {
        when: optional(lowering, it.when.as_ref()),
        except_when: optional(lowering, it.except_when.as_ref()),
        delay,
        backoff: match it.backoff.as_ref().map(|backoff| backoff.value) {
            None | Some(document::Backoff::Constant) => Backoff::Constant,
            Some(document::Backoff::Linear) => Backoff::Linear,
            Some(document::Backoff::Exponential) => Backoff::Exponential,
        },
        count_max: it
            .limit
            .attempt_count
            .as_ref()
            .map(|count| u32::try_from(count.value).unwrap_or(u32::MAX)),
        attempt_limit,
        total_limit,
        jitter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_as_the_policy_says() {
        let seconds = |backoff: Backoff, retries: [u32; 4]| {
            retries.map(|retry| backoff.delay(Duration::from_secs(3), retry).as_secs())
        };
        assert_eq!(seconds(Backoff::Constant, [1, 2, 3, 99]), [3, 3, 3, 3]);
        assert_eq!(seconds(Backoff::Linear, [1, 2, 3, 10]), [3, 6, 9, 30]);
        assert_eq!(
            seconds(Backoff::Exponential, [1, 2, 3, 99]),
            [3, 6, 12, DELAY_MAX.as_secs()]
        );
    }
}
