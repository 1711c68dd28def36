//! `call`: a function (dsl-reference, "Call").

mod a2a;
mod approval;
mod asyncapi;
mod function;
mod grpc;
mod http;
mod mcp;
mod openapi;

pub use approval::Approval;
pub use asyncapi::{Enough, Subscription};
pub use function::{FunctionCall, FunctionTarget};
pub use http::{HttpCall, HttpOutput};

use serde_json::{Map, Value};

use super::read::{Field, Object, Reader};
use super::{Duration, Located};

/// A `call` task.
#[derive(Debug, Clone)]
pub enum Call {
    /// `call: http`.
    Http(Box<HttpCall>),
    /// A call of one of the other protocols of the language.
    Protocol(ProtocolCall),
    /// `call: approval`: a task for a person. An addition of this host.
    Approval(Box<Approval>),
    /// Any other function.
    Function(FunctionCall),
}

/// A call of one of the protocols that the language knows. Its arguments have the form that the
/// specification asks for.
#[derive(Debug, Clone)]
pub struct ProtocolCall {
    /// `call`: `asyncapi`, `grpc`, `openapi`, `a2a` or `mcp`.
    pub protocol: Located<String>,
    /// `with`: the arguments.
    pub with: Located<Map<String, Value>>,
    /// `with.timeout` of `call: mcp`: how long it may take.
    pub timeout: Option<Located<Duration>>,
    /// `with.subscription` of `call: asyncapi`.
    pub subscription: Option<Box<Subscription>>,
}

/// The functions that the language and this host give.
const BUILT_IN: [&str; 7] = [
    "http", "openapi", "grpc", "asyncapi", "a2a", "mcp", "approval",
];

impl Call {
    /// What is called, as it is written.
    pub fn function(&self) -> &Located<String> {
        match self {
            Self::Http(call) => &call.function,
            Self::Protocol(call) => &call.protocol,
            Self::Approval(call) => &call.function,
            Self::Function(call) => &call.function,
        }
    }

    /// The arguments as they are written.
    pub fn with(&self) -> Option<&Located<Map<String, Value>>> {
        match self {
            Self::Http(call) => Some(&call.with),
            Self::Protocol(call) => Some(&call.with),
            Self::Approval(call) => Some(&call.with),
            Self::Function(call) => call.with.as_ref(),
        }
    }

    /// The subscription that it makes, where it makes one.
    pub fn subscription(&self) -> Option<&Subscription> {
        match self {
            Self::Protocol(call) => call.subscription.as_deref(),
            _ => None,
        }
    }

    pub(super) fn read(object: &mut Object<'_, '_, '_>) -> Option<Self> {
        let function = object.required::<Located<String>>("call");
        let with = object.get("with");
        // Without knowing what is called, nobody knows what its arguments must be.
        let function = function?;
        if !BUILT_IN.contains(&function.as_str()) {
            return FunctionCall::read(function, object).map(Self::Function);
        }
        let Some(with) = with else {
            object.missing("with");
            return None;
        };
        let reader = object.reader();
        match function.as_str() {
            "http" => {
                HttpCall::read(function, &with, reader).map(|call| Self::Http(Box::new(call)))
            }
            "approval" => {
                Approval::read(function, &with, reader).map(|call| Self::Approval(Box::new(call)))
            }
            _ => ProtocolCall::read(function, &with, reader).map(Self::Protocol),
        }
    }
}

impl ProtocolCall {
    fn read(protocol: Located<String>, with: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let (mut timeout, mut subscription) = (None, None);
        match protocol.as_str() {
            "openapi" => openapi::check(with, reader)?,
            "grpc" => grpc::check(with, reader)?,
            "asyncapi" => subscription = asyncapi::subscription(with, reader)?.map(Box::new),
            "a2a" => a2a::check(with, reader)?,
            _ => timeout = mcp::timeout(with, reader)?,
        }
        Some(Self {
            timeout,
            subscription,
            protocol,
            with: arguments(with, reader)?,
        })
    }
}

/// The arguments as they are written.
fn arguments(with: &Field<'_>, reader: &mut Reader<'_>) -> Option<Located<Map<String, Value>>> {
    super::read::Read::read(with, reader)
}
