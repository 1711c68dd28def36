//! What happens to the errors of a `try` (dsl-reference, "Catch").

use super::error::Status;
use super::read::{Field, Read, Reader};
use super::{Flow, Located, Location, Retry, Reusable, TaskList, r#for::Variable};
use crate::diagnostic::code;

/// Which errors to catch, and what to do then. An error is caught when everything here that is there
/// says so.
#[derive(Debug, Clone)]
pub struct Catch {
    /// `errors.with`: what the error must be.
    pub filter: Option<ErrorFilter>,
    /// `as`: the variable that holds the error, without its dollar sign. Default: `error`.
    pub r#as: Option<Located<String>>,
    /// `when`: an expression; only errors for which it is true are caught.
    pub when: Option<Located<String>>,
    /// `exceptWhen`: an expression; errors for which it is true are not caught.
    pub except_when: Option<Located<String>>,
    /// `retry`: when to try again.
    pub retry: Option<Reusable<Retry>>,
    /// `do`: the tasks to perform when an error is caught and not retried.
    pub tasks: Option<TaskList>,
    /// `then`: where the flow goes on after that. Default: as after a `try` without an error.
    pub then: Option<Located<Flow>>,
    /// Where it is written.
    pub location: Location,
}

/// What an error must be to be caught: equal in everything that is given.
#[derive(Debug, Clone)]
pub struct ErrorFilter {
    /// `type`.
    pub r#type: Option<Located<String>>,
    /// `status`.
    pub status: Option<Located<u16>>,
    /// `instance`.
    pub instance: Option<Located<String>>,
    /// `title`.
    pub title: Option<Located<String>>,
    /// `detail`.
    pub detail: Option<Located<String>>,
}

impl Catch {
    /// The name of the variable that holds the error, without its dollar sign.
    pub fn variable(&self) -> &str {
        self.r#as.as_ref().map_or("error", |name| name.as_str())
    }
}

impl Read for Catch {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`catch`")?;
        let errors = object.optional::<Errors>("errors");
        let r#as = object.optional::<Variable>("as");
        let when = object.optional("when");
        let except_when = object.optional("exceptWhen");
        let retry = object.optional("retry");
        let tasks = object.optional("do");
        let then = object.optional("then");
        object.finish_with(|key| match key {
            "with" | "type" | "status" => {
                Some("it belongs under `errors`: errors: { with: { … } }")
            }
            "delay" | "backoff" | "limit" | "jitter" => Some("it belongs inside `retry`"),
            _ => None,
        })?;
        Some(Self {
            filter: errors?.and_then(|errors| errors.0),
            r#as: r#as?.map(|variable| variable.0),
            when: when?,
            except_when: except_when?,
            retry: retry?,
            tasks: tasks?,
            then: then?,
            location: field.location(),
        })
    }
}

/// `errors`: a mapping around the filter.
struct Errors(Option<ErrorFilter>);

impl Read for Errors {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`errors`")?;
        let filter = object.optional("with");
        object.finish_with(|key| {
            matches!(key, "type" | "status" | "instance" | "title" | "detail")
                .then_some("it belongs inside `with`")
        })?;
        Some(Self(filter?))
    }
}

impl Read for ErrorFilter {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "an error filter")?;
        let r#type = object.optional("type");
        let status = object.optional::<Status>("status");
        let instance = object.optional("instance");
        let title = object.optional("title");
        let detail = object.optional("detail");
        let empty = object.keys().next().is_none();
        object.finish_with(|key| (key == "details").then_some("did you mean `detail`?"))?;
        if empty {
            let help = "leave `errors` out to catch every error".to_owned();
            reader.error(
                code::BAD_VALUE,
                &field.location(),
                "the error filter is empty",
                help,
            );
            return None;
        }
        Some(Self {
            r#type: r#type?,
            status: status?.map(|status| status.0),
            instance: instance?,
            title: title?,
            detail: detail?,
        })
    }
}
