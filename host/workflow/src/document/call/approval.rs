//! `call: approval`: a task for a person. An addition of this host.

use serde_json::{Map, Value};

use super::arguments;
use crate::document::Located;
use crate::document::read::{Field, Read, Reader};
use crate::yaml::Data;

/// A task for a person.
#[derive(Debug, Clone)]
pub struct Approval {
    /// `call`, which is `approval`.
    pub function: Located<String>,
    /// `with.title`: what it is about.
    pub title: Located<String>,
    /// `with.description`: what there is to know, in Markdown.
    pub description: Option<Located<String>>,
    /// `with.assignees`: who may answer, a list of strings or an expression. Default: whoever can.
    pub assignees: Option<Located<Value>>,
    /// `with.form`: a JSON Schema of the data to be given, or an expression. Default: none.
    pub form: Option<Located<Value>>,
    /// `with` as it is written.
    pub with: Located<Map<String, Value>>,
}

impl Approval {
    pub(super) fn read(
        function: Located<String>,
        with: &Field<'_>,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        let mut object = reader.object(with, "`with` of `call: approval`")?;
        let title = object.required("title");
        let description = object.optional("description");
        let assignees = object.optional::<Assignees>("assignees");
        let form = object.optional::<Form>("form");
        object.finish_with(|key| (key == "timeout").then_some("it belongs beside `call`"))?;
        Some(Self {
            function,
            title: title?,
            description: description?,
            assignees: assignees?.map(|assignees| assignees.0),
            form: form?.map(|form| form.0),
            with: arguments(with, reader)?,
        })
    }
}

struct Assignees(Located<Value>);

impl Read for Assignees {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match &field.node.data {
            Data::String(_) => {}
            Data::Sequence(_) => drop(Vec::<Located<String>>::read(field, reader)?),
            _ => {
                reader.wrong_type(field, "a list of strings or an expression", None);
                return None;
            }
        }
        Some(Self(field.located(field.node.to_value())))
    }
}

struct Form(Located<Value>);

impl Read for Form {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if !matches!(field.node.data, Data::String(_) | Data::Mapping(_)) {
            reader.wrong_type(field, "a JSON Schema (a mapping) or an expression", None);
            return None;
        }
        Some(Self(field.located(field.node.to_value())))
    }
}
