//! Lists, a page at a time.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items, in the order that the list has.
    pub items: Vec<T>,
    /// What to give as `cursor` for the items after these; left out where there are none. A cursor is
    /// opaque, stays valid while the host is restarted, and belongs to the list and the filters that
    /// it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The same page with other items.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            next: self.next,
        }
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct PageRequest {
    /// `next` of the page before; the first page without it.
    pub cursor: Option<String>,
    /// How many items at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: Option<usize>,
}

impl PageRequest {
    /// The part after the cursor of another page, of the default size.
    pub fn after(cursor: Option<String>) -> Self {
        Self {
            cursor,
            limit: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::limits;

    #[test]
    fn the_documented_bounds_are_the_real_ones() {
        assert_eq!((limits::PAGE_DEFAULT, limits::PAGE_MAX), (100, 1000));
    }
}
