//! `retention`: for how long runs are kept once they have ended.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use baton_engine::{Retention, TenantId};
use jiff::{Span, SpanRelativeTo};
use serde::Deserialize;

/// The word for runs that are never removed.
const FOR_EVER: &str = "forever";

/// How long something is kept: `30d`, `12h`, or `forever`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Kept(Option<Duration>);

/// A `[[tenant]]` of `baton.toml`: what holds for one tenant in place of what holds for all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Table")]
pub(crate) struct Tenant {
    name: TenantId,
    retention: Kept,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    retention: Kept,
}

/// What the settings mean, for the engine.
pub(crate) fn resolve(all: Option<Kept>, tenants: &[Tenant]) -> Retention {
    let of = |it: &Tenant| (it.name.clone(), it.retention.0);
    Retention {
        default: all.and_then(|it| it.0),
        tenants: tenants.iter().map(of).collect::<BTreeMap<_, _>>(),
    }
}

impl FromStr for Kept {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == FOR_EVER {
            return Ok(Self(None));
        }
        let wrong = || {
            format!(
                "`{text}` is no time to keep runs for: expected a number and a unit, such as `30d`, `12h` or \
                 `90min`, of a second at least, or `{FOR_EVER}`"
            )
        };
        // A day has 24 hours here, whatever clocks do.
        let span: Span = text.parse().map_err(|_| wrong())?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours());
        let duration = duration.map_err(|_| wrong())?;
        match Duration::try_from(duration) {
            Ok(duration) if duration >= Duration::from_secs(1) => Ok(Self(Some(duration))),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Kept {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl TryFrom<Table> for Tenant {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let name = TenantId::new(&table.name).map_err(|error| error.to_string())?;
        Ok(Self {
            name,
            retention: table.retention,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        for (text, seconds) in [
            ("1s", Some(1)),
            ("90min", Some(5_400)),
            ("12h", Some(43_200)),
            ("30d", Some(2_592_000)),
            ("2w", Some(1_209_600)),
            ("P1D", Some(86_400)),
            ("forever", None),
        ] {
            let kept: Kept = text.parse().expect(text);
            assert_eq!(kept.0, seconds.map(Duration::from_secs), "{text}");
        }
        for wrong in ["", "30", "-1d", "0s", "10ms", "1y", "1mo", "never", "d"] {
            let error = wrong.parse::<Kept>().expect_err(wrong);
            assert!(error.contains("`30d`"), "{error}");
        }
    }

    #[test]
    fn a_tenant_has_what_is_said_of_it() {
        let tenant: Tenant =
            toml::from_str("name = \"acme\"\nretention = \"forever\"").expect("a tenant");
        let retention = resolve("30d".parse().ok(), &[tenant]);
        let days = Some(Duration::from_secs(30 * 86_400));
        let acme = TenantId::new("acme").expect("a tenant");
        assert_eq!(retention.of(&acme), None);
        assert_eq!(retention.of(&TenantId::default()), days);
        assert_eq!(retention.shortest(), days);
        assert_eq!(resolve(None, &[]).shortest(), None);
    }
}
