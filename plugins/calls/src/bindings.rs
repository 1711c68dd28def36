//! `baton:connector/types`, once for all connectors that use this library: they map their own bindings to
//! these with wit-bindgen's `with`.

#![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

wit_bindgen::generate!({
    inline: "
        package baton:calls;
        world failures {
            import baton:connector/types@1.0.0;
        }
    ",
    path: "../../wit",
    world: "baton:calls/failures",
    generate_unused_types: true,
    generate_all,
});

use baton::connector::types::{Failure, FailureKind};

impl From<crate::Failure> for Failure {
    fn from(failure: crate::Failure) -> Self {
        use crate::Kind;
        Self {
            kind: match failure.kind {
                Kind::Configuration => FailureKind::Configuration,
                Kind::Validation => FailureKind::Validation,
                Kind::Authentication => FailureKind::Authentication,
                Kind::Authorization => FailureKind::Authorization,
                Kind::Timeout => FailureKind::Timeout,
                Kind::Communication => FailureKind::Communication,
                Kind::Runtime => FailureKind::Runtime,
            },
            title: failure.title,
            detail: Some(failure.detail),
            status: failure.status,
            retry_after: failure.retry_after,
            data: failure.data,
        }
    }
}
