use serde_json::json;

use crate::support::Run;

#[test]
fn a_call_knows_how_it_authenticates_from_its_arguments_on() {
    let workflow = "
use: { authentications: { me: { basic: { username: '${ .user }', password: open sesame } } } }
do:
  - one:
      call: http
      with:
        method: get
        endpoint: { uri: 'https://a.example', authentication: { use: me } }
        headers: { x-scheme: '${ $authorization.scheme }' }
      output: { as: $authorization }
      export: { as: $authorization.scheme }
  - two: { set: { here: '${ $authorization }', context: '${ $context }', before: '${ . }' } }
";
    let mut run = Run::start(workflow, json!({"user": "Aladdin"}));
    assert!(run.transcript().contains(r#""x-scheme":"Basic""#));
    run.ok("one", json!({}));
    let descriptor = json!({"scheme": "Basic", "parameter": "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="});
    assert_eq!(
        run.output(),
        json!({"here": null, "context": "Basic", "before": descriptor})
    );
}
