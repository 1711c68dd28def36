//! Documents that are right: the specification's examples, the workflows of this repository, and one for
//! each of our additions.

use std::path::Path;

use serde_json::Value;

use super::{specification, violations, yaml};

/// A document that uses every addition of this host.
pub(crate) const ADDITIONS: &str = "
document: { dsl: '1.0.3', namespace: test, name: additions, version: '1.0.0' }
schedule: { cron: 0 8 * * 1-5, timezone: Europe/Berlin }
do:
  - reserve:
      fork:
        branches:
          - flight:
              call: book@travel
              with: { from: BER, to: LIS }
              compensate:
                - cancelFlight: { call: cancel@travel, with: { booking: '${ .id }' } }
          - hotel:
              needs: [flight]
              call: book@hotels
              with: { arrival: '${ $branches.flight.arrival }' }
          - car:
              needs: [flight, hotel]
              set: { car: none }
  - tell:
      for: { each: guest, in: .guests, at: number, concurrency: 4 }
      do:
        - mail: { call: send@mail, with: { to: '${ $guest }' } }
  - confirm:
      call: approval
      with:
        title: Book it?
        description: ${ .summary }
        assignees: [ada, grace]
        form: { type: object, properties: { budget: { type: integer } } }
      timeout: { after: P1D }
  - gather:
      call: grpc
      with:
        proto: { endpoint: 'https://a.example/a.proto' }
        service: { name: a.B, host: a.example }
        method: Gather
        arguments: [{ name: one }, { name: '${ .two }' }]
  - ask:
      call: approval
      with: { title: Really?, assignees: '${ .people }', form: '${ .form }' }
";

/// All of them, each with its name. Those of the specification are left out where it is not there.
pub(crate) fn valid() -> Vec<(String, Value)> {
    let workflows = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows");
    let mut documents = vec![("additions".to_owned(), yaml(ADDITIONS))];
    read(&workflows, &mut documents);
    match specification() {
        Some(folder) => read(&folder.join("examples"), &mut documents),
        None => println!("the specification's examples are left out: set BATON_SPEC to its folder"),
    }
    documents
}

fn read(folder: &Path, documents: &mut Vec<(String, Value)>) {
    let mut paths: Vec<_> = folder
        .read_dir()
        .expect("the folder is there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    paths.sort();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let name = path.file_name().expect("a file").to_string_lossy();
        documents.push((name.into_owned(), yaml(&text)));
    }
}

#[test]
fn they_fit_the_schema() {
    let documents = valid();
    for (name, document) in &documents {
        let violations = violations(document);
        assert!(violations.is_empty(), "{name}\n{violations}");
    }
    assert!(documents.len() > 5, "{}", documents.len());
}
