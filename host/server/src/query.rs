//! Query parameters, each of which must be one that the route knows.
//!
//! A misspelt filter that is ignored gives a wrong list that looks like a right one, so that it is refused,
//! with the nearest name that there is.

use std::fmt::Display;
use std::str::FromStr;

use axum::http::Uri;
use baton_api::ProblemKind;

use crate::refusal::Refusal;

/// How like a known name a misspelt one must be to be taken for it (Jaro-Winkler, 0 to 1).
const LIKENESS_MIN: f64 = 0.7;

/// The parameters of a request.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// The parameters of a URI, if all of them are among the `known` ones and none is there twice.
    pub(crate) fn read(uri: &Uri, known: &[&str]) -> Result<Self, Refusal> {
        let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let mut read: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs {
            if !known.contains(&&*name) {
                return Err(unknown(&name, known));
            }
            if read.iter().any(|(other, _)| *other == name) {
                return Err(refused(&name, "it is given more than once"));
            }
            read.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(read))
    }

    /// The value of a parameter, if it is there.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of a parameter as `read` makes it of the text, if it is there.
    pub(crate) fn parsed<T, E: Display>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        read(text)
            .map(Some)
            .map_err(|reason| refused(name, &format!("`{text}`: {reason}")))
    }

    /// A number from `low` to `high`, if it is there.
    pub(crate) fn number<T>(&self, name: &str, low: T, high: T) -> Result<Option<T>, Refusal>
    where
        T: FromStr + PartialOrd + Display,
    {
        self.parsed(name, |text| match text.parse::<T>() {
            Ok(number) if number >= low && number <= high => Ok(number),
            _ => Err(format!("expected a whole number from {low} to {high}")),
        })
    }
}

fn refused(name: &str, reason: &str) -> Refusal {
    Refusal::new(
        ProblemKind::InvalidQuery,
        format!("query parameter `{name}`: {reason}"),
    )
}

fn unknown(name: &str, known: &[&str]) -> Refusal {
    let likeness = |other: &str| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let nearest = known
        .iter()
        .copied()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let hint = match nearest {
        None => "this route takes none".to_owned(),
        Some(nearest) if likeness(nearest) >= LIKENESS_MIN => format!("did you mean `{nearest}`?"),
        Some(_) => format!(
            "this route takes {}",
            known
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    refused(name, &format!("there is no such parameter; {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["status", "startedAfter", "limit"];

    fn detail(refusal: Refusal) -> String {
        assert_eq!(refusal.problem.kind(), Some(ProblemKind::InvalidQuery));
        refusal.problem.detail.unwrap()
    }

    fn read(query: &str) -> Result<Query, String> {
        let uri = format!("/v1/runs?{query}").parse().unwrap();
        Query::read(&uri, &KNOWN).map_err(detail)
    }

    #[test]
    fn reads_what_is_known() {
        let query = read("status=a%20b%26c+d&limit=5").unwrap();
        assert_eq!(query.text("status"), Some("a b&c d"));
        assert_eq!(query.text("startedAfter"), None);
        assert_eq!(query.number("limit", 1, 10).unwrap(), Some(5));
        assert!(read("").unwrap().text("status").is_none());
    }

    #[test]
    fn a_misspelt_name_is_refused_with_the_nearest() {
        for (query, expected) in [
            (
                "stats=x",
                "query parameter `stats`: there is no such parameter; did you mean `status`?",
            ),
            (
                "started_after=x",
                "query parameter `started_after`: there is no such parameter; did you mean `startedAfter`?",
            ),
            (
                "q=x",
                "query parameter `q`: there is no such parameter; this route takes `status`, `startedAfter`, `limit`",
            ),
            (
                "limit=1&limit=2",
                "query parameter `limit`: it is given more than once",
            ),
        ] {
            assert_eq!(read(query).unwrap_err(), expected);
        }
        let uri = "/readyz?verbose".parse().unwrap();
        assert!(detail(Query::read(&uri, &[]).unwrap_err()).ends_with("this route takes none"));
    }

    #[test]
    fn numbers_have_bounds() {
        for text in ["0", "11", "-1", "1.5", "", "x", "99999999999999999999"] {
            let error = detail(
                read(&format!("limit={text}"))
                    .unwrap()
                    .number("limit", 1, 10)
                    .unwrap_err(),
            );
            assert!(
                error.ends_with("expected a whole number from 1 to 10"),
                "{error}"
            );
        }
    }
}
