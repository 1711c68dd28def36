//! JSON to messages and back, as Protocol Buffers map them ("ProtoJSON").

use calls::Failure;
use calls::arguments::not;
use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor, SerializeOptions};
use serde_json::Value;

/// The messages to send, encoded.
///
/// # Errors
///
/// `validation` where the arguments are none of the method's messages.
pub fn read(method: &MethodDescriptor, arguments: Value) -> Result<Vec<Vec<u8>>, Failure> {
    let messages = match arguments {
        Value::Array(messages) if method.is_client_streaming() => messages,
        Value::Null => vec![Value::Object(Default::default())],
        message @ Value::Object(_) => vec![message],
        other if method.is_client_streaming() => {
            return Err(not(
                "arguments",
                "an array of messages, or one message",
                &other,
            ));
        }
        other => {
            let expected = format!(
                "an object, since `{}` takes one message",
                method.full_name()
            );
            return Err(not("arguments", &expected, &other));
        }
    };
    let encoded = messages.into_iter().enumerate().map(|(index, message)| {
        let message = DynamicMessage::deserialize(method.input(), message).map_err(|error| {
            let place = match method.is_client_streaming() {
                true => format!("arguments/{index}"),
                false => "arguments".to_owned(),
            };
            let name = method.input();
            let name = name.full_name();
            Failure::validation(format!("{place}: this is no `{name}`: {error}"))
        })?;
        Ok(message.encode_to_vec())
    });
    encoded.collect()
}

/// A message that was received, as JSON.
///
/// # Errors
///
/// `communication` where it is none of the method's.
pub fn write(method: &MethodDescriptor, bytes: &[u8]) -> Result<Value, Failure> {
    let output = method.output();
    let name = output.full_name().to_owned();
    let broken = |why: String| Failure::broken(format!("the answer is no `{name}`: {why}"));
    let message = DynamicMessage::decode(output, bytes).map_err(|it| broken(it.to_string()))?;
    // With fields that have their default value: an expression can then ask for the length of an empty list.
    let options = SerializeOptions::new().skip_default_fields(false);
    message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .map_err(|it| broken(it.to_string()))
}
