//! Where tasks are performed that are written elsewhere.

/// A place where a part of a document is put in that is written elsewhere: a function, where it is called.
#[derive(Clone, Debug, Default)]
pub(super) struct Site {
    /// Where it is put in: the pointer that takes the place of the next.
    performed: String,
    /// Where it is written in its document.
    written: String,
}

impl Site {
    /// The place `performed` of what is written at `written`.
    pub(super) fn new(performed: String, written: String) -> Self {
        Self { performed, written }
    }

    /// The identity of a task: where it is performed, of one that is written at `pointer`.
    pub(super) fn place_of(&self, pointer: &str) -> String {
        let within = pointer.strip_prefix(&*self.written).unwrap_or(pointer);
        format!("{}{within}", self.performed)
    }
}
