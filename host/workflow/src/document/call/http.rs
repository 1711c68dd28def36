//! `call: http` (dsl-reference, "HTTP Call").

use serde_json::{Map, Value};

use super::arguments;
use crate::diagnostic::code;
use crate::document::read::{Field, Read, Reader, is_expression};
use crate::document::{Endpoint, Located};
use crate::yaml::Data;

/// An HTTP request.
#[derive(Debug, Clone)]
pub struct HttpCall {
    /// `call`, which is `http`.
    pub function: Located<String>,
    /// `with.method`, in any case. May be an expression.
    pub method: Located<String>,
    /// `with.endpoint`: where the request goes.
    pub endpoint: Endpoint,
    /// `with.headers`: a mapping with strings, numbers and booleans, or an expression.
    pub headers: Option<Located<Value>>,
    /// `with.body`, with expressions anywhere inside.
    pub body: Option<Located<Value>>,
    /// `with.query`: a mapping, or an expression.
    pub query: Option<Located<Value>>,
    /// `with.output`: what the output of the task is. Default: the content.
    pub output: HttpOutput,
    /// `with.redirect`: whether an answer with a status from 300 to 399 is a success. Default: no.
    pub redirect: bool,
    /// `with` as it is written.
    pub with: Located<Map<String, Value>>,
}

/// What of an HTTP answer is the output of the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpOutput {
    /// `raw`: its body in base64.
    Raw,
    /// `content`: its body, read as what it is.
    #[default]
    Content,
    /// `response`: the request and all of the answer.
    Response,
}

impl HttpOutput {
    /// How it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Content => "content",
            Self::Response => "response",
        }
    }
}

impl HttpCall {
    pub(super) fn read(
        function: Located<String>,
        with: &Field<'_>,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        let mut object = reader.object(with, "`with` of `call: http`")?;
        let method = object.required::<Method>("method");
        let endpoint = object.required("endpoint");
        let headers = object.optional::<Headers>("headers");
        let body = object.optional("body");
        let query = object.optional::<Query>("query");
        let output = object.optional::<HttpOutput>("output");
        let redirect = object.optional::<Located<bool>>("redirect");
        object.finish_with(|key| match key {
            "uri" | "url" => Some("did you mean `endpoint`?"),
            "authentication" => Some("it belongs inside `endpoint`, beside `uri`"),
            "params" | "parameters" => Some("did you mean `query`?"),
            _ => None,
        })?;
        Some(Self {
            function,
            method: method?.0,
            endpoint: endpoint?,
            headers: headers?.map(|headers| headers.0),
            body: body?,
            query: query?.map(|query| query.0),
            output: output?.unwrap_or_default(),
            redirect: redirect?.is_some_and(|redirect| *redirect),
            with: arguments(with, reader)?,
        })
    }
}

struct Method(Located<String>);

impl Read for Method {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let method = Located::<String>::read(field, reader)?;
        // RFC 9110, section 5.6.2.
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if is_expression(&method) || (!method.is_empty() && method.bytes().all(token)) {
            return Some(Self(method));
        }
        let message = format!("`{}` is not an HTTP method", method.value);
        reader.error(
            code::BAD_VALUE,
            &method.location,
            message,
            "write it like GET or post".to_owned(),
        );
        None
    }
}

impl Read for HttpOutput {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        reader.choice(
            field,
            &[
                ("raw", Self::Raw),
                ("content", Self::Content),
                ("response", Self::Response),
            ],
        )
    }
}

/// A mapping from names to scalars, or an expression.
struct Headers(Located<Value>);

impl Read for Headers {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let value = Query::read(field, reader)?.0;
        let mut right = true;
        for (name, header) in field.entries().into_iter().flatten() {
            // The schema asks for strings; an expression may yield the others as well.
            if !matches!(
                header.node.data,
                Data::String(_) | Data::Number(_) | Data::Bool(_)
            ) {
                reader.wrong_type(&header, &format!("the text of the header `{name}`"), None);
                right = false;
            }
        }
        right.then_some(Self(value))
    }
}

/// A mapping, or an expression. The reference allows any value for a parameter, where the schema wants text.
struct Query(Located<Value>);

impl Read for Query {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let right = field.node.as_mapping().is_some() || field.as_str().is_some_and(is_expression);
        if right {
            return Some(Self(field.located(field.node.to_value())));
        }
        reader.wrong_type(field, "a mapping or an expression: ${ … }", None);
        None
    }
}
