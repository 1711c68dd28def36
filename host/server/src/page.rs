//! Which part of a list is wanted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use baton_api::page::Page;
use baton_api::{ProblemKind, limits};

use crate::query::Query;
use crate::refusal::Refusal;

/// The parameters of every list.
pub(crate) const CURSOR: &str = "cursor";
pub(crate) const LIMIT: &str = "limit";

/// How many items are wanted.
pub(crate) fn limit(query: &Query) -> Result<usize, Refusal> {
    Ok(query
        .number(LIMIT, 1, limits::PAGE_MAX)?
        .unwrap_or(limits::PAGE_DEFAULT))
}

/// A cursor of the server's own: which list it is of, and the last item before the page. The engine makes
/// those of the lists that it cuts into pages itself.
pub(crate) fn encode(list: &str, last: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{last}"))
}

/// The last item before the page, if a cursor is given. It must be of this list.
pub(crate) fn decode(query: &Query, list: &str) -> Result<Option<String>, Refusal> {
    let Some(cursor) = query.text(CURSOR) else {
        return Ok(None);
    };
    let last = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| {
            let (name, last) = text.split_once(':')?;
            (name == list).then(|| last.to_owned())
        });
    last.map(Some).ok_or_else(|| {
        let detail =
            "the cursor is not one of this list: give `next` of a page of it, or none to start";
        Refusal::new(ProblemKind::InvalidCursor, detail)
    })
}

/// The page after the item named `after` of a list that is sorted by name and whole.
pub(crate) fn cut<T>(
    list: &str,
    items: Vec<T>,
    after: Option<&str>,
    limit: usize,
    name: impl Fn(&T) -> &str,
) -> Page<T> {
    let mut rest = items
        .into_iter()
        .filter(|item| after.is_none_or(|after| name(item) > after));
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| encode(list, name(last)));
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(cursor: &str) -> Query {
        Query::read(&format!("/?cursor={cursor}").parse().unwrap(), &[CURSOR]).unwrap()
    }

    #[test]
    fn a_cursor_is_of_one_list() {
        let cursor = encode("connectors", "a:b");
        assert_eq!(
            decode(&query(&cursor), "connectors").unwrap().as_deref(),
            Some("a:b")
        );
        for (cursor, list) in [
            (&*cursor, "history"),
            ("!", "connectors"),
            ("", "connectors"),
            ("YQ", "connectors"),
        ] {
            let refusal = decode(&query(cursor), list).unwrap_err();
            assert_eq!(
                refusal.problem.kind(),
                Some(ProblemKind::InvalidCursor),
                "{cursor} {list}"
            );
        }
        let none = Query::read(&"/".parse().unwrap(), &[]).unwrap();
        assert_eq!(decode(&none, "history").unwrap(), None);
    }

    #[test]
    fn pages_meet_without_gap_or_overlap() {
        let names = ["a", "b", "c", "d", "e"];
        for limit in 1..7 {
            let (mut seen, mut after) = (Vec::new(), None::<String>);
            loop {
                let page = cut("x", names.to_vec(), after.as_deref(), limit, |name| name);
                seen.extend(page.items);
                let Some(next) = page.next else { break };
                after = decode(&query(&next), "x").unwrap();
            }
            assert_eq!(seen, names, "{limit}");
        }
    }

    #[test]
    fn a_page_of_too_many_is_refused() {
        let query =
            |text: &str| Query::read(&format!("/?{text}").parse().unwrap(), &[LIMIT]).unwrap();
        assert_eq!(limit(&query("")).unwrap(), 100);
        assert_eq!(limit(&query("limit=1000")).unwrap(), 1000);
        assert!(limit(&query("limit=1001")).is_err());
        assert!(limit(&query("limit=0")).is_err());
    }
}
