//! The committed `openapi.json` is the contract as clients know it: a change of it is seen in review.

use std::path::Path;

#[test]
fn the_committed_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let mut current = serde_json::to_string_pretty(&baton_api::openapi::document()).unwrap();
    current.push('\n');
    if std::env::var_os("BATON_RENEW").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "host/api/openapi.json is not what the code describes; look at the difference after \
         `BATON_RENEW=1 cargo test -p baton-api --test openapi`, and commit it if it is meant",
    );
}
