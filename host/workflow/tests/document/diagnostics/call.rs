//! Calls.

use insta::assert_snapshot;

use super::check_tasks;

#[test]
fn functions_that_are_not_there() {
    assert_snapshot!(check_tasks("- a: { call: htpp, with: {} }\n- b: { call: createUser }\n- c: { call: '@scim' }\n- d: { call: a b@scim }\n- e: { call: 5 }\n- f: { call: create-user:1.0:2@scim }\n"), @r"
    case.yaml:7:16: error[undefined-reference]: the function `htpp` is not defined
      at /do/0/a/call
      help: did you mean `http`?
    case.yaml:8:16: error[undefined-reference]: the function `createUser` is not defined
      at /do/1/b/call
      help: define it under `use.functions`, or name the connector that has it: createUser@connector
    case.yaml:9:16: error[bad-name]: `@scim` is not the name of a function
      at /do/2/c/call
      help: write function@connector, function:version@connector or interface/function@connector
    case.yaml:10:16: error[bad-name]: `a b@scim` is not the name of a function
      at /do/3/d/call
      help: write function@connector, function:version@connector or interface/function@connector
    case.yaml:11:16: error[wrong-type]: expected a string, found a number
      at /do/4/e/call
      help: put it into quotes: '5'
    case.yaml:12:16: error[bad-name]: `create-user:1.0:2@scim` is not the name of a function
      at /do/5/f/call
      help: write function@connector, function:version@connector or interface/function@connector
    ");
    assert_snapshot!(check_tasks("- a: { call: create-user@scim, with: [1] }\n- b: { call: 'users/create-user:1.2@scim' }\n"), @r"
    case.yaml:7:34: error[wrong-type]: expected a mapping, found a list
      at /do/0/a/with
    ");
}

#[test]
fn http() {
    assert_snapshot!(check_tasks("- a:\n    call: http\n- b:\n    call: http\n    with: { uri: 'http://a', method: get it }\n"), @r"
    case.yaml:7:5: error[missing-key]: a `call` task needs the key `with`
      at /do/0/a
    case.yaml:11:15: error[unknown-key]: unknown key `uri` in `with` of `call: http`
      at /do/1/b/with/uri
      help: did you mean `endpoint`?
    case.yaml:11:40: error[bad-value]: `get it` is not an HTTP method
      at /do/1/b/with/method
      help: write it like GET or post
    ");
    assert_snapshot!(check_tasks("- a:\n    call: http\n    with:\n      method: get\n      endpoint: http://a/${ .id }\n      headers: { a: [1], b: 1 }\n      query: text\n      output: body\n      redirect: 'true'\n      params: {}\n"), @r#"
    case.yaml:11:19: error[bad-uri]: `http://a/${ .id }` is neither a URI nor an expression
      at /do/0/a/with/endpoint
      help: a text with expressions in it must be an expression as a whole: ${ "https://example.org/\(.id)" }; or name a value in braces: https://example.org/{id}
    case.yaml:12:20: error[wrong-type]: expected the text of the header `a`, found a list
      at /do/0/a/with/headers/a
    case.yaml:13:16: error[wrong-type]: expected a mapping or an expression: ${ … }, found a string
      at /do/0/a/with/query
    case.yaml:14:17: error[bad-value]: `body` is not one of `raw`, `content`, `response`
      at /do/0/a/with/output
    case.yaml:15:19: error[wrong-type]: expected a boolean, found a string
      at /do/0/a/with/redirect
      help: write true or false, without quotes
    case.yaml:16:9: error[unknown-key]: unknown key `params` in `with` of `call: http`
      at /do/0/a/with/params
      help: did you mean `query`?
    "#);
    assert_snapshot!(check_tasks("- a:\n    call: http\n    method: get\n    endpoint: http://a\n"), @r"
    case.yaml:9:7: error[unknown-key]: unknown key `method` in a `call` task
      at /do/0/a/method
      help: arguments of the call belong under `with`
    case.yaml:10:7: error[unknown-key]: unknown key `endpoint` in a `call` task
      at /do/0/a/endpoint
      help: arguments of the call belong under `with`
    ");
    assert_snapshot!(check_tasks("- a:\n    call: http\n    with: { method: get, endpoint: { url: 'http://a' } }\n- b:\n    call: http\n    with: { method: get, endpoint: {uri: 'not a uri' } }\n"), @r"
    case.yaml:9:40: error[unknown-key]: unknown key `url` in an endpoint
      at /do/0/a/with/endpoint/url
      help: did you mean `uri`?
    case.yaml:12:44: error[bad-uri]: `not a uri` is neither a URI nor an expression
      at /do/1/b/with/endpoint/uri
      help: write it like https://example.org/path or https://example.org/{id}
    ");
}

#[test]
fn authentication() {
    let endpoint = |authentication: &str| {
        check_tasks(&format!(
            "- a:\n    call: http\n    with:\n      method: get\n      endpoint: {{ uri: 'http://a', authentication: {authentication} }}\n"
        ))
    };
    assert_snapshot!(endpoint("{}"), @r"
    case.yaml:11:38: error[missing-key]: an authentication policy needs exactly one of the keys `basic`, `bearer`, `digest`, `oauth2`, `oidc`
      at /do/0/a/with/endpoint/authentication
    ");
    assert_snapshot!(endpoint("{ basci: { username: a, password: b } }"), @r"
    case.yaml:11:56: error[unknown-key]: unknown key `basci` in an authentication policy
      at /do/0/a/with/endpoint/authentication/basci
      help: did you mean `basic`?
    ");
    assert_snapshot!(endpoint("{ basic: { username: admin, password: 1234 }, bearer: { token: x } }"), @r"
    case.yaml:11:100: error[conflicting-keys]: an authentication policy can have only one of the keys `basic`, `bearer`, `digest`, `oauth2`, `oidc`
      at /do/0/a/with/endpoint/authentication/bearer
      case.yaml:11:56: `basic` stands here
      help: remove one of `basic` and `bearer`
    ");
    assert_snapshot!(endpoint("{ basic: { username: admin, password: 1234 } }"), @r"
    case.yaml:11:92: error[wrong-type]: expected a string, found a number
      at /do/0/a/with/endpoint/authentication/basic/password
      help: put it into quotes: '1234'
    ");
    assert_snapshot!(endpoint("{ bearer: '${ .token }' }"), @r"
    case.yaml:11:64: error[wrong-type]: expected a mapping with the token, found a string
      at /do/0/a/with/endpoint/authentication/bearer
      help: write { token: '${ .token }' }
    ");
    assert_snapshot!(endpoint("{ use: nowhere }"), @r"
    case.yaml:11:61: error[undefined-reference]: the authentication `nowhere` is not defined
      at /do/0/a/with/endpoint/authentication/use
      help: define it under `use.authentications`
    ");
    assert_snapshot!(endpoint("nowhere"), @r"
    case.yaml:11:54: error[wrong-type]: expected an authentication policy (a mapping), found a string
      at /do/0/a/with/endpoint/authentication
      help: to refer to a definition write { use: nowhere }
    ");
    assert_snapshot!(endpoint("{ basic: { use: nowhere } }"), @r"
    case.yaml:11:70: error[undefined-reference]: the secret `nowhere` is not defined
      at /do/0/a/with/endpoint/authentication/basic/use
      help: define it under `use.secrets`
    ");
    assert_snapshot!(endpoint("{ oauth2: { authority: 'http://a', grant: client-credentials, client: { id: x, secrte: y } } }"), @r"
    case.yaml:11:96: error[bad-value]: `client-credentials` is not one of `authorization_code`, `client_credentials`, `password`, `refresh_token`, `urn:ietf:params:oauth:grant-type:token-exchange`
      at /do/0/a/with/endpoint/authentication/oauth2/grant
      help: did you mean `client_credentials`?
    case.yaml:11:133: error[unknown-key]: unknown key `secrte` in `client`
      at /do/0/a/with/endpoint/authentication/oauth2/client/secrte
      help: did you mean `secret`?
    ");
    assert_snapshot!(endpoint("{ oidc: { authority: 'http://a', grant: password, endpoints: {} } }"), @r"
    case.yaml:11:104: error[unknown-key]: unknown key `endpoints` in `oidc`
      at /do/0/a/with/endpoint/authentication/oidc/endpoints
      help: the endpoints are found out by OpenID Connect Discovery
    ");
}

#[test]
fn other_protocols() {
    assert_snapshot!(check_tasks("- a: { call: openapi, with: { document: 'http://a', operation: x } }\n- b: { call: grpc, with: { proto: { endpoint: 'http://a' }, service: { name: a, port: 70000 }, method: x } }\n- c: { call: asyncapi, with: { document: { endpoint: 'http://a' }, operation: x, channel: y, message: {}, protocol: kafak } }\n- d: { call: mcp, with: { method: tool/call, transport: { stdio: {}, http: { endpoint: 'http://a' } } } }\n- e: { call: a2a, with: { method: message/sent, parameters: 1 } }\n"), @r"
    case.yaml:7:43: error[wrong-type]: expected an external resource (a mapping), found a string
      at /do/0/a/with/document
    case.yaml:7:55: error[unknown-key]: unknown key `operation` in `with` of `call: openapi`
      at /do/0/a/with/operation
      help: did you mean `operationId`?
    case.yaml:8:63: error[missing-key]: `service` needs the key `host`
      at /do/1/b/with/service
    case.yaml:8:89: error[bad-value]: 70000 is not a port: ports go to 65535
      at /do/1/b/with/service/port
    case.yaml:9:84: error[conflicting-keys]: `with` of `call: asyncapi` can have only one of the keys `operation`, `channel`
      at /do/2/c/with/channel
      case.yaml:9:70: `operation` stands here
      help: remove one of `operation` and `channel`
    case.yaml:9:119: error[bad-value]: `kafak` is not one of `amqp`, `amqp1`, `anypointmq`, `googlepubsub`, `http`, `ibmmq`, `jms`, `kafka`, `mercure`, `mqtt`, `mqtt5`, `nats`, `pulsar`, `redis`, `sns`, `solace`, `sqs`, `stomp`, `ws`
      at /do/2/c/with/protocol
      help: did you mean `kafka`?
    case.yaml:10:37: error[bad-value]: `tool/call` is not one of `tools/list`, `tools/call`, `prompts/list`, `prompts/get`, `resources/list`, `resources/read`, `resources/templates/list`
      at /do/3/d/with/method
      help: did you mean `tools/call`?
    case.yaml:10:72: error[conflicting-keys]: `transport` can have only one of the keys `http`, `stdio`
      at /do/3/d/with/transport/http
      case.yaml:10:61: `stdio` stands here
      help: remove one of `http` and `stdio`
    case.yaml:11:21: error[missing-key]: `with` of `call: a2a` needs exactly one of the keys `agentCard`, `server`
      at /do/4/e/with
    case.yaml:11:37: error[bad-value]: `message/sent` is not one of `message/send`, `message/stream`, `tasks/get`, `tasks/list`, `tasks/cancel`, `tasks/resubscribe`, `tasks/pushNotificationConfig/set`, `tasks/pushNotificationConfig/get`, `tasks/pushNotificationConfig/list`, `tasks/pushNotificationConfig/delete`, `agent/getAuthenticatedExtendedCard`
      at /do/4/e/with/method
      help: did you mean `message/send`?
    case.yaml:11:63: error[wrong-type]: expected a string, found a number
      at /do/4/e/with/parameters
      help: put it into quotes: '1'
    ");
}

#[test]
fn approval() {
    assert_snapshot!(check_tasks("- a: { call: approval, with: { description: x, assignees: [1], form: 1, timeout: PT1H } }\n- b: { call: approval }\n"), @r"
    case.yaml:7:26: error[missing-key]: `with` of `call: approval` needs the key `title`
      at /do/0/a/with
    case.yaml:7:62: error[wrong-type]: expected a string, found a number
      at /do/0/a/with/assignees/0
      help: put it into quotes: '1'
    case.yaml:7:72: error[wrong-type]: expected a JSON Schema (a mapping) or an expression, found a number
      at /do/0/a/with/form
    case.yaml:7:75: error[unknown-key]: unknown key `timeout` in `with` of `call: approval`
      at /do/0/a/with/timeout
      help: it belongs beside `call`
    case.yaml:8:5: error[missing-key]: a `call` task needs the key `with`
      at /do/1/b
    ");
}

#[test]
fn subscriptions_end_in_one_way() {
    let of = |subscription: &str| {
        let with = "document: { endpoint: 'http://a' }, operation: x";
        check_tasks(&format!(
            "- a: {{ call: asyncapi, with: {{ {with}, subscription: {subscription} }} }}\n"
        ))
    };
    assert_snapshot!(of("{ consume: { amount: 0 } }"), @r##"
    case.yaml:7:119: error[bad-value]: `amount` must be at least 1
      at /do/0/a/with/subscription/consume/amount
    "##);
    assert_snapshot!(of("{ consume: { amount: 1, until: .x } }"), @r##"
    case.yaml:7:122: error[conflicting-keys]: `consume` can have only one of the keys `amount`, `while`, `until`
      at /do/0/a/with/subscription/consume/until
      case.yaml:7:111: `amount` stands here
      help: remove one of `amount` and `until`
    "##);
    assert_snapshot!(of("{ consume: { for: PT1S } }"), @r##"
    case.yaml:7:100: error[missing-key]: `consume` needs exactly one of the keys `amount`, `while`, `until`
      at /do/0/a/with/subscription/consume
    "##);
}
