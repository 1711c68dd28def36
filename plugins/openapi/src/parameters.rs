//! What the workflow gives, put where the operation takes it.

use calls::value::{header, uri};
use calls::{Failure, MediaType};
use outgoing::Request;
use serde_json::{Map, Value};

use crate::body;
use crate::call::USER_AGENT;
use crate::document::Operation;
use crate::serialize::Style;

/// Methods that are not safe (RFC 9110, section 9.2.1), and so carry an idempotency key.
const UNSAFE_METHODS: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

/// The name under which a body is given.
const BODY: &str = "body";

/// The request of an operation with these parameters.
///
/// # Errors
///
/// `validation`: a parameter that is missing, or that there is not, or that can't be written where it goes.
pub(crate) fn request(
    operation: &Operation<'_>,
    given: Map<String, Value>,
    key: &str,
) -> Result<Request, Failure> {
    let mut parts = Parts {
        path: operation.path.to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        cookies: Vec::new(),
        form: Map::new(),
        body: None,
    };
    let mut left = given;
    let mut missing = Vec::new();
    let keys = api_keys(operation);
    for parameter in operation.parameters.iter().copied().chain(&keys) {
        let text = |name: &str| {
            parameter
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (name, place) = (text("name"), text("in"));
        let given = left.shift_remove(name).filter(|value| !value.is_null());
        match given.or_else(|| default(operation, parameter)) {
            Some(value) => parts.put(name, place, parameter, value)?,
            None if parameter.get("required") == Some(&Value::Bool(true)) && place != BODY => {
                missing.push(format!("`{name}`"));
            }
            None => {}
        }
    }
    let takes = body_types(operation)?;
    if !missing.is_empty() {
        return Err(Failure::validation(format!(
            "parameters: {} of `{}` {} required",
            missing.join(" and "),
            id(operation),
            if missing.len() == 1 { "is" } else { "are" }
        )));
    }
    if let Some(takes) = &takes {
        parts.take_body(&mut left, takes, operation)?;
    }
    if let Some(unknown) = left.keys().next() {
        return Err(unknown_parameter(operation, unknown, takes.is_some()));
    }
    parts.request(operation, takes.as_ref(), key)
}

/// A request under way.
struct Parts {
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    cookies: Vec<String>,
    form: Map<String, Value>,
    body: Option<Value>,
}

/// How many parts of a path stand for others. Servers and proxies take them away, encoded or not (RFC 3986,
/// section 6.2.2).
fn dots(path: &str) -> usize {
    path.split('/')
        .filter(|part| matches!(*part, "." | ".."))
        .count()
}

/// What bodies an operation takes.
struct BodyTypes {
    content_type: String,
    is_required: bool,
}

impl Parts {
    fn put(
        &mut self,
        name: &str,
        place: &str,
        parameter: &Map<String, Value>,
        value: Value,
    ) -> Result<(), Failure> {
        let style = Style::of(parameter, place);
        match place {
            "path" => {
                let written = style.in_path(name, &value)?;
                let filled = self.path.replace(&format!("{{{name}}}"), &written);
                if dots(&filled) > dots(&self.path) {
                    return Err(Failure::validation(format!(
                        "parameters: `{name}` makes a part of the path `.` or `..`, which would lead to another path"
                    )));
                }
                self.path = filled;
            }
            "query" => self.query.extend(style.in_query(name, &value)?),
            "header" => {
                let written = style.in_header(name, &value)?;
                if let Some(written) = header(name, Value::from(written))? {
                    self.headers.push((name.to_owned(), written));
                }
            }
            "cookie" => {
                let pairs = style.in_query(name, &value)?;
                let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
                self.cookies.extend(pairs);
            }
            "formData" => {
                self.form.insert(name.to_owned(), value);
            }
            BODY => self.body = Some(value),
            _ => {}
        }
        Ok(())
    }

    /// What is given as the body, or makes it up.
    fn take_body(
        &mut self,
        left: &mut Map<String, Value>,
        takes: &BodyTypes,
        operation: &Operation<'_>,
    ) -> Result<(), Failure> {
        if !self.form.is_empty() {
            self.body = Some(Value::Object(std::mem::take(&mut self.form)));
        }
        if self.body.is_none() {
            self.body = match left.shift_remove(BODY) {
                Some(body) => Some(body),
                None if left.is_empty() => None,
                None => Some(Value::Object(std::mem::take(left))),
            };
        }
        if self.body.is_none() && takes.is_required {
            return Err(Failure::validation(format!(
                "parameters: `{}` needs a body: give it as `{BODY}`, or its members by name",
                id(operation)
            )));
        }
        Ok(())
    }

    fn request(
        self,
        operation: &Operation<'_>,
        takes: Option<&BodyTypes>,
        key: &str,
    ) -> Result<Request, Failure> {
        let mut headers = self.headers;
        let body = match (self.body, takes) {
            (Some(value), Some(takes)) => {
                let (bytes, content_type) = body::encode(value, &takes.content_type, key)?;
                headers.push(("content-type".to_owned(), content_type));
                Some(bytes)
            }
            // POST and its like have a body by their nature, if an empty one (RFC 9110, section 8.6).
            _ => matches!(operation.method.as_str(), "POST" | "PUT" | "PATCH").then(Vec::new),
        };
        if !self.cookies.is_empty() {
            headers.push(("cookie".to_owned(), self.cookies.join("; ")));
        }
        let is_there = |headers: &[(String, String)], name: &str| {
            headers
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
        };
        let mut defaults = vec![
            ("accept", accept(operation)),
            ("user-agent", USER_AGENT.to_owned()),
        ];
        if UNSAFE_METHODS.contains(&operation.method.as_str()) {
            defaults.push(("idempotency-key", key.to_owned()));
        }
        for (name, value) in defaults {
            if !is_there(&headers, name) {
                headers.push((name.to_owned(), value));
            }
        }
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let joint = if query.is_empty() { "" } else { "?" };
        let address = format!(
            "{}/{}{joint}{}",
            operation.base,
            self.path.trim_start_matches('/'),
            query.join("&")
        );
        Ok(Request {
            method: operation.method.clone(),
            uri: uri("the operation's address", &address)?,
            headers,
            body,
        })
    }
}

/// API keys of the operation's security schemes, as parameters that may be given.
fn api_keys(operation: &Operation<'_>) -> Vec<Map<String, Value>> {
    let root = operation.document.root();
    let schemes = match operation.document.is_swagger() {
        true => &root["securityDefinitions"],
        false => &root["components"]["securitySchemes"],
    };
    let schemes = schemes.as_object().into_iter().flatten();
    schemes
        .filter(|(_, scheme)| scheme["type"] == "apiKey")
        .map(|(_, scheme)| {
            let mut parameter = Map::new();
            for key in ["name", "in"] {
                parameter.insert(key.to_owned(), scheme[key].clone());
            }
            parameter
        })
        // One that the operation has itself is that.
        .filter(|key| {
            !operation
                .parameters
                .iter()
                .any(|it| it.get("name") == key.get("name"))
        })
        .collect()
}

/// What a parameter is where it is not given.
fn default(operation: &Operation<'_>, parameter: &Map<String, Value>) -> Option<Value> {
    let own = parameter.get("default").cloned();
    own.or_else(|| {
        let schema = operation.document.followed(parameter.get("schema")?).ok()?;
        schema.get("default").cloned()
    })
}

fn body_types(operation: &Operation<'_>) -> Result<Option<BodyTypes>, Failure> {
    let written = operation.written;
    if operation.document.is_swagger() {
        let of = |place: &str| {
            operation
                .parameters
                .iter()
                .find(|it| it.get("in").is_some_and(|it| it == place))
        };
        let (body, form) = (of(BODY), of("formData"));
        let Some(parameter) = body.or(form) else {
            return Ok(None);
        };
        let consumes = [&written["consumes"], &operation.document.root()["consumes"]];
        let consumes = consumes.into_iter().find_map(Value::as_array);
        let mut types: Vec<&str> = consumes
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if body.is_none() {
            types.retain(|it| !MediaType::parse(it).is_json());
            if types.is_empty() {
                types.push("application/x-www-form-urlencoded");
            }
        }
        return Ok(Some(BodyTypes {
            content_type: body::choose(types.into_iter()).to_owned(),
            is_required: body.is_some() && parameter.get("required") == Some(&Value::Bool(true)),
        }));
    }
    if written["requestBody"].is_null() {
        return Ok(None);
    }
    let body = operation.document.followed(&written["requestBody"])?;
    let types = body["content"]
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .map(String::as_str);
    Ok(Some(BodyTypes {
        content_type: body::choose(types).to_owned(),
        is_required: body["required"] == true,
    }))
}

/// The media types that the operation's answers have: JSON alone, where that is among them.
fn accept(operation: &Operation<'_>) -> String {
    let written = operation.written;
    let types: Vec<&str> = match operation.document.is_swagger() {
        true => {
            let produces = [&written["produces"], &operation.document.root()["produces"]];
            let produces = produces.into_iter().find_map(Value::as_array);
            produces
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect()
        }
        false => {
            let responses = written["responses"].as_object().into_iter().flatten();
            let responses = responses.filter(|(status, _)| status.starts_with('2'));
            let responses =
                responses.filter_map(|(_, response)| operation.document.followed(response).ok());
            responses
                .flat_map(|response| {
                    response["content"]
                        .as_object()
                        .into_iter()
                        .flat_map(Map::keys)
                })
                .map(String::as_str)
                .collect()
        }
    };
    match types.iter().find(|it| MediaType::parse(it).is_json()) {
        Some(json) => (*json).to_owned(),
        None if types.is_empty() => "*/*".to_owned(),
        None => types.join(", "),
    }
}

fn unknown_parameter(operation: &Operation<'_>, unknown: &str, takes_body: bool) -> Failure {
    let names = operation
        .parameters
        .iter()
        .filter_map(|it| it.get("name")?.as_str());
    let mut names: Vec<&str> = names.chain(takes_body.then_some(BODY)).collect();
    names.sort_by_key(|other| (strsim::damerau_levenshtein(unknown, other), *other));
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let there = match names.is_empty() {
        true => "it has none".to_owned(),
        false => format!("there are {}", names.join(", ")),
    };
    let id = id(operation);
    Failure::validation(format!(
        "parameters: `{id}` has no parameter `{unknown}`: {there}"
    ))
}

fn id<'d>(operation: &Operation<'d>) -> &'d str {
    operation.written["operationId"]
        .as_str()
        .unwrap_or_default()
}
