//! Keys that lie beside one another.

/// Keys from `start` up to and without `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The least key that is in the range.
    pub start: Vec<u8>,
    /// The least key that is behind the range.
    pub end: Vec<u8>,
}

impl KeyRange {
    /// All keys that begin with `prefix`. The prefix must not be empty or of `0xff` bytes alone, which
    /// none of this module is.
    pub(super) fn prefix(prefix: Vec<u8>) -> Self {
        let mut end = prefix.clone();
        while end.last() == Some(&0xff) {
            end.pop();
        }
        match end.last_mut() {
            Some(last) => *last += 1,
            // There is no key behind; the longest run of 0xff is as good as none.
            None => end = vec![0xff; 64],
        }
        Self { start: prefix, end }
    }

    /// Whether the range holds no key at all.
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// Whether `key` is in the range.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.start.as_slice() <= key && key < self.end.as_slice()
    }

    /// The part of the range behind `key`.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        // The least key that is greater than another is that one and a zero byte.
        let next = [key, &[0]].concat();
        self.start = self.start.max(next);
        self
    }

    /// The part of the range before `key`.
    #[must_use]
    pub fn before(mut self, key: &[u8]) -> Self {
        if key < self.end.as_slice() {
            self.end = key.to_vec();
        }
        self
    }
}
