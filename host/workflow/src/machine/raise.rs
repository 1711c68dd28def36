//! `raise`: the task fails, with the error that the document describes.

use serde_json::Value;

use super::Turn;
use super::task::TaskId;
use crate::error::Error;
use crate::plan::{Raise, Template};

impl Turn<'_> {
    pub(super) fn begin_raise(&mut self, id: TaskId, raise: &Raise) {
        // Whether the description could be evaluated or not, the task ends with an error.
        let error = self.describe(id, raise).unwrap_or_else(|failure| failure);
        self.fail(id, error);
    }

    fn describe(&mut self, id: TaskId, raise: &Raise) -> Result<Error, Error> {
        Ok(Error {
            type_uri: self.text(id, &raise.type_uri)?,
            status: raise.status,
            instance: self.optional_text(id, raise.instance.as_ref())?,
            title: self.optional_text(id, raise.title.as_ref())?,
            detail: self.optional_text(id, raise.detail.as_ref())?,
            data: None,
            retry_after: None,
        })
    }

    pub(super) fn optional_text(
        &mut self,
        id: TaskId,
        template: Option<&Template>,
    ) -> Result<Option<String>, Error> {
        template.map(|template| self.text(id, template)).transpose()
    }

    /// The text of a member; what is no string is shown as JSON.
    pub(super) fn text(&mut self, id: TaskId, template: &Template) -> Result<String, Error> {
        self.define(id, template).map(|value| match &*value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }
}
