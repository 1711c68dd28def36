//! Types as JSON Schemas (2020-12).

use serde_json::{Map, Value, json};

use super::{Case, Field, Signature, Type};

impl Signature {
    /// The JSON Schema of the object of named arguments.
    #[must_use]
    pub fn input_schema(&self) -> Value {
        object(&self.parameters)
    }

    /// The JSON Schema of the result; of `null` where the function has none.
    #[must_use]
    pub fn output_schema(&self) -> Value {
        self.result
            .as_ref()
            .map_or_else(|| json!({"type": "null"}), Type::schema)
    }

    /// How many nodes the two schemas have, counted no further than `limit`.
    pub(crate) fn nodes(&self, limit: usize) -> usize {
        let mut left = limit;
        let types = self
            .parameters
            .iter()
            .map(|parameter| &parameter.ty)
            .chain(&self.result);
        types.for_each(|ty| ty.count(&mut left));
        limit - left
    }
}

impl Type {
    /// The JSON Schema of a value of this type.
    #[must_use]
    pub fn schema(&self) -> Value {
        match self {
            Self::Bool => json!({"type": "boolean"}),
            Self::Integer(integer) => {
                json!({"type": "integer", "minimum": integer.low(), "maximum": integer.high()})
            }
            Self::F32 | Self::F64 => json!({
                "anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}],
            }),
            Self::Char => json!({"type": "string", "minLength": 1, "maxLength": 1}),
            Self::String => json!({"type": "string"}),
            Self::Json => json!({}),
            Self::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Self::List(item) => json!({"type": "array", "items": item.schema()}),
            Self::Option(inner) => nullable(inner),
            Self::Tuple(types) => json!({
                "type": "array",
                "prefixItems": types.iter().map(Self::schema).collect::<Vec<_>>(),
                "items": false,
                "minItems": types.len(),
            }),
            Self::Record(record) => described(object(&record.fields), record.docs.as_deref()),
            Self::Variant(variant) => described(cases(&variant.cases), variant.docs.as_deref()),
            Self::Result(result) => cases(&[
                Case {
                    name: "ok".to_owned(),
                    docs: None,
                    ty: result.ok.clone(),
                },
                Case {
                    name: "err".to_owned(),
                    docs: None,
                    ty: result.err.clone(),
                },
            ]),
            Self::Enum(names) => described(json!({"enum": names.names}), names.docs.as_deref()),
            Self::Flags(names) => described(
                json!({"type": "array", "items": {"enum": names.names}, "uniqueItems": true}),
                names.docs.as_deref(),
            ),
        }
    }

    fn count(&self, left: &mut usize) {
        if *left == 0 {
            return;
        }
        *left -= 1;
        match self {
            Self::List(item) | Self::Option(item) => item.count(left),
            Self::Tuple(types) => types.iter().for_each(|ty| ty.count(left)),
            Self::Record(record) => record.fields.iter().for_each(|field| field.ty.count(left)),
            Self::Variant(variant) => {
                *left = left.saturating_sub(variant.cases.len());
                variant
                    .cases
                    .iter()
                    .filter_map(|case| case.ty.as_ref())
                    .for_each(|ty| ty.count(left));
            }
            Self::Result(result) => [&result.ok, &result.err]
                .into_iter()
                .flatten()
                .for_each(|ty| ty.count(left)),
            Self::Enum(names) | Self::Flags(names) => {
                *left = left.saturating_sub(names.names.len());
            }
            _ => {}
        }
    }
}

fn object(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            (
                field.name.clone(),
                described(field.ty.schema(), field.docs.as_deref()),
            )
        })
        .collect();
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| !matches!(field.ty, Type::Option(_)))
        .map(|field| field.name.as_str())
        .collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn cases(cases: &[Case]) -> Value {
    let schemas = cases.iter().map(|case| {
        let schema = match &case.ty {
            None => json!({"const": case.name}),
            Some(ty) => json!({
                "type": "object",
                "properties": {case.name.as_str(): ty.schema()},
                "required": [case.name],
                "additionalProperties": false,
            }),
        };
        described(schema, case.docs.as_deref())
    });
    json!({"oneOf": schemas.collect::<Vec<_>>()})
}

fn nullable(inner: &Type) -> Value {
    if inner.has_null() {
        let some = json!({
            "type": "object",
            "properties": {"some": inner.schema()},
            "required": ["some"],
            "additionalProperties": false,
        });
        return json!({"anyOf": [some, {"type": "null"}]});
    }
    let mut schema = inner.schema();
    // The usual `{"type": "string"}` stays short. An empty schema allows null already.
    match schema.get("type") {
        Some(Value::String(name)) => {
            let both = json!([name, "null"]);
            schema["type"] = both;
            schema
        }
        _ if matches!(inner, Type::Json) => schema,
        _ => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

fn described(mut schema: Value, docs: Option<&str>) -> Value {
    if let (Some(docs), Some(object)) = (docs, schema.as_object_mut()) {
        object.insert("description".to_owned(), Value::String(docs.to_owned()));
    }
    schema
}
