//! An OpenAPI document, and the operation in it: OpenAPI 3.0 and 3.1, and Swagger 2.0.

use calls::Failure;
use outgoing::{Uri, UriRef};
use serde_json::{Map, Value};

/// The methods that a path may have (OpenAPI 3.1, section 4.8.9).
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// How many references one after the other are followed before it counts as going in circles.
const REFERENCES_MAX: usize = 32;

/// How many operations a message lists.
const LISTED_MAX: usize = 12;

/// A document, and where it came from.
pub(crate) struct Document {
    uri: Uri<String>,
    root: Value,
    is_swagger: bool,
}

/// An operation of a document.
pub(crate) struct Operation<'d> {
    pub(crate) document: &'d Document,
    /// In capitals.
    pub(crate) method: String,
    /// With the names of parameters in braces.
    pub(crate) path: &'d str,
    /// Where the path begins, without a slash at its end.
    pub(crate) base: String,
    /// Its own parameters and those of its path, references followed.
    pub(crate) parameters: Vec<&'d Map<String, Value>>,
    /// The operation as it is written.
    pub(crate) written: &'d Value,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// `configuration`, saying where it breaks.
    pub(crate) fn read(bytes: &[u8], uri: Uri<String>) -> Result<Self, Failure> {
        let broken = |why: String| {
            Failure::configuration(
                "No OpenAPI document",
                format!("{uri} is no OpenAPI document: {why}"),
            )
        };
        let text = std::str::from_utf8(bytes).map_err(|error| broken(error.to_string()))?;
        let is_json = text.trim_start().starts_with('{');
        let root: Value = match is_json {
            true => serde_json::from_str(text).map_err(|error| broken(error.to_string()))?,
            false => serde_saphyr::from_str(text)
                .map_err(|error| broken(first_line(&error.to_string())))?,
        };
        let version = |key: &str| match &root[key] {
            Value::String(version) => Some(version.clone()),
            Value::Number(version) => Some(version.to_string()),
            _ => None,
        };
        let is_swagger = match (version("openapi"), version("swagger")) {
            (Some(version), _) if version.starts_with("3.") => false,
            (_, Some(version)) if version.starts_with("2") => true,
            (Some(version), _) | (_, Some(version)) => {
                return Err(broken(format!(
                    "it is of version {version}, and 2.0, 3.0 and 3.1 are known"
                )));
            }
            (None, None) => {
                return Err(broken("it has neither `openapi` nor `swagger`".to_owned()));
            }
        };
        if !root["paths"].is_object() {
            return Err(broken("it has no `paths`".to_owned()));
        }
        Ok(Self {
            uri,
            root,
            is_swagger,
        })
    }

    pub(crate) fn is_swagger(&self) -> bool {
        self.is_swagger
    }

    pub(crate) fn root(&self) -> &Value {
        &self.root
    }

    /// The operation of that id.
    ///
    /// # Errors
    ///
    /// `configuration`: there is none, and which there are, the nearest first; or it refers to what is not there.
    pub(crate) fn operation(&self, id: &str) -> Result<Operation<'_>, Failure> {
        let all = self.operations();
        let found = all
            .iter()
            .find(|(_, _, _, operation)| operation["operationId"] == id);
        let Some((path, item, method, written)) = found.copied() else {
            return Err(self.no_operation(id, &all));
        };
        let mut parameters: Vec<&Map<String, Value>> = Vec::new();
        // The operation's own go before those of its path.
        for list in [&written["parameters"], &item["parameters"]] {
            for parameter in list.as_array().into_iter().flatten() {
                let Some(parameter) = self.followed(parameter)?.as_object() else {
                    continue;
                };
                let is_known = |other: &&Map<String, Value>| {
                    other.get("name") == parameter.get("name")
                        && other.get("in") == parameter.get("in")
                };
                if !parameters.iter().any(is_known) {
                    parameters.push(parameter);
                }
            }
        }
        Ok(Operation {
            document: self,
            method: method.to_ascii_uppercase(),
            path,
            base: self.base(item, written)?,
            parameters,
            written,
        })
    }

    /// Path, path item, method and operation of each.
    fn operations(&self) -> Vec<(&str, &Value, &'static str, &Value)> {
        let paths = self.root["paths"].as_object().into_iter().flatten();
        let mut all = Vec::new();
        for (path, item) in paths {
            let Ok(item) = self.followed(item) else {
                continue;
            };
            let of_path = METHODS.into_iter().filter_map(|method| {
                let operation = item.get(method)?;
                Some((path.as_str(), item, method, operation))
            });
            all.extend(of_path);
        }
        all
    }

    fn no_operation(&self, id: &str, all: &[(&str, &Value, &'static str, &Value)]) -> Failure {
        let mut ids: Vec<&str> = all
            .iter()
            .filter_map(|(_, _, _, operation)| operation["operationId"].as_str())
            .collect();
        ids.sort_by_key(|other| (strsim::damerau_levenshtein(id, other), *other));
        let count = ids.len();
        let listed: Vec<String> = ids
            .iter()
            .take(LISTED_MAX)
            .map(|id| format!("`{id}`"))
            .collect();
        let there = match count {
            0 => "none of its operations has an `operationId`".to_owned(),
            _ => {
                let more = if count > LISTED_MAX { ", …" } else { "" };
                format!("there are {}{more}", listed.join(", "))
            }
        };
        Failure::configuration(
            "No such operation",
            format!("{} has no operation `{id}`: {there}", self.uri),
        )
    }

    /// What a reference leads to, or the value itself.
    ///
    /// # Errors
    ///
    /// `configuration`, where it leads nowhere, in circles, or into another document.
    pub(crate) fn followed<'d>(&'d self, value: &'d Value) -> Result<&'d Value, Failure> {
        let mut value = value;
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                return Ok(value);
            };
            let broken = |why: &str| {
                let detail = format!("{}: the reference `{reference}` {why}", self.uri);
                Failure::configuration("Invalid OpenAPI document", detail)
            };
            let pointer = reference
                .strip_prefix('#')
                .ok_or_else(|| broken("leads into another document, which is not supported"))?;
            let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8_lossy();
            let target = self.root.pointer(&pointer);
            value = target.ok_or_else(|| broken("leads nowhere"))?;
        }
        Err(Failure::configuration(
            "Invalid OpenAPI document",
            format!("{}: a reference leads in circles", self.uri),
        ))
    }

    fn base(&self, item: &Value, operation: &Value) -> Result<String, Failure> {
        let base = match self.is_swagger {
            true => self.swagger_base(operation),
            false => self.server(item, operation),
        };
        let broken = |why: String| {
            let detail = format!("{}: `{base}` is no address of a server: {why}", self.uri);
            Failure::configuration("Invalid OpenAPI document", detail)
        };
        let reference = UriRef::parse(base.as_str()).map_err(|error| broken(error.to_string()))?;
        let resolved = reference.resolve_against(&self.uri.strip_fragment());
        let resolved = resolved.map_err(|error| broken(error.to_string()))?;
        Ok(resolved.as_str().trim_end_matches('/').to_owned())
    }

    /// `schemes`, `host` and `basePath`; what is left out is as the document's own address has it.
    fn swagger_base(&self, operation: &Value) -> String {
        let own = self.uri.scheme().as_str();
        let list = |of: &Value| -> Vec<String> {
            let schemes = of["schemes"].as_array().into_iter().flatten();
            schemes
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        let mut schemes = list(operation);
        if schemes.is_empty() {
            schemes = list(&self.root);
        }
        let has = |scheme: &str| schemes.iter().any(|it| it == scheme);
        let scheme = match (schemes.first(), has("https")) {
            (None, _) => own,
            (_, true) => "https",
            (Some(first), false) => first,
        };
        let authority = self
            .uri
            .authority()
            .map(|it| it.as_str())
            .unwrap_or_default();
        let host = self.root["host"].as_str().unwrap_or(authority);
        let path = self.root["basePath"].as_str().unwrap_or_default();
        format!("{scheme}://{host}/{}", path.trim_start_matches('/'))
    }

    /// The first of the nearest `servers`, its variables as they are by default.
    fn server(&self, item: &Value, operation: &Value) -> String {
        let servers = [operation, item, &self.root];
        let server = servers.into_iter().find_map(|of| of["servers"].get(0));
        let Some(server) = server else {
            return "/".to_owned();
        };
        let mut url = server["url"].as_str().unwrap_or("/").to_owned();
        for (name, variable) in server["variables"].as_object().into_iter().flatten() {
            let default = variable["default"].as_str().unwrap_or_default();
            url = url.replace(&format!("{{{name}}}"), default);
        }
        url
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
