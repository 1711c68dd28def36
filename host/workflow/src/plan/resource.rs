//! Taking what a document keeps elsewhere from what has been fetched.

use std::sync::Arc;

use serde_json::Value;

use super::lower::Lowering;
use super::site::Site;
use crate::diagnostic::code;
use crate::document::{Authentication, Document, Endpoint, Reading, Reusable};
use crate::expression::enclosed;
use crate::resource::{Placed, RESOURCES_MAX, Wanted, place};

/// A document that is not the workflow's own, while what is written in it is lowered.
#[derive(Clone, Debug)]
pub(super) struct Elsewhere {
    /// Its URI.
    pub(super) uri: Arc<str>,
    /// The place in the workflow's own document that brought it in, as a pointer.
    pub(super) pointer: String,
}

impl<'d> Lowering<'d> {
    /// The text at an endpoint; none where it is not there, which has been noted or reported.
    pub(super) fn text_at(&mut self, endpoint: &'d Endpoint) -> Option<(String, Arc<str>)> {
        let at = endpoint.uri.location.pointer.to_string();
        let uri = self.uri(&endpoint.uri.value, &at)?;
        let text = self.fetched(&uri, endpoint.authentication.as_ref(), &at)?;
        Some((uri, text))
    }

    /// The function whose definition is at `written`; `at` is the pointer of what names it.
    pub(super) fn function_at(
        &mut self,
        written: &str,
        authentication: Option<&'d Reusable<Authentication>>,
        at: &str,
    ) -> Option<(String, &'d Document)> {
        let uri = self.uri(written, at)?;
        self.fetched(&uri, authentication, at)?;
        let Reading {
            document,
            diagnostics,
        } = self.resources.function(&uri)?;
        let is_right = !diagnostics.iter().any(crate::Diagnostic::is_error);
        for diagnostic in diagnostics.iter().filter(|it| it.is_error()) {
            let position = diagnostic.position;
            let message = format!("{uri}:{position}: {}", diagnostic.message);
            let error = self.document.error_at(at, diagnostic.code, message);
            self.builder
                .report(error.with_help(diagnostic.help.clone()));
        }
        document.as_ref().filter(|_| is_right).map(|it| (uri, it))
    }

    /// Lowers what is written in another document than the one that is being lowered.
    pub(super) fn in_document<T>(
        &mut self,
        document: &'d Document,
        elsewhere: Option<Elsewhere>,
        site: Site,
        lower: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let around = std::mem::replace(&mut self.document, document);
        let origin = self.builder.read_from(document, elsewhere);
        let lowered = self.at_site(site, lower);
        self.builder.read_from(around, origin);
        self.document = around;
        lowered
    }

    /// The absolute URI of a resource, which must be a constant: it is fetched before any run.
    fn uri(&mut self, written: &str, at: &str) -> Option<String> {
        if enclosed(written).is_some() || written.contains('{') {
            let message =
                "this is fetched when the workflow is published, and there is no data then";
            let help = "write a URI without expressions and variables";
            let error = self.document.error_at(at, code::BAD_URI, message);
            self.builder.report(error.with_help(help.to_owned()));
            return None;
        }
        let elsewhere = self.builder.elsewhere();
        let home = match &elsewhere {
            Some(elsewhere) => Some(&*elsewhere.uri),
            None => self.resources.home(),
        };
        match place(written, home) {
            Ok(Placed(uri)) => Some(uri),
            Err((message, help)) => {
                let error = self.document.error_at(at, code::BAD_URI, message);
                self.builder.report(error.with_help(help));
                None
            }
        }
    }

    fn fetched(
        &mut self,
        uri: &str,
        authentication: Option<&'d Reusable<Authentication>>,
        at: &str,
    ) -> Option<Arc<str>> {
        match self.resources.text(uri) {
            Some(Ok(text)) => Some(text.clone()),
            Some(Err(why)) => {
                let message = format!("{uri} can't be had: {why}");
                let error = self.document.error_at(at, code::UNFETCHED, message);
                self.builder.report(error);
                None
            }
            None => {
                self.want(uri, authentication, at);
                None
            }
        }
    }

    fn want(&mut self, uri: &str, authentication: Option<&'d Reusable<Authentication>>, at: &str) {
        if self.wanted.iter().any(|it| it.uri == uri) {
            return;
        }
        if self.resources.len() + self.wanted.len() >= RESOURCES_MAX {
            let message = format!("the workflow keeps more than {RESOURCES_MAX} things elsewhere");
            let error = self.document.error_at(at, code::TOO_LARGE, message);
            self.builder.report(error);
            return;
        }
        let authentication = match authentication {
            Some(authentication) => match self.credentials(authentication, at) {
                Some(credentials) => Some(credentials),
                None => return,
            },
            None => None,
        };
        let message = format!("{uri} was not looked at");
        let help = "it is fetched when the workflow is published";
        let unfetched = self.document.warning_at(at, code::UNFETCHED, message);
        self.wanted.push(Wanted {
            uri: uri.to_owned(),
            authentication,
            unfetched: self
                .builder
                .as_seen_from_home(unfetched.with_help(help.to_owned())),
        });
    }

    /// How to authenticate where a resource is. There are no data at publication, so that all of it must be
    /// constant.
    fn credentials(
        &mut self,
        authentication: &'d Reusable<Authentication>,
        at: &str,
    ) -> Option<Value> {
        let pointer = match authentication {
            Reusable::Inline(policy) => policy.location.pointer.to_string(),
            Reusable::Reference(name) => super::builder::child("/use/authentications", name),
        };
        let value = self
            .document
            .value_at(&pointer)
            .cloned()
            .unwrap_or_default();
        if !is_constant(&value) {
            let message =
                "the resource is fetched when the workflow is published, and there is no data then";
            let help = "write credentials without expressions";
            let error = self.document.error_at(at, code::BAD_VALUE, message);
            self.builder.report(error.with_help(help.to_owned()));
            return None;
        }
        Some(value)
    }
}

fn is_constant(value: &Value) -> bool {
    match value {
        Value::String(text) => enclosed(text).is_none(),
        Value::Array(items) => items.iter().all(is_constant),
        Value::Object(members) => members.values().all(is_constant),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}
