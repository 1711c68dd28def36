//! A connector: its functions as signatures, and what it asks for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use baton_api::connector::{Connector, Function};
use serde_json::Value;

use super::text::tame;

/// How deeply types are spelled out; what is deeper is `…`.
const DEPTH_MAX: usize = 4;

/// The connector as text, some lines.
pub(crate) fn render(connector: &Connector) -> String {
    let mut text = String::new();
    write(&mut text, connector).expect("a string takes all text");
    text
}

fn write(text: &mut String, connector: &Connector) -> std::fmt::Result {
    let summary = &connector.summary;
    write!(text, "{}", summary.name)?;
    if let Some(package) = &summary.package {
        let version = summary.version.iter().map(|version| format!("@{version}"));
        write!(text, "  {package}{}", version.collect::<String>())?;
    }
    writeln!(text, "\n  digest     {}", summary.digest)?;

    let mut asked: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for import in &connector.imports {
        if let Some(capability) = &import.capability {
            asked.entry(capability).or_default().push(&import.interface);
        }
    }
    match asked.is_empty() {
        true => writeln!(text, "  asks for   nothing")?,
        false => writeln!(text, "  asks for")?,
    }
    for (capability, interfaces) in asked {
        writeln!(text, "    {capability:8} {}", interfaces.join(", "))?;
    }

    writeln!(text, "  functions")?;
    for function in &connector.functions {
        write_function(text, function)?;
    }
    Ok(())
}

fn write_function(text: &mut String, function: &Function) -> std::fmt::Result {
    let interface = function.interface.as_deref().map(short);
    let interface = interface
        .map(|interface| format!("{interface}/"))
        .unwrap_or_default();
    match &function.unavailable {
        Some(reason) => writeln!(
            text,
            "    {interface}{}: cannot be called: {reason}",
            function.name
        )?,
        None => {
            let parameters = members(&function.input, DEPTH_MAX).join(", ");
            let result = match kind(&function.output, DEPTH_MAX) {
                result if result == "null" => String::new(),
                result => format!(" -> {result}"),
            };
            writeln!(
                text,
                "    {interface}{}({parameters}){result}",
                function.name
            )?;
        }
    }
    if let Some(docs) = function
        .docs
        .as_deref()
        .and_then(|docs| docs.split("\n\n").next())
    {
        writeln!(text, "        {}", tame(docs, 200))?;
    }
    Ok(())
}

/// The name of an interface without its package and version.
fn short(interface: &str) -> &str {
    let unversioned = interface.split('@').next().unwrap_or(interface);
    unversioned.rsplit('/').next().unwrap_or(unversioned)
}

/// The properties of an object's schema, as `name: type`, with a `?` behind those that may be absent.
fn members(schema: &Value, depth: usize) -> Vec<String> {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| required.is_some_and(|required| required.iter().any(|it| it == name));
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let member = |(name, schema): (&String, &Value)| {
        format!(
            "{name}{}: {}",
            if is_required(name) { "" } else { "?" },
            kind(schema, depth)
        )
    };
    properties.map(member).collect()
}

/// A JSON Schema in a few characters: `string`, `[integer]`, `{name: string, age?: integer}`, `"a" | "b"`.
fn kind(schema: &Value, depth: usize) -> String {
    let Some(depth) = depth.checked_sub(1) else {
        return "…".to_owned();
    };
    let list = |key: &str| schema.get(key).and_then(Value::as_array);
    if let Some(constant) = schema.get("const") {
        return constant.to_string();
    }
    if let Some(values) = list("enum") {
        return values
            .iter()
            .map(Value::to_string)
            .collect::<Vec<_>>()
            .join(" | ");
    }
    if let Some(cases) = list("anyOf").or_else(|| list("oneOf")) {
        return cases
            .iter()
            .map(|case| kind(case, depth))
            .collect::<Vec<_>>()
            .join(" | ");
    }
    match schema.get("type") {
        Some(Value::String(name)) => named(schema, name, depth),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            names
                .map(|name| named(schema, name, depth))
                .collect::<Vec<_>>()
                .join(" | ")
        }
        _ => "json".to_owned(),
    }
}

fn named(schema: &Value, name: &str, depth: usize) -> String {
    match name {
        "array" => match schema.get("prefixItems").and_then(Value::as_array) {
            Some(items) => {
                format!(
                    "[{}]",
                    items
                        .iter()
                        .map(|item| kind(item, depth))
                        .collect::<Vec<_>>()
                        .join(", ")
                )
            }
            None => format!(
                "[{}]",
                schema
                    .get("items")
                    .map_or_else(|| "json".to_owned(), |items| kind(items, depth))
            ),
        },
        "object" => match members(schema, depth) {
            members if members.is_empty() => "{}".to_owned(),
            members => format!("{{{}}}", members.join(", ")),
        },
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use baton_api::connector::{ConnectorSummary, Grants, Import};
    use serde_json::json;

    use super::*;

    #[test]
    fn shows_functions_as_signatures() {
        let import = |interface: &str, capability: Option<&str>| Import {
            interface: interface.into(),
            capability: capability.map(Into::into),
        };
        let function = |name: &str, input: Value, output: Value| Function {
            name: name.into(),
            interface: Some("acme:greeter/greetings@1.0.0".into()),
            input,
            output,
            docs: Some("Says hello.\nTo all.\n\nMore of it.".into()),
            unavailable: None,
        };
        let person = json!({
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": { "type": "string" },
                "tone": { "enum": ["warm", "cool"] },
                "tags": { "type": "array", "items": { "type": "string" } },
                "at": { "type": "array", "prefixItems": [{ "type": "number" }, { "type": "number" }] },
                "age": { "type": ["integer", "null"] },
                "extra": {},
            },
        });
        let connector = Connector {
            summary: ConnectorSummary {
                name: "greeter".into(),
                package: Some("acme:greeter".into()),
                version: Some("1.0.0".into()),
                digest: "00ff".into(),
                bundled: false,
                installed_at: None,
            },
            functions: vec![
                function(
                    "greet",
                    json!({ "properties": { "who": person }, "required": ["who"] }),
                    json!({ "type": "string" }),
                ),
                function(
                    "reset",
                    json!({ "type": "object", "properties": {} }),
                    json!({ "type": "null" }),
                ),
                Function {
                    unavailable: Some("it takes a stream".into()),
                    docs: None,
                    ..function("pipe", json!({}), json!({}))
                },
            ],
            imports: vec![
                import("wasi:http/types@0.2.12", Some("http")),
                import("wasi:io/streams@0.2.12", None),
            ],
            grants: Grants::default(),
        };
        insta::assert_snapshot!(render(&connector), @r##"
        greeter  acme:greeter@1.0.0
          digest     00ff
          asks for
            http     wasi:http/types@0.2.12
          functions
            greetings/greet(who: {name: string, tone?: "warm" | "cool", tags?: [string], at?: [number, number], age?: integer | null, extra?: json}) -> string
                Says hello. To all.
            greetings/reset()
                Says hello. To all.
            greetings/pipe: cannot be called: it takes a stream
        "##);
    }
}
