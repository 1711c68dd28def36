//! Time zones, by the database that is built into the host: the same on every machine.

use std::sync::OnceLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// How like a known name a wrong one must be to be taken for it (Jaro-Winkler, 0 to 1).
const LIKENESS_MIN: f64 = 0.8;

/// An IANA time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// A name that no time zone has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone `{name}`")]
pub struct NoSuchZone {
    /// The name.
    pub name: String,
    /// The nearest one that there is, if any is near.
    pub nearest: Option<String>,
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
            rules: TimeZone::UTC,
        }
    }

    /// The zone of that name: `Europe/Berlin`. Names differ in more than their case.
    ///
    /// # Errors
    ///
    /// [`NoSuchZone`].
    pub fn named(name: &str) -> Result<Self, NoSuchZone> {
        if let Ok(rules) = database().get(name) {
            return Ok(Self {
                name: name.to_owned(),
                rules,
            });
        }
        let likeness = |other: &str| {
            // The place is what people remember: `Berlin` is meant to be `Europe/Berlin`.
            let place = other.rsplit('/').next().unwrap_or(other);
            let like =
                |text: &str| strsim::jaro_winkler(&name.to_lowercase(), &text.to_lowercase());
            like(other).max(like(place))
        };
        let nearest = database()
            .available()
            .map(|other| (likeness(other.as_str()), other))
            .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        Err(NoSuchZone {
            name: name.to_owned(),
            nearest: nearest.map(|(_, other)| other.to_string()),
        })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn rules(&self) -> &TimeZone {
        &self.rules
    }
}

fn database() -> &'static TimeZoneDatabase {
    static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
    DATABASE.get_or_init(TimeZoneDatabase::bundled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_is_told_with_the_nearest() {
        assert_eq!(
            Zone::named("Europe/Berlin").expect("there").name(),
            "Europe/Berlin"
        );
        let nearest = |name| Zone::named(name).expect_err(name).nearest;
        assert_eq!(nearest("Europe/Berlni").as_deref(), Some("Europe/Berlin"));
        assert_eq!(nearest("Kathmandu").as_deref(), Some("Asia/Kathmandu"));
        assert_eq!(nearest("Xyzzy/Q"), None);
    }
}
