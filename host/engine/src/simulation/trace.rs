//! What happened, step by step.

/// What happened in a world, where somebody wants to know.
#[derive(Default)]
pub(crate) struct Trace(Option<Vec<String>>);

impl Trace {
    /// A trace that is kept.
    pub(crate) fn kept() -> Self {
        Self(Some(Vec::new()))
    }

    /// Something has happened.
    pub(crate) fn say(&mut self, what: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.0 {
            lines.push(what());
        }
    }

    /// All of it.
    pub(crate) fn lines(&self) -> &[String] {
        self.0.as_deref().unwrap_or_default()
    }
}
