//! The page of the documentation that a reader opens first has all routes and all problems.

use baton_api::problem::ProblemKind;
use baton_api::routes;

const PAGE: &str = include_str!("../../../docs/http-api.md");

/// The path with its parameters left nameless: what they are called is the page's own.
fn nameless(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.starts_with('{') {
        true => "{}",
        false => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_is_on_the_page() {
    let code = PAGE.split('`').skip(1).step_by(2);
    let shown: Vec<String> = code
        .filter_map(|code| code.split_once(" /"))
        .map(|(method, path)| {
            let path = path.split('?').next().unwrap_or_default();
            format!("{method} {}", nameless(&format!("/{path}")))
        })
        .collect();
    for route in routes::ALL {
        let wanted = format!("{} {}", route.method, nameless(route.path));
        assert!(
            shown.contains(&wanted),
            "{wanted} is not in docs/http-api.md"
        );
    }
}

#[test]
fn every_problem_is_on_the_page() {
    for kind in ProblemKind::ALL {
        let row = format!("| {} | `{}` | ", kind.status(), kind.name());
        assert!(PAGE.contains(&row), "{row}… is not in docs/http-api.md");
    }
}
