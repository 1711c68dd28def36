//! How values are written in a path, a query, a header or a cookie (OpenAPI 3.1, section 4.8.12.3; Swagger 2.0,
//! "Parameter Object").

use calls::Failure;
use calls::value::kind_of;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// All but the unreserved characters (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How a parameter is written.
pub(crate) struct Style {
    name: String,
    explode: bool,
    /// As JSON, where the parameter has `content` in place of a schema.
    is_json: bool,
}

/// Names and values of a query, encoded.
pub(crate) type Pairs = Vec<(String, String)>;

impl Style {
    /// The style of a parameter that goes to `place`.
    pub(crate) fn of(parameter: &Map<String, Value>, place: &str) -> Self {
        let text = |name: &str| parameter.get(name).and_then(Value::as_str);
        if let Some(format) = text("collectionFormat") {
            let (name, explode) = match format {
                "multi" => ("form", true),
                "ssv" => ("spaceDelimited", false),
                "tsv" => ("tabDelimited", false),
                "pipes" => ("pipeDelimited", false),
                _ if place == "query" || place == "cookie" => ("form", false),
                _ => ("simple", false),
            };
            return Self {
                name: name.to_owned(),
                explode,
                is_json: false,
            };
        }
        let is_schemaless = parameter.contains_key("type");
        let default = match place {
            "query" | "cookie" => "form",
            _ => "simple",
        };
        let name = text("style").unwrap_or(default).to_owned();
        let explode = parameter.get("explode").and_then(Value::as_bool);
        Self {
            // Swagger 2.0 separates by commas unless it is told otherwise.
            explode: explode.unwrap_or(name == "form" && !is_schemaless),
            is_json: parameter.contains_key("content"),
            name,
        }
    }

    /// As a part of a path.
    pub(crate) fn in_path(&self, name: &str, value: &Value) -> Result<String, Failure> {
        let encode = |text: &str| encoded(text);
        let (start, between, named) = match self.name.as_str() {
            "label" => (".", if self.explode { "." } else { "," }, false),
            "matrix" => (";", if self.explode { ";" } else { "," }, true),
            _ => ("", ",", false),
        };
        let text = match value {
            Value::Array(items) if named && self.explode => {
                let items = scalars(name, items)?;
                let pairs = items.iter().map(|item| format!("{name}={}", encode(item)));
                pairs.collect::<Vec<_>>().join(between)
            }
            Value::Object(_) if named && self.explode => self.flat(name, value, between, encode)?,
            _ => {
                let flat = self.flat(name, value, between, encode)?;
                if named {
                    format!("{name}={flat}")
                } else {
                    flat
                }
            }
        };
        Ok(format!("{start}{text}"))
    }

    /// As names and values of a query.
    pub(crate) fn in_query(&self, name: &str, value: &Value) -> Result<Pairs, Failure> {
        let one = |text: String| vec![(encoded(name), text)];
        if self.is_json {
            return Ok(one(encoded(&value.to_string())));
        }
        match (self.name.as_str(), value) {
            ("deepObject", Value::Object(members)) => members
                .iter()
                .map(|(key, member)| {
                    Ok((
                        encoded(&format!("{name}[{key}]")),
                        encoded(&scalar(name, member)?),
                    ))
                })
                .collect(),
            (_, Value::Array(items)) if self.explode => {
                let items = scalars(name, items)?;
                Ok(items
                    .iter()
                    .map(|item| (encoded(name), encoded(item)))
                    .collect())
            }
            (_, Value::Object(members)) if self.explode => members
                .iter()
                .map(|(key, member)| Ok((encoded(key), encoded(&scalar(name, member)?))))
                .collect(),
            _ => {
                let between = match self.name.as_str() {
                    "spaceDelimited" => "%20",
                    "pipeDelimited" => "|",
                    "tabDelimited" => "%09",
                    _ => ",",
                };
                Ok(one(self
                    .flat(name, value, between, encoded)?
                    .replace('|', "%7C")))
            }
        }
    }

    /// As the value of a header or a cookie.
    pub(crate) fn in_header(&self, name: &str, value: &Value) -> Result<String, Failure> {
        match self.is_json {
            true => Ok(value.to_string()),
            false => self.flat(name, value, ",", str::to_owned),
        }
    }

    fn flat(
        &self,
        name: &str,
        value: &Value,
        between: &str,
        encode: impl Fn(&str) -> String,
    ) -> Result<String, Failure> {
        let parts = match value {
            Value::Array(items) => {
                let items = scalars(name, items)?;
                items.iter().map(|item| encode(item)).collect()
            }
            Value::Object(members) => {
                let joint = if self.explode { "=" } else { between };
                let mut parts = Vec::new();
                for (key, member) in members {
                    let member = encode(&scalar(name, member)?);
                    parts.push(format!("{}{joint}{member}", encode(key)));
                }
                parts
            }
            one => vec![encode(&scalar(name, one)?)],
        };
        Ok(parts.join(between))
    }
}

fn scalars(name: &str, items: &[Value]) -> Result<Vec<String>, Failure> {
    items.iter().map(|item| scalar(name, item)).collect()
}

/// The text of a value that is not made of others.
pub(crate) fn scalar(name: &str, value: &Value) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null => Ok(String::new()),
        other => Err(Failure::validation(format!(
            "parameters: `{name}` is nested too deeply: {} cannot be written there",
            kind_of(other)
        ))),
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn style(json: Value, place: &str) -> Style {
        Style::of(json.as_object().expect("an object"), place)
    }

    #[test]
    fn a_query_is_written_in_every_style() {
        let (array, object) = (json!(["a b", "c"]), json!({ "x": 1, "y": 2 }));
        for (parameter, value, expected) in [
            (json!({}), &array, "n=a%20b&n=c"),
            (json!({ "explode": false }), &array, "n=a%20b,c"),
            (json!({ "style": "pipeDelimited" }), &array, "n=a%20b%7Cc"),
            (json!({ "style": "spaceDelimited" }), &array, "n=a%20b%20c"),
            (json!({ "type": "array" }), &array, "n=a%20b,c"),
            (
                json!({ "collectionFormat": "multi" }),
                &array,
                "n=a%20b&n=c",
            ),
            (json!({}), &object, "x=1&y=2"),
            (json!({ "explode": false }), &object, "n=x,1,y,2"),
            (
                json!({ "style": "deepObject" }),
                &object,
                "n%5Bx%5D=1&n%5By%5D=2",
            ),
            (
                json!({ "content": {} }),
                &object,
                "n=%7B%22x%22%3A1%2C%22y%22%3A2%7D",
            ),
        ] {
            let pairs = style(parameter.clone(), "query")
                .in_query("n", value)
                .expect("written");
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            assert_eq!(pairs.join("&"), expected, "{parameter}");
        }
    }

    #[test]
    fn a_path_is_written_in_every_style() {
        let (array, object) = (json!(["a/b", "c"]), json!({ "x": 1, "y": 2 }));
        for (parameter, value, expected) in [
            (json!({}), &json!("a/b"), "a%2Fb"),
            (json!({}), &array, "a%2Fb,c"),
            (json!({ "explode": true }), &object, "x=1,y=2"),
            (json!({}), &object, "x,1,y,2"),
            (json!({ "style": "label" }), &json!(5), ".5"),
            (json!({ "style": "matrix" }), &json!(5), ";n=5"),
            (
                json!({ "style": "matrix", "explode": true }),
                &array,
                ";n=a%2Fb;n=c",
            ),
        ] {
            let written = style(parameter.clone(), "path")
                .in_path("n", value)
                .expect("written");
            assert_eq!(written, expected, "{parameter}");
        }
    }
}
