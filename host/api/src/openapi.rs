//! The contract as an OpenAPI 3.1 document, generated from the types and from one description for each route.
//!
//! The descriptions are functions without a body, a file for each resource: only their attributes matter.
//! The committed `openapi.json` is what [`document`] gives; a test compares the two, so that a review
//! shows a change of the contract as clients will see it.

#[expect(
    dead_code,
    reason = "a description, of which only the attributes matter"
)]
mod approvals;
#[expect(
    dead_code,
    reason = "a description, of which only the attributes matter"
)]
mod connectors;
#[expect(
    dead_code,
    reason = "a description, of which only the attributes matter"
)]
mod events;
#[expect(
    dead_code,
    reason = "a description, of which only the attributes matter"
)]
mod health;
#[expect(
    dead_code,
    reason = "a description, of which only the attributes matter"
)]
mod host;
#[expect(
    dead_code,
    reason = "a description, of which only the attributes matter"
)]
mod runs;
#[expect(
    dead_code,
    reason = "a description, of which only the attributes matter"
)]
mod schedules;
#[expect(
    dead_code,
    reason = "a description, of which only the attributes matter"
)]
mod secrets;
#[expect(
    dead_code,
    reason = "a description, of which only the attributes matter"
)]
mod workflows;

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder, Tag};
use utoipa::{OpenApi, ToResponse};

use crate::problem::{PROBLEM_JSON, Problem, ProblemKind};
use crate::routes;

/// The whole document. It is built anew for each call; keep it if you serve it.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Routes::openapi();
    document.info.title = "Baton".to_owned();
    document.info.version = "1".to_owned();
    document.info.description = Some(introduction());
    document.info.license = Some(
        utoipa::openapi::LicenseBuilder::new()
            .name("Apache-2.0")
            .identifier(Some("Apache-2.0"))
            .build(),
    );
    document.tags = Some(
        [
            (
                "workflows",
                "Documents of the Open Workflow Specification, published under a version.",
            ),
            ("runs", "Workflows under way, and what became of them."),
            ("events", "CloudEvents, in a log that runs listen to."),
            ("schedules", "Workflows that start by themselves."),
            (
                "approvals",
                "Tasks of runs that wait for a person to decide.",
            ),
            (
                "connectors",
                "WebAssembly components that workflows call functions of, and what they may do.",
            ),
            (
                "secrets",
                "Values that connectors use without holding them.",
            ),
            ("host", "The host itself."),
        ]
        .into_iter()
        .map(|(name, description)| {
            let mut tag = Tag::new(name);
            tag.description = Some(description.to_owned());
            tag
        })
        .collect(),
    );
    add_problems(&mut document);
    add_security(&mut document);
    document
}

#[derive(OpenApi)]
#[openapi(
    paths(
        workflows::publish,
        workflows::list,
        workflows::highest,
        workflows::version,
        workflows::validate,
        runs::start,
        runs::list,
        runs::read,
        runs::history,
        runs::events,
        runs::cancel,
        runs::suspend,
        runs::resume,
        runs::retry,
        runs::restart,
        runs::delete,
        approvals::list,
        approvals::read,
        approvals::decide,
        events::send,
        events::list,
        events::read,
        schedules::list,
        schedules::read,
        schedules::pause,
        schedules::resume,
        connectors::install,
        connectors::list,
        connectors::read,
        connectors::remove,
        connectors::grant,
        connectors::call,
        secrets::set,
        secrets::list,
        secrets::remove,
        health::alive,
        health::ready,
        health::openapi,
        health::workflow_schema,
        host::backup,
    ),
    components(schemas(Problem), responses(ProblemResponse))
)]
struct Routes;

/// What a reader of the document should know before any route, with the table of problems.
fn introduction() -> String {
    let mut text = String::from(
        "The tenant comes from the token (`Authorization: Bearer`). Another tenant's resource is answered \
         as one that doesn't exist. Every response has an `X-Request-Id`, which the host's log has as well.\n\n\
         Lists come in pages: `next` of a page is the `cursor` of the one after it.\n\n\
         Refusals are problem details (RFC 9457). The kinds are:\n\n| status | type | title |\n|---|---|---|\n",
    );
    for kind in ProblemKind::ALL {
        text.push_str(&format!(
            "| {} | `{}` | {} |\n",
            kind.status(),
            kind.type_uri(),
            kind.title()
        ));
    }
    text
}

/// The response that every refusal has: a component of the document that the routes refer to.
struct ProblemResponse;

impl<'r> ToResponse<'r> for ProblemResponse {
    fn response() -> (&'r str, RefOr<Response>) {
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        let response = ResponseBuilder::new()
            .description("The request was refused: a problem detail.")
            .content(PROBLEM_JSON, content)
            .build();
        ("Problem", response.into())
    }
}

/// Lets each operation answer with a problem under other statuses than it names, too.
fn add_problems(document: &mut utoipa::openapi::OpenApi) {
    for (_, _, operation) in operations(document) {
        let reference = Ref::from_response_name("Problem");
        operation
            .responses
            .responses
            .insert("default".to_owned(), reference.into());
    }
}

/// Asks for a token wherever one is needed.
fn add_security(document: &mut utoipa::openapi::OpenApi) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token of a tenant. A host that was started with `baton dev` takes none.",
        ))
        .build();
    let components = document.components.get_or_insert_default();
    components
        .security_schemes
        .insert("token".to_owned(), SecurityScheme::Http(bearer).into());
    for (path, method, operation) in operations(document) {
        let open = routes::ALL
            .iter()
            .any(|route| route.open && route.path == path && route.method == method);
        operation.security = match open {
            true => Some(Vec::new()),
            false => Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(
                "token",
                [],
            )]),
        };
    }
}

/// Each operation with its path and its method in capitals.
fn operations(
    document: &mut utoipa::openapi::OpenApi,
) -> impl Iterator<Item = (&str, &'static str, &mut Operation)> {
    document.paths.paths.iter_mut().flat_map(|(path, item)| {
        [
            ("GET", &mut item.get),
            ("POST", &mut item.post),
            ("PUT", &mut item.put),
            ("DELETE", &mut item.delete),
        ]
        .into_iter()
        .filter_map(move |(method, operation)| Some((path.as_str(), method, operation.as_mut()?)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn describes_each_route_and_no_other() {
        let mut document = document();
        let mut described: Vec<_> = operations(&mut document)
            .map(|(path, method, _)| (path.to_owned(), method))
            .collect();
        let mut served: Vec<_> = routes::ALL
            .iter()
            .map(|route| (route.path.to_owned(), route.method))
            .collect();
        described.sort();
        served.sort();
        assert_eq!(described, served);
    }

    #[test]
    fn says_what_each_route_does_under_a_name_of_its_own() {
        let mut document = document();
        let mut names = std::collections::BTreeSet::new();
        for (path, method, operation) in operations(&mut document) {
            assert!(
                operation
                    .summary
                    .as_deref()
                    .is_some_and(|text| !text.is_empty()),
                "{method} {path}"
            );
            let name = operation
                .operation_id
                .clone()
                .expect("each operation has a name");
            assert!(
                names.insert(name),
                "{method} {path} has the name of another"
            );
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = serde_json::to_value(document()).unwrap();
        let text = document.to_string();
        let mut count = 0;
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
            count += 1;
        }
        assert!(count > 20, "{count}");
    }
}
