//! `wait`: time (dsl-reference, "Wait").

use super::read::Object;
use super::{Duration, Located};

/// A `wait` task.
#[derive(Debug, Clone)]
pub struct Wait {
    /// `wait`: how long.
    pub duration: Located<Duration>,
}

impl Wait {
    pub(super) fn read(object: &mut Object<'_, '_, '_>) -> Option<Self> {
        Some(Self {
            duration: object.required("wait")?,
        })
    }
}
