//! What the other side says in the end (gRPC over HTTP/2, "Status").

use calls::{Failure, Kind};
use outgoing::Request;
use percent_encoding::percent_decode_str;
use serde_json::json;

/// A status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The code; 0 is OK.
    pub code: u32,
    /// What is said about it.
    pub message: String,
    /// More, as base64 of a `google.rpc.Status`.
    details: Option<String>,
}

/// The names of the codes by number, with the HTTP status of each (`google/rpc/code.proto`).
const CODES: [(&str, u16); 17] = [
    ("OK", 200),
    ("CANCELLED", 499),
    ("UNKNOWN", 500),
    ("INVALID_ARGUMENT", 400),
    ("DEADLINE_EXCEEDED", 504),
    ("NOT_FOUND", 404),
    ("ALREADY_EXISTS", 409),
    ("PERMISSION_DENIED", 403),
    ("RESOURCE_EXHAUSTED", 429),
    ("FAILED_PRECONDITION", 400),
    ("ABORTED", 409),
    ("OUT_OF_RANGE", 400),
    ("UNIMPLEMENTED", 501),
    ("INTERNAL", 500),
    ("UNAVAILABLE", 503),
    ("DATA_LOSS", 500),
    ("UNAUTHENTICATED", 401),
];

impl Status {
    /// Reads a status from headers or trailers; none where there is none.
    pub fn read(fields: &[(String, String)]) -> Option<Self> {
        let field = |name: &str| {
            let found = fields.iter().find(|(other, _)| other == name);
            found.map(|(_, value)| value.as_str())
        };
        let message = field("grpc-message").unwrap_or_default();
        Some(Self {
            // A code that is no number is one that nobody knows.
            code: field("grpc-status")?.trim().parse().unwrap_or(2),
            message: percent_decode_str(message).decode_utf8_lossy().into_owned(),
            details: field("grpc-status-details-bin").map(str::to_owned),
        })
    }

    /// What an HTTP status means where no gRPC status came (gRPC, "HTTP to gRPC Status Code Mapping").
    pub fn of_http(status: u16) -> Option<Self> {
        let code = match status {
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 | 502 | 503 | 504 => 14,
            _ => return None,
        };
        Some(Self {
            code,
            message: format!("the answer was the HTTP status {status}"),
            details: None,
        })
    }

    /// The failure of a call that ended with it; none for OK.
    pub fn failure(self, request: &Request) -> Option<Failure> {
        if self.code == 0 {
            return None;
        }
        let known = usize::try_from(self.code).ok();
        let known = known.and_then(|code| CODES.get(code)).copied();
        let (name, http) = known.unwrap_or(("UNKNOWN", 500));
        let kind = match name {
            "UNAUTHENTICATED" => Kind::Authentication,
            "PERMISSION_DENIED" => Kind::Authorization,
            "DEADLINE_EXCEEDED" => Kind::Timeout,
            "INVALID_ARGUMENT" | "OUT_OF_RANGE" => Kind::Validation,
            _ => Kind::Communication,
        };
        let Self {
            code,
            message,
            details,
        } = self;
        let mut data = json!({ "code": code, "status": name, "message": message });
        if let Some(details) = details {
            data["details"] = details.into();
        }
        let mut detail = format!("{} answered {name}", request.uri);
        if !message.is_empty() {
            detail.push_str(": ");
            detail.push_str(&message);
        }
        let title = format!("gRPC {name}");
        Some(Failure {
            status: Some(http),
            ..Failure::new(kind, &title, detail).with_data(&data)
        })
    }
}
