//! What came back, made an output or a failure.

use base64::prelude::{BASE64_STANDARD, Engine};
use outgoing::Response;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::failure::{Failure, Kind, start_of};
use crate::redirect::Exchange;
use crate::{MediaType, OutputFormat, retry_after, status};

/// How long the content may be, in bytes, to be the data of a failure: it is recorded with the run.
const DATA_BYTES_MAX: usize = 64 * 1024;
/// What stands for a header that is nobody's business.
const CONCEALED: &str = "(concealed)";

/// The output of a call that succeeded, as JSON.
///
/// # Errors
///
/// `communication`, where the response says it is JSON and is not.
pub fn output(exchange: &Exchange, format: OutputFormat) -> Result<String, Failure> {
    match format {
        OutputFormat::Raw => Ok(Value::from(base64(&exchange.response)).to_string()),
        OutputFormat::Content => content(exchange),
        OutputFormat::Response => whole(exchange),
    }
}

/// The failure of a call that got a response with another status than it should.
pub fn failure(exchange: &Exchange) -> Failure {
    let Exchange { request, response } = exchange;
    let title = status::phrase(response.status);
    let mut detail = format!(
        "{} {} answered {} {title}",
        request.method, request.uri, response.status
    );
    let shown = start_of(&response.body);
    if !shown.is_empty() {
        detail.push_str(": ");
        detail.push_str(&shown);
    }
    let data = Some(exchange)
        .filter(|_| response.body.len() <= DATA_BYTES_MAX)
        .and_then(|exchange| content(exchange).ok())
        .filter(|content| content != "null");
    Failure {
        status: Some(response.status),
        retry_after: retry_after::milliseconds(response),
        data,
        ..Failure::new(Kind::Communication, title, detail)
    }
}

/// The content as JSON: what is JSON as it came, digit for digit.
fn content(exchange: &Exchange) -> Result<String, Failure> {
    let Exchange { request, response } = exchange;
    if response.body.is_empty() {
        return Ok("null".to_owned());
    }
    let Some(content_type) = response.header("content-type") else {
        return Ok(Value::from(base64(response)).to_string());
    };
    let media_type = MediaType::parse(content_type);
    if media_type.is_json() {
        let json: Box<RawValue> = serde_json::from_slice(&response.body).map_err(|error| {
            let shown = start_of(&response.body);
            Failure {
                status: Some(response.status),
                ..Failure::new(
                    Kind::Communication,
                    "Invalid response",
                    format!(
                        "{} {} answered with {content_type} that is no JSON: {error}: {shown}",
                        request.method, request.uri
                    ),
                )
            }
        })?;
        Ok(json.get().to_owned())
    } else if media_type.is_text() {
        Ok(Value::from(media_type.decode(&response.body)).to_string())
    } else {
        Ok(Value::from(base64(response)).to_string())
    }
}

/// dsl-reference, "HTTP Response". It is recorded with the run, and so without credentials.
fn whole(exchange: &Exchange) -> Result<String, Failure> {
    let Exchange { request, response } = exchange;
    let requested: Map<String, Value> = [
        ("method".to_owned(), Value::from(request.method.clone())),
        ("uri".to_owned(), Value::from(request.uri.as_str())),
        ("headers".to_owned(), headers(&request.headers)),
    ]
    .into_iter()
    .collect();
    Ok(format!(
        r#"{{"request":{},"statusCode":{},"headers":{},"content":{}}}"#,
        Value::from(requested),
        response.status,
        headers(&response.headers),
        content(exchange)?
    ))
}

fn headers(headers: &[(String, String)]) -> Value {
    let mut fields: Map<String, Value> = Map::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let value = match name.as_str() {
            "authorization" | "cookie" | "proxy-authorization" | "set-cookie" => CONCEALED,
            _ => value,
        };
        match fields.get_mut(&name) {
            // Several of one name mean the same as one with all values (RFC 9110, section 5.2).
            Some(Value::String(earlier)) if value != CONCEALED => {
                earlier.push_str(", ");
                earlier.push_str(value);
            }
            _ => {
                fields.insert(name, Value::from(value));
            }
        }
    }
    Value::from(fields)
}

fn base64(response: &Response) -> String {
    BASE64_STANDARD.encode(&response.body)
}
