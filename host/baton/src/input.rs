//! What commands are given: documents, components, and JSON in an argument or a file.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::failure::Failure;
use crate::render::diagnostic::offset;

/// The largest file that is read as a document, in bytes. The language refuses less than that, with a
/// better message; this is against reading a disk by mistake.
const DOCUMENT_BYTES_MAX: u64 = 32 << 20;
/// The largest file that is read as JSON or as a component, in bytes.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// How many files of a folder are compared with a name that is not among them.
const FILES_COMPARED_MAX: usize = 10_000;
/// How like a name must be to be taken for what was meant; 1 is the same.
const LIKENESS_MIN: f64 = 0.7;

/// A text and the name of where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The path as it was given, or `<stdin>`.
    pub(crate) name: String,
    /// The text.
    pub(crate) text: String,
    /// The file; none for standard input.
    pub(crate) file: Option<PathBuf>,
}

/// Reads a document from a file, or from standard input where the path is `-`.
///
/// # Errors
///
/// It can't be read, is no UTF-8 or is far too large.
pub(crate) fn document(path: &Path) -> Result<Source, Failure> {
    let file = (path != Path::new("-")).then(|| path.to_owned());
    let name = match &file {
        Some(file) => file.display().to_string(),
        None => "<stdin>".to_owned(),
    };
    let bytes = read(path, &name, DOCUMENT_BYTES_MAX)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source { name, text, file }),
        Err(error) => {
            let byte = error.utf8_error().valid_up_to();
            let failure = Failure::invalid(format!(
                "{name} is not UTF-8: byte {byte} begins no character"
            ));
            Err(failure.help("a workflow document is YAML or JSON in UTF-8; convert it, with `iconv` for example"))
        }
    }
}

/// Reads a component from a file.
///
/// # Errors
///
/// It can't be read or is far too large.
pub(crate) fn component(path: &Path) -> Result<Vec<u8>, Failure> {
    read(path, &path.display().to_string(), FILE_BYTES_MAX)
}

/// The JSON of an argument: the text itself or, behind an `@`, what is in that file (`@-`: in standard
/// input).
///
/// # Errors
///
/// The file can't be read, or the text is no JSON; with the place.
pub(crate) fn json(flag: &str, argument: &str) -> Result<Value, Failure> {
    let (origin, text) = match argument.strip_prefix('@') {
        None => (flag.to_owned(), argument.to_owned()),
        Some(path) => {
            let source = document(Path::new(path))?;
            (source.name, source.text)
        }
    };
    serde_json::from_str(&text).map_err(|error| {
        let at = offset(&text, error.line(), error.column());
        let failure = Failure::invalid(format!("{flag} is no JSON: {}", without_place(&error)));
        let failure = failure.at(origin, &text, at.saturating_sub(usize::from(at == text.len()))..at + 1);
        failure.help(format!("give JSON, such as {flag} '{{\"name\":\"Ada\"}}', or a file that holds it: {flag} @input.json"))
    })
}

/// A name and its value, as flags have them that can be repeated: `NAME=VALUE`. The value may be empty and may have a `=`.
///
/// # Errors
///
/// It is something else.
pub(crate) fn name_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected a name and its value, with a `=` between them".to_owned()),
    }
}

/// The file beside the one of this path whose name is most like its, where one is like it: what was probably meant by a
/// path where nothing is.
fn beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let folder = match path.parent()? {
        here if here.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    let files = std::fs::read_dir(folder).ok()?;
    let names = files.take(FILES_COMPARED_MAX).filter_map(|file| {
        let file = file.ok().filter(|file| !file.path().is_dir())?;
        file.file_name().into_string().ok()
    });
    let likeness = |other: &str| {
        strsim::normalized_damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase())
    };
    let alike = names.map(|name| (likeness(&name), name));
    alike
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| path.with_file_name(name))
}

/// The message of an error without its line and column, which the excerpt shows.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ")
        .map_or(text.clone(), |(message, _)| message.to_owned())
}

fn read(path: &Path, name: &str, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    let fail =
        |error: &std::io::Error| Failure::invalid(format!("cannot read {name}")).because(error);
    let mut reader: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(path).map_err(|error| {
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            match missing.then(|| beside(path)).flatten() {
                Some(other) => fail(&error).help(format!("did you mean {}?", other.display())),
                None => fail(&error),
            }
        })?;
        Box::new(file)
    };
    let mut bytes = Vec::new();
    reader
        .by_ref()
        .take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| fail(&error))?;
    if bytes.len() as u64 > bytes_max {
        return Err(Failure::invalid(format!(
            "{name} has more than {} MiB, too much to be read",
            bytes_max >> 20
        )));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use annotate_snippets::Renderer;

    use super::*;
    use crate::render::failure::render_with;

    #[test]
    fn reads_json_from_an_argument_and_a_file() {
        assert_eq!(
            json("--input", "{\"a\": 1}").expect("it is JSON"),
            serde_json::json!({ "a": 1 })
        );
        let file = tempfile::NamedTempFile::new().expect("there is a temporary directory");
        std::fs::write(file.path(), "[1, 2]").expect("it can be written");
        let argument = format!("@{}", file.path().display());
        assert_eq!(
            json("--input", &argument).expect("it is JSON"),
            serde_json::json!([1, 2])
        );
    }

    #[test]
    fn reads_a_name_and_its_value() {
        let read = |text| name_value(text).map(|(name, value)| [name, value]);
        assert_eq!(read("a=b=c"), Ok(["a".to_owned(), "b=c".to_owned()]));
        assert_eq!(read("a="), Ok(["a".to_owned(), String::new()]));
        for wrong in ["", "a", "=b"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_told_by_the_one_beside_it() {
        let folder = tempfile::tempdir().expect("there is a temporary directory");
        for name in ["onboard.yaml", "offboard.yaml", "notes.txt"] {
            std::fs::write(folder.path().join(name), "").expect("it can be written");
        }
        std::fs::create_dir(folder.path().join("onbaord")).expect("it can be made");
        let help = |name: &str| {
            let failure = component(&folder.path().join(name)).expect_err("it is not there");
            failure
                .help
                .map(|help| help.replace(&*folder.path().to_string_lossy(), ""))
        };
        assert_eq!(
            help("onbaord.yaml").as_deref(),
            Some("did you mean /onboard.yaml?")
        );
        assert_eq!(
            help("Onboard.yml").as_deref(),
            Some("did you mean /onboard.yaml?")
        );
        assert_eq!(help("readme.md"), None);
        assert_eq!(help("nowhere/onboard.yaml"), None);
    }

    #[test]
    fn shows_where_json_ends_to_be_json() {
        let render = |text: &str| {
            let failure = json("--input", text).expect_err("it is no JSON");
            assert_eq!(failure.exit, crate::exit::Exit::Invalid);
            render_with(&failure, &Renderer::plain())
        };
        insta::assert_snapshot!(render("{\"name\": Ada}"), @r##"
        error: --input is no JSON: expected value
         --> --input:1:10
          |
        1 | {"name": Ada}
          |          ^
          |
          = help: give JSON, such as --input '{"name":"Ada"}', or a file that holds it: --input @input.json
        "##);
        insta::assert_snapshot!(render("{\"name\": \"Ada\""), @r##"
        error: --input is no JSON: EOF while parsing an object
         --> --input:1:14
          |
        1 | {"name": "Ada"
          |              ^
          |
          = help: give JSON, such as --input '{"name":"Ada"}', or a file that holds it: --input @input.json
        "##);
        insta::assert_snapshot!(render(""), @r##"
        error: --input is no JSON: EOF while parsing a value
         --> --input:1:1
          |
        1 |
          | ^
          |
          = help: give JSON, such as --input '{"name":"Ada"}', or a file that holds it: --input @input.json
        "##);
    }
}
