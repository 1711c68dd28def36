//! What documents keep elsewhere: fetched at publication, and kept with the version from then on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use baton_store::record::{Record, ResourceRecord, ResourcesRecord};
use baton_store::{Digest, ReadError, RunId, TenantId, key};
use baton_workflow::machine::TaskKey;
use baton_workflow::resource::RESOURCE_BYTES_MAX;
use baton_workflow::{Resources, Wanted};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use url::Url;

use crate::digest;
use crate::error::Unavailable;
use crate::outside::Call;
use crate::shared::Shared;
use crate::vault::VaultError;

/// How long fetching one resource may take, and how long all of a document's together. Who publishes waits for
/// it.
const TIME: Duration = Duration::from_secs(10);
const ALL_TIME: Duration = Duration::from_secs(30);

/// How many bytes all resources of a version may have together.
const ALL_BYTES_MAX: usize = 8 << 20;

/// The connector that fetches, so that a tenant's documents are had from nowhere but where its grant for the
/// connector allows; and its function.
const CONNECTOR: &str = "http";
const FUNCTION: &str = "request";

/// Where a document is from, and with that, what may be had for it.
#[derive(Clone, Debug, Default)]
pub struct Home {
    /// What its author calls it, usually a file's name.
    pub name: Option<String>,
    /// The file that it is, for documents of who runs this process: it may keep things in files that are in the same
    /// folder or below it. None for documents that were posted.
    pub file: Option<PathBuf>,
    /// Whether to fetch nothing over the network; what would have to be is a warning then.
    pub is_offline: bool,
}

impl Home {
    /// Resources for such a document, with nothing fetched yet.
    pub(crate) fn resources(&self) -> Resources {
        let uri = self.file.as_deref().and_then(file_uri);
        uri.map_or_else(Resources::new, |uri| Resources::of_file(&uri))
    }
}

fn file_uri(file: &Path) -> Option<String> {
    let file = file.canonicalize().ok()?;
    Url::from_file_path(file).ok().map(String::from)
}

/// The digest of a version: that of its text and, where it keeps things elsewhere, of those too.
pub(crate) fn digest_of(text: &str, resources: &Resources) -> Digest {
    if resources.is_empty() {
        return digest::of(text.as_bytes());
    }
    let mut hash = Sha256::new();
    hash.update(digest::of(text.as_bytes()).0);
    for (uri, text) in resources.texts() {
        // Digests, so that no text can pass for another with a URI.
        hash.update(digest::of(uri.as_bytes()).0);
        hash.update(digest::of(text.as_bytes()).0);
    }
    Digest(hash.finalize().into())
}

/// The record of what a version keeps elsewhere; none where that is nothing.
pub(crate) fn record(resources: &Resources) -> Option<ResourcesRecord> {
    let home = resources.home().map(str::to_owned);
    let resources: Vec<ResourceRecord> = resources
        .texts()
        .map(|(uri, text)| ResourceRecord {
            uri: uri.to_owned(),
            text: text.to_owned(),
        })
        .collect();
    (!resources.is_empty()).then_some(ResourcesRecord { home, resources })
}

/// What a version keeps elsewhere, as it was published.
pub(crate) fn stored(
    shared: &Shared,
    tenant: &TenantId,
    digest: &Digest,
) -> Result<Resources, ReadError> {
    let Some(stored) = shared.store.get(&key::resources(tenant, digest))? else {
        return Ok(Resources::new());
    };
    let record = ResourcesRecord::decode(&stored)?;
    let home = record.home.as_deref();
    let mut resources = home.map_or_else(Resources::new, Resources::of_file);
    for ResourceRecord { uri, text } in record.resources {
        resources.insert(&uri, Ok(text));
    }
    Ok(resources)
}

/// Fetches what a document keeps elsewhere, for one tenant, within bounds for all of it together.
pub(crate) struct Fetching<'a> {
    shared: &'a Arc<Shared>,
    tenant: &'a TenantId,
    home: &'a Home,
    deadline: Instant,
    bytes: usize,
}

impl<'a> Fetching<'a> {
    /// Begins now.
    pub(crate) fn new(shared: &'a Arc<Shared>, tenant: &'a TenantId, home: &'a Home) -> Self {
        Self {
            shared,
            tenant,
            home,
            deadline: Instant::now() + ALL_TIME,
            bytes: 0,
        }
    }

    /// Whether a resource may be fetched here at all.
    pub(crate) fn may(&self, wanted: &Wanted) -> bool {
        !self.home.is_offline || wanted.uri.starts_with("file:")
    }

    /// Fetches a resource: its text, or why it can't be had, in a form that fits behind "error: ".
    ///
    /// # Errors
    ///
    /// Where fetching could not even be tried, and may be later.
    pub(crate) async fn fetch(
        &mut self,
        wanted: &Wanted,
    ) -> Result<Result<String, String>, Unavailable> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let all = ALL_TIME.as_secs();
            return Ok(Err(format!("fetching all of it takes longer than {all} s")));
        }
        let text = fetch(self.shared, self.tenant, self.home, wanted, left.min(TIME)).await?;
        self.bytes += text.as_ref().map_or(0, String::len);
        if self.bytes > ALL_BYTES_MAX {
            return Ok(Err(format!(
                "all of it together has more than the {ALL_BYTES_MAX} bytes that are allowed"
            )));
        }
        Ok(text)
    }
}

async fn fetch(
    shared: &Arc<Shared>,
    tenant: &TenantId,
    home: &Home,
    wanted: &Wanted,
    time: Duration,
) -> Result<Result<String, String>, Unavailable> {
    let bytes = match Url::parse(&wanted.uri) {
        Ok(url) if url.scheme() == "file" => {
            let folder = home.file.as_deref().and_then(Path::parent);
            let folder = folder.map(Path::to_owned).unwrap_or_default();
            let read = tokio::task::spawn_blocking(move || read_file(&folder, &url)).await;
            read.map_err(|error| Unavailable::Storage(error.to_string()))?
        }
        _ => request(shared, tenant, wanted, time).await?,
    };
    Ok(bytes.and_then(|bytes| {
        if bytes.len() > RESOURCE_BYTES_MAX {
            return Err(too_large());
        }
        String::from_utf8(bytes).map_err(|_| "it is not text in UTF-8".to_owned())
    }))
}

fn too_large() -> String {
    format!("it has more than the {RESOURCE_BYTES_MAX} bytes that are allowed")
}

/// Reads a file in `folder` or below it.
fn read_file(folder: &Path, url: &Url) -> Result<Vec<u8>, String> {
    use std::io::Read as _;

    let path = url
        .to_file_path()
        .map_err(|()| "it is no file of this machine".to_owned())?;
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    // Links are followed before it is seen where it is.
    let canonical = |path: &Path| path.canonicalize().map_err(|error| error.to_string());
    let (path, folder) = (canonical(&path)?, canonical(folder)?);
    if !path.starts_with(&folder) {
        return Err(
            "it is outside of the document's folder; put it into that folder or below it"
                .to_owned(),
        );
    }
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let bound = u64::try_from(RESOURCE_BYTES_MAX).unwrap_or(u64::MAX);
    file.take(bound + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Puts in place of `use` what stands for that secret, as `$secrets` would have it in a run, and notes its name. Gives
/// why there is none, where there is none.
fn put_secret_in(
    shared: &Shared,
    tenant: &TenantId,
    policy: &mut Value,
    names: &mut Vec<String>,
) -> Result<Result<(), String>, Unavailable> {
    for credentials in policy.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let Some(name) = credentials.get("use").and_then(Value::as_str) else {
            continue;
        };
        let (facts, missing) = match shared.vault.facts(tenant, [name].into_iter()) {
            Ok(found) => found,
            Err(VaultError::Read(error)) => return Err(error.into()),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let Some((name, fact)) = facts.into_iter().next() else {
            let name = missing.concat();
            return Ok(Err(format!(
                "there is no secret `{name}`: set it before publishing, with `baton secret set {name}`"
            )));
        };
        names.push(name);
        *credentials = fact;
    }
    Ok(Ok(()))
}

/// Has the connector fetch a resource, with the tenant's grant.
async fn request(
    shared: &Arc<Shared>,
    tenant: &TenantId,
    wanted: &Wanted,
    time: Duration,
) -> Result<Result<Vec<u8>, String>, Unavailable> {
    let Some(entry) = shared.library.find(tenant, CONNECTOR)? else {
        return Ok(Err(format!(
            "there is no connector `{CONNECTOR}` to fetch it"
        )));
    };
    let mut endpoint = json!({ "uri": wanted.uri });
    let mut secrets = Vec::new();
    if let Some(policy) = &wanted.authentication {
        let mut policy = policy.clone();
        if let Err(why) = put_secret_in(shared, tenant, &mut policy, &mut secrets)? {
            return Ok(Err(why));
        }
        endpoint["authentication"] = policy;
    }
    let arguments = json!({
        "method": "get",
        "endpoint": endpoint,
        "headers": { "accept": "application/yaml, application/json, text/*, */*;q=0.5" },
        "output": "raw",
        "redirect": true,
    });
    let once = RunId::new(0, &rand::random());
    let call = Call {
        tenant: tenant.clone(),
        run: String::new(),
        task: TaskKey {
            pointer: "".into(),
            visit: 1,
        },
        attempt: 1,
        connector: CONNECTOR.to_owned(),
        digest: entry.digest,
        bundled: shared.library.is_bundled(CONNECTOR, &entry.digest),
        interface: None,
        function: FUNCTION.to_owned(),
        arguments: Arc::new(arguments),
        secrets: secrets.into(),
        time: time.min(shared.limits.call_time),
        idempotency_key: format!("fetch/{once}"),
        progress: Default::default(),
        items: None,
        reveals: None,
    };
    let answer = shared.dispatch.once(call).await;
    let answer = answer.ok_or(Unavailable::Busy {
        retry_after: Duration::from_secs(1),
    })?;
    Ok(match answer.result {
        Ok(content) => decode(&content),
        Err(error) => Err(reason(&error)),
    })
}

/// The content of a response, which is in base64; nothing where it had none.
fn decode(content: &Value) -> Result<Vec<u8>, String> {
    match content {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => STANDARD
            .decode(text)
            .map_err(|error| format!("the connector answered with what is no base64: {error}")),
        _ => Err("the connector answered with something else than content".to_owned()),
    }
}

fn reason(error: &baton_workflow::Error) -> String {
    match (&error.title, &error.detail) {
        (Some(title), Some(detail)) if !detail.is_empty() => format!("{title}: {detail}"),
        (Some(title), _) => title.clone(),
        (None, Some(detail)) => detail.clone(),
        (None, None) => format!("status {}", error.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_without_resources_has_the_digest_of_its_text() {
        let mut resources = Resources::new();
        assert_eq!(digest_of("a", &resources), digest::of(b"a"));
        resources.insert("https://a.example/b", Ok("1".to_owned()));
        let one = digest_of("a", &resources);
        resources.insert("https://a.example/b", Ok("2".to_owned()));
        let other = digest_of("a", &resources);
        assert!(one != other && one != digest::of(b"a"));
    }

    #[test]
    fn files_outside_of_the_folder_are_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let inside = folder.path().join("flows");
        std::fs::create_dir(&inside).expect("made");
        std::fs::write(inside.join("a.json"), "{}").expect("written");
        std::fs::write(folder.path().join("b.json"), "{}").expect("written");
        let url = |path: &Path| Url::from_file_path(path).expect("absolute");
        let read = |path: &str| read_file(&inside, &url(&inside.join(path)));
        assert_eq!(read("a.json"), Ok(b"{}".to_vec()));
        assert!(read("../b.json").is_err_and(|why| why.contains("outside")));
        assert!(read("c.json").is_err());
        #[cfg(unix)]
        {
            let link = inside.join("link.json");
            std::os::unix::fs::symlink(folder.path().join("b.json"), link).expect("linked");
            assert!(read("link.json").is_err_and(|why| why.contains("outside")));
        }
    }
}
