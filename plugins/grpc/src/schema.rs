//! The .proto file, and what it imports.

use std::collections::BTreeMap;

use calls::arguments::unknown;
use calls::{Endpoint, Failure, Kind, resource};
use outgoing::{Open, UriRef};
use prost_reflect::{DescriptorPool, MethodDescriptor, ServiceDescriptor};
use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

/// How many files a schema may have. Large APIs have some dozens.
const FILES_MAX: usize = 100;
/// How long they may be together, in bytes.
const BYTES_MAX: usize = 8 << 20;

/// Fetches the file at `source` and what it imports, and compiles them. `network` is the source's own.
///
/// # Errors
///
/// `configuration` where they are no schema, saying file, line and column; those of fetching.
pub fn load(source: &Endpoint, network: &impl Open) -> Result<DescriptorPool, Failure> {
    let path = source.uri.path().as_str();
    let name = path.rsplit('/').next().filter(|name| !name.is_empty());
    let name = name.unwrap_or("service.proto");
    let files = fetch(name, source, network)?;
    let mut resolver = ChainFileResolver::new();
    resolver.add(Files(files));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true);
    compiler.open_file(name).map_err(|error| broken(&error))?;
    Ok(compiler.descriptor_pool())
}

/// All files by the names under which they are imported.
fn fetch(
    name: &str,
    source: &Endpoint,
    network: &impl Open,
) -> Result<BTreeMap<String, File>, Failure> {
    let google = GoogleFileResolver::new();
    let mut files = BTreeMap::new();
    let mut wanted = vec![(name.to_owned(), source.clone())];
    let mut bytes = 0;
    while let Some((name, place)) = wanted.pop() {
        let response = resource::fetch(&place, "text/plain, */*", network)?;
        bytes += response.body.len();
        if files.len() >= FILES_MAX || bytes > BYTES_MAX {
            return Err(too_large());
        }
        let text = String::from_utf8(response.body).map_err(|_| {
            let uri = &place.uri;
            invalid(format!("{uri} is no text: a .proto is text in UTF-8"))
        })?;
        let file = File::from_source(&name, &text).map_err(|error| broken(&error))?;
        for import in &file.file_descriptor_proto().dependency {
            let is_wanted = wanted.iter().any(|(name, _)| name == import);
            if !is_wanted && !files.contains_key(import) && google.open_file(import).is_err() {
                wanted.push((import.clone(), beside(source, import)?));
            }
        }
        files.insert(name, file);
    }
    Ok(files)
}

/// Where an import of the file at `source` is: below the folder that the file's own path shows to be the root
/// of imports, or else the file's own.
fn beside(source: &Endpoint, import: &str) -> Result<Endpoint, Failure> {
    let path = source.uri.path().as_str();
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let root = import
        .rsplit_once('/')
        .and_then(|(within, _)| folder.strip_suffix(within)?.strip_suffix('/'))
        .unwrap_or(folder);
    let no_place = || invalid(format!("the import {import:?} is no path"));
    let reference = format!("{root}/{import}");
    let reference = UriRef::parse(reference.as_str()).map_err(|_| no_place())?;
    let base = source.uri.clone();
    let uri = reference.resolve_against(&base).map_err(|_| no_place())?;
    Ok(Endpoint { uri, policy: None })
}

/// Files that are there already.
struct Files(BTreeMap<String, File>);

impl FileResolver for Files {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let file = self.0.get(name);
        file.cloned()
            .ok_or_else(|| protox::Error::file_not_found(name))
    }
}

/// Finds a method. A service's name may leave the package out where only one is so called.
///
/// # Errors
///
/// `configuration`, saying which there are, the nearest first.
pub fn method(
    pool: &DescriptorPool,
    service: &str,
    method: &str,
) -> Result<MethodDescriptor, Failure> {
    let found = find(pool, service)?;
    let called = found.methods().find(|it| it.name() == method);
    called.ok_or_else(|| {
        let names = found.methods().map(|it| it.name().to_owned());
        let what = format!("method of `{}`", found.full_name());
        let detail = unknown(&what, method, names);
        Failure::new(Kind::Configuration, "Unknown method", detail)
    })
}

fn find(pool: &DescriptorPool, name: &str) -> Result<ServiceDescriptor, Failure> {
    if let Some(found) = pool.get_service_by_name(name.trim_start_matches('.')) {
        return Ok(found);
    }
    let mut alike = pool.services().filter(|it| it.name() == name);
    match (alike.next(), alike.next()) {
        (Some(found), None) => Ok(found),
        _ => {
            let names = pool.services().map(|it| it.full_name().to_owned());
            let detail = unknown("service", name, names);
            Err(Failure::new(Kind::Configuration, "Unknown service", detail))
        }
    }
}

/// The compiler's own words, which start with file, line and column.
fn broken(error: &protox::Error) -> Failure {
    invalid(format!("{error:?}"))
}

fn invalid(detail: String) -> Failure {
    Failure::new(Kind::Configuration, "Invalid proto", detail)
}

fn too_large() -> Failure {
    invalid(format!(
        "with its imports it has more than {FILES_MAX} files or {BYTES_MAX} bytes: name a .proto that imports less"
    ))
}
