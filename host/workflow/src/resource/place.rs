//! Where a resource is: from what a document says to a URI that can be fetched.

use url::Url;

/// Where a resource is to be had.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Placed(pub(crate) String);

/// The absolute URI of what a document at `home` calls `written`. Pages of repositories on GitHub and GitLab are
/// taken for the raw content that they show (dsl.md, "File Structure").
///
/// # Errors
///
/// What is wrong with it and, behind it, what to do.
pub(crate) fn place(written: &str, home: Option<&str>) -> Result<Placed, (String, String)> {
    let home = home.and_then(|home| Url::parse(home).ok());
    let is_file = |url: &Url| url.scheme() == "file";
    let found = match (Url::parse(written), &home) {
        (Ok(url), _) => url,
        (Err(url::ParseError::RelativeUrlWithoutBase), Some(home)) => {
            home.join(written).map_err(|error| no_uri(written, error))?
        }
        (Err(url::ParseError::RelativeUrlWithoutBase), None) => {
            let message =
                format!("`{written}` is relative, and a document that is posted stands nowhere");
            let help = "write an absolute URI, such as https://example.org/schema.json; relative ones are for \
                        documents that are files: `baton run FILE`, `baton validate FILE`";
            return Err((message, help.to_owned()));
        }
        (Err(error), _) => return Err(no_uri(written, error)),
    };
    if found.fragment().is_some() {
        let message = format!("`{written}` names a part of a resource");
        return Err((
            message,
            "name the whole, without `#` and what follows".to_owned(),
        ));
    }
    match found.scheme() {
        "http" | "https" => Ok(Placed(raw(&found).to_string())),
        "file" if home.as_ref().is_some_and(is_file) => Ok(Placed(found.into())),
        "file" => {
            let message = format!("`{written}` is a file, and this host has no files of yours");
            let help = "put it where it can be fetched over https; files are for documents that are files \
                        themselves: `baton run FILE`, `baton validate FILE`";
            Err((message, help.to_owned()))
        }
        other => {
            let message = format!("resources can't be fetched over `{other}`");
            Err((
                message,
                "use https, http or, with `baton run`, a file".to_owned(),
            ))
        }
    }
}

fn no_uri(written: &str, error: url::ParseError) -> (String, String) {
    let message = format!("`{written}` is no URI: {error}");
    (
        message,
        "write it like https://example.org/schema.json".to_owned(),
    )
}

/// Where a catalog keeps a function, by the structure that catalogs have (dsl.md, "File Structure"):
/// `functions/NAME/VERSION/function.yaml` below its root.
pub fn catalog_function(root: &str, name: &str, version: &str) -> String {
    let root = root.trim_end_matches('/');
    format!("{root}/functions/{name}/{version}/function.yaml")
}

/// The raw content of what is a page of a repository.
fn raw(url: &Url) -> Url {
    let segments: Vec<&str> = url
        .path_segments()
        .map(Iterator::collect)
        .unwrap_or_default();
    let raw = match (url.host_str(), &segments[..]) {
        (Some("github.com"), [owner, repository, rest @ ..]) => {
            github(owner, repository, rest).map(|path| ("raw.githubusercontent.com", path))
        }
        (Some("gitlab.com"), _) => gitlab(&segments).map(|path| ("gitlab.com", path)),
        _ => None,
    };
    let mut content = url.clone();
    if let Some((host, path)) = raw
        && content.set_host(Some(host)).is_ok()
    {
        content.set_path(&path);
    }
    content
}

/// `tree` and `blob` show a branch; without them, it is the default branch, or the tag behind an `@`.
fn github(owner: &str, repository: &str, rest: &[&str]) -> Option<String> {
    let repository = repository.strip_suffix(".git").unwrap_or(repository);
    match rest {
        [] | [""] => None,
        ["tree" | "blob", branch, path @ ..] => {
            let path = path.join("/");
            Some(format!("{owner}/{repository}/refs/heads/{branch}/{path}"))
        }
        ["raw" | "releases" | "archive" | "-", ..] => None,
        [path @ .., last] => match last.split_once('@') {
            // `https://github.com/myorg/functions/validateEmailAddress@v1.0.0` of dsl.md, "Using a Custom
            // Function": a folder, at a tag.
            Some((name, tag)) => {
                let folder: String = path.iter().map(|part| format!("{part}/")).collect();
                Some(format!(
                    "{owner}/{repository}/{tag}/{folder}{name}/function.yaml"
                ))
            }
            None => Some(format!("{owner}/{repository}/HEAD/{}", rest.join("/"))),
        },
    }
}

fn gitlab(segments: &[&str]) -> Option<String> {
    let dash = segments.iter().position(|segment| *segment == "-")?;
    let (project, rest) = (segments[..dash].join("/"), &segments[dash + 1..]);
    match rest {
        ["tree" | "blob", branch, path @ ..] => {
            Some(format!("{project}/-/raw/{branch}/{}", path.join("/")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, home: Option<&str>, expected: &str) {
        assert_eq!(place(written, home), Ok(Placed(expected.to_owned())));
    }

    #[test]
    fn relative_uris_start_where_the_document_is() {
        let file = Some("file:///home/ada/flow.yaml");
        check("schemas/a.json", file, "file:///home/ada/schemas/a.json");
        check("file:///x/a.json", file, "file:///x/a.json");
        check("https://a.example/b", file, "https://a.example/b");
        let function = Some("https://a.example/functions/f/1.0.0/function.yaml");
        check(
            "schema.json",
            function,
            "https://a.example/functions/f/1.0.0/schema.json",
        );
        check("/s.json", function, "https://a.example/s.json");
    }

    #[test]
    fn what_can_t_be_fetched_is_refused_with_a_way_out() {
        for (written, home, word) in [
            ("a.json", None, "stands nowhere"),
            ("file:///etc/passwd", None, "no files of yours"),
            (
                "file:///etc/passwd",
                Some("https://a.example/f.yaml"),
                "no files of yours",
            ),
            ("ftp://a.example/b", None, "`ftp`"),
            ("https://a.example/b#/c", None, "a part"),
            ("https://", None, "no URI"),
        ] {
            let (message, help) = place(written, home).expect_err("it is refused");
            assert!(message.contains(word) && !help.is_empty(), "{message}");
        }
    }

    #[test]
    fn pages_of_repositories_mean_their_raw_content() {
        let raw = "https://raw.githubusercontent.com";
        let catalog = |root: &str| catalog_function(root, "log", "1.0.0");
        // The example of dsl.md, "File Structure".
        check(
            &catalog("https://github.com/serverlessworkflow/catalog/tree/main"),
            None,
            &format!(
                "{raw}/serverlessworkflow/catalog/refs/heads/main/functions/log/1.0.0/function.yaml"
            ),
        );
        check(
            &catalog("https://github.com/serverlessworkflow/catalog/"),
            None,
            &format!("{raw}/serverlessworkflow/catalog/HEAD/functions/log/1.0.0/function.yaml"),
        );
        check(
            "https://github.com/o/r/blob/main/f.yaml",
            None,
            &format!("{raw}/o/r/refs/heads/main/f.yaml"),
        );
        check(
            "https://github.com/myorg/functions/validateEmailAddress@v1.0.0",
            None,
            &format!("{raw}/myorg/functions/v1.0.0/validateEmailAddress/function.yaml"),
        );
        check(
            &catalog("https://gitlab.com/g/s/p/-/tree/main"),
            None,
            "https://gitlab.com/g/s/p/-/raw/main/functions/log/1.0.0/function.yaml",
        );
        check(
            &catalog("http://127.0.0.1:8099/catalog"),
            None,
            "http://127.0.0.1:8099/catalog/functions/log/1.0.0/function.yaml",
        );
    }
}
