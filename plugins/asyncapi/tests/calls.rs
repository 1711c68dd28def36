//! Calls against scripted servers: what is sent, and what comes of the answers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Cursor, Read, Write};
use std::rc::Rc;

use asyncapi::connection::{Connection, Dial, Security};
use asyncapi::{Arguments, Take, publish};
use calls::{Failure, Kind};
use outgoing::authentication::testing::Host;
use outgoing::{Answer, Open, Request, Response, SendError};
use serde_json::{Value, json};

const V3: &str = r#"
asyncapi: 3.0.0
info: { title: Chat, version: 1.0.0 }
servers:
  broker: { host: 'broker.test:{port}', protocol: nats, variables: { port: { default: '4222' } } }
  web: { host: web.test, pathname: /v1, protocol: http }
  queue: { host: queue.test, protocol: kafka }
channels:
  inbox:
    address: chat.{room}
    parameters: { room: { default: lobby } }
    messages: { text: { correlationId: { location: '$message.header#/id' } } }
  news:
    address: /news
    servers: [ { $ref: '#/servers/web' } ]
operations:
  say: { action: send, channel: { $ref: '#/channels/inbox' } }
  hear: { action: receive, channel: { $ref: '#/channels/inbox' }, bindings: { nats: { queue: team } } }
  tell: { action: send, channel: { $ref: '#/channels/news' }, bindings: { http: { method: PUT } } }
"#;

const V2: &str = r#"{"asyncapi": "2.6.0", "servers": {"web": {"url": "http://web.test:8080/base/", "protocol": "http"}},
 "channels": {"/notes": {"publish": {"operationId": "note"}, "subscribe": {"operationId": "notes"}}, "/quiet": {}}}"#;

/// What the other side of a connection says, and what it was told.
struct Scripted {
    says: Cursor<Vec<u8>>,
    told: Rc<RefCell<Vec<u8>>>,
}

impl Read for Scripted {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.says.read(bytes)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.told.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Default)]
struct Network {
    answers: RefCell<VecDeque<Response>>,
    requests: RefCell<Vec<Request>>,
    says: String,
    /// What is said where the connection is secured after the greeting.
    secured: String,
    told: Rc<RefCell<Vec<u8>>>,
    dialled: RefCell<Vec<String>>,
}

impl Network {
    /// A network with this document, and these answers to what is asked then.
    fn new(document: &str, answers: Vec<Response>) -> Self {
        let mut all = VecDeque::from([answer(200, "text/plain", document)]);
        all.extend(answers);
        Self {
            answers: RefCell::new(all),
            ..Self::default()
        }
    }

    /// A network with a server of NATS that says this after its greeting.
    fn nats(says: &str) -> Self {
        let greeting = "INFO {\"headers\":true}\r\nPONG\r\n";
        Self {
            says: format!("{greeting}{says}"),
            ..Self::new(V3, Vec::new())
        }
    }

    fn told(&self) -> String {
        String::from_utf8_lossy(&self.told.borrow()).into_owned()
    }
}

impl Open for Network {
    fn open(&self, request: &Request) -> Result<Answer, SendError> {
        self.requests.borrow_mut().push(request.clone());
        let next = self.answers.borrow_mut().pop_front();
        Ok(next.expect("another request than was scripted").into())
    }
}

impl Dial for Network {
    fn dial(
        &self,
        host: &str,
        port: u16,
        security: Security,
    ) -> Result<Box<dyn Connection>, Failure> {
        let (place, says) = match security {
            Security::Plain => (format!("{host}:{port}"), &self.says),
            Security::Tls => (format!("{host}:{port} secured"), &self.says),
            Security::TlsAfterGreeting => (format!("{host}:{port} to be secured"), &self.secured),
        };
        self.dialled.borrow_mut().push(place);
        Ok(Box::new(Scripted {
            says: Cursor::new(says.clone().into_bytes()),
            told: Rc::clone(&self.told),
        }))
    }
}

/// As many messages as are wanted, at most.
struct Wanted {
    messages: Vec<Value>,
    amount: usize,
}

impl Take for Wanted {
    fn take(&mut self, message: Value) -> bool {
        self.messages.push(message);
        self.messages.len() < self.amount
    }
}

/// As many messages of a subscription, or all that there are.
fn subscribe(
    arguments: &Arguments,
    amount: usize,
    network: &Network,
) -> Result<Vec<Value>, Failure> {
    let mut wanted = Wanted {
        messages: Vec::new(),
        amount,
    };
    asyncapi::subscribe(arguments, &mut wanted, network, &Host::default())?;
    Ok(wanted.messages)
}

fn answer(status: u16, content_type: &str, body: &str) -> Response {
    Response {
        status,
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
        body: body.as_bytes().to_vec(),
    }
}

fn of(operation: &str) -> Arguments {
    Arguments {
        document: r#"{"endpoint":"http://files.test/api.yaml"}"#.to_owned(),
        operation: Some(operation.to_owned()),
        idempotency_key: "key-7".to_owned(),
        ..Arguments::default()
    }
}

const MESSAGE: &str = r#"{"payload":{"text":"hi"},"headers":{"x-kind":"greeting"}}"#;

#[test]
fn a_message_over_http_is_a_request() {
    let network = Network::new(V3, vec![answer(202, "text/plain", "")]);
    let tell = Arguments {
        authentication: Some(r#"{"bearer":{"token":"t"}}"#.to_owned()),
        ..of("tell")
    };
    publish(&tell, MESSAGE, &network, &Host::default()).expect("published");
    let requests = network.requests.borrow();
    let request = &requests[1];
    assert_eq!(
        (request.method.as_str(), request.uri.as_str()),
        ("PUT", "http://web.test/v1/news")
    );
    assert_eq!(
        request.body.as_deref(),
        Some(br#"{"text":"hi"}"#.as_slice())
    );
    for (name, value) in [
        ("authorization", "Bearer t"),
        ("content-type", "application/json"),
        ("idempotency-key", "key-7"),
        ("x-kind", "greeting"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    let refused = Network::new(V3, vec![answer(403, "text/plain", "no")]);
    let failure = publish(&of("tell"), MESSAGE, &refused, &Host::default()).expect_err("refused");
    assert_eq!(
        (failure.kind, failure.status),
        (Kind::Authorization, Some(403))
    );
}

#[test]
fn documents_of_version_2_have_channels_and_operation_ids() {
    for arguments in [
        of("note"),
        Arguments {
            operation: None,
            channel: Some("/notes".to_owned()),
            ..of("")
        },
    ] {
        let network = Network::new(V2, vec![answer(200, "text/plain", "")]);
        publish(&arguments, MESSAGE, &network, &Host::default()).expect("published");
        let requests = network.requests.borrow();
        assert_eq!(requests[1].uri.as_str(), "http://web.test:8080/base/notes");
        assert_eq!(requests[1].method, "POST");
    }
}

#[test]
fn messages_over_http_are_events_or_lines() {
    let events = answer(
        200,
        "text/event-stream",
        "event: a\nid: 1\ndata: {\"n\":1}\n\ndata: two\n\ndata: 3\n\n",
    );
    let network = Network::new(V2, vec![events]);
    let messages = subscribe(&of("notes"), 2, &network).expect("messages");
    assert_eq!(
        messages,
        [
            json!({"payload": {"n": 1}, "headers": {"event": "a", "id": "1"}}),
            json!({"payload": "two", "headers": {"id": "1"}})
        ]
    );
    let lines = answer(200, "application/x-ndjson", "{\"n\":1}\r\n\n{\"n\":2}");
    let network = Network::new(V2, vec![lines]);
    let messages = subscribe(&of("notes"), 5, &network).expect("messages");
    let numbers: Vec<&Value> = messages.iter().map(|it| &it["payload"]["n"]).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn a_message_to_nats_is_confirmed() {
    let network = Network::nats("PONG\r\n");
    let say = Arguments {
        server: Some(r#"{"name":"broker","variables":{"port":4333,"room":"kitchen"}}"#.to_owned()),
        authentication: Some(r#"{"basic":{"username":"u","password":"p"}}"#.to_owned()),
        ..of("say")
    };
    publish(&say, MESSAGE, &network, &Host::default()).expect("published");
    assert_eq!(*network.dialled.borrow(), ["broker.test:4333"]);
    let told = network.told();
    let (hello, rest) = told.split_once("\r\n").expect("lines");
    let hello: Value = serde_json::from_str(hello.trim_start_matches("CONNECT ")).expect("JSON");
    assert_eq!((&hello["user"], &hello["pass"]), (&json!("u"), &json!("p")));
    assert_eq!(
        rest,
        "PING\r\nHPUB chat.kitchen 50 63\r\nNATS/1.0\r\nx-kind: greeting\r\nNats-Msg-Id: key-7\r\n\r\n{\"text\":\"hi\"}\r\nPING\r\n"
    );
}

#[test]
fn what_would_break_the_lines_of_nats_is_refused() {
    let network = Network::nats("PONG\r\n");
    let message = r#"{"payload":{"token":"baton-secret-0123456789abcdef0123456789abcdef"}}"#;
    let failure = publish(&of("say"), message, &network, &Host::default()).expect_err("a secret");
    assert_eq!(failure.kind, Kind::Configuration);
    assert_eq!(network.told(), "");

    let document = V3.replace("queue: team", "queue: \"team 1\\r\\nPUB elsewhere 0\"");
    let network = Network {
        says: "INFO {}\r\nPONG\r\n".to_owned(),
        ..Network::new(&document, Vec::new())
    };
    let failure = subscribe(&of("hear"), 1, &network).expect_err("no name of a queue");
    assert_eq!(failure.kind, Kind::Configuration);
    assert_eq!(network.told(), "");
}

#[test]
fn messages_of_nats_come_in_their_queue_group() {
    let says = "PING\r\nMSG chat.lobby 1 2\r\n{}\r\nHMSG chat.lobby 1 reply 19 21\r\nNATS/1.0\r\nid: 7\r\n\r\nhi\r\n";
    let network = Network::nats(says);
    let messages = subscribe(&of("hear"), 2, &network).expect("messages");
    assert_eq!(
        messages,
        [
            json!({"payload": {}, "headers": {}}),
            json!({"payload": "hi", "headers": {"id": "7"}, "correlationId": "7"})
        ]
    );
    assert!(
        network
            .told()
            .ends_with("SUB chat.lobby team 1\r\nPONG\r\n"),
        "{}",
        network.told()
    );
    // The connection breaks off before there are as many as were wanted.
    let failure = subscribe(&of("hear"), 9, &Network::nats(says)).expect_err("it broke off");
    assert_eq!(failure.kind, Kind::Communication);
}

#[test]
fn servers_of_nats_that_refuse_or_misbehave_are_failures() {
    for (says, kind, expected) in [
        (
            "-ERR 'Permissions Violation for Publish to \"chat.lobby\"'\r\n",
            Kind::Authorization,
            "Permissions Violation",
        ),
        (
            "-ERR 'Authorization Violation'\r\n",
            Kind::Authentication,
            "Authorization Violation",
        ),
        (
            "HTTP/1.1 400 Bad Request\r\n",
            Kind::Communication,
            "which is not of NATS",
        ),
        (
            "MSG chat.lobby 1 99999999999\r\n",
            Kind::Communication,
            "longer than it may be",
        ),
        ("MSG\r\n", Kind::Communication, "has no length"),
        (
            "HMSG a 1 9 2\r\n",
            Kind::Communication,
            "longer than it may be",
        ),
        ("", Kind::Communication, "broker.test:4222"),
    ] {
        let failure = publish(&of("say"), MESSAGE, &Network::nats(says), &Host::default())
            .expect_err("refused");
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.detail.contains(expected), "{failure}");
    }
    let endless = Network {
        says: "x".repeat(1 << 20),
        ..Network::new(V3, Vec::new())
    };
    let failure = publish(&of("say"), MESSAGE, &endless, &Host::default()).expect_err("no line");
    assert!(failure.detail.contains("a line is longer"), "{failure}");
}

#[test]
fn nats_is_spoken_by_tls_where_the_server_or_its_address_says_so() {
    let asking = Network {
        says: "INFO {\"tls_required\":true}\r\n".to_owned(),
        secured: "INFO {\"headers\":true}\r\nPONG\r\nPONG\r\n".to_owned(),
        ..Network::new(V3, Vec::new())
    };
    publish(&of("say"), MESSAGE, &asking, &Host::default()).expect("published");
    let (plain, secured) = ("broker.test:4222", "broker.test:4222 to be secured");
    assert_eq!(*asking.dialled.borrow(), [plain, secured]);
    assert!(asking.told().starts_with("CONNECT {"), "{}", asking.told());
    assert!(asking.told().contains("\"tls_required\":true"));

    let document = V3.replace("'broker.test:{port}'", "'tls://broker.test:{port}'");
    let insisting = Network {
        secured: asking.secured.clone(),
        ..Network::new(&document, Vec::new())
    };
    publish(&of("say"), MESSAGE, &insisting, &Host::default()).expect("published");
    assert_eq!(*insisting.dialled.borrow(), [secured]);
}

#[test]
fn a_websocket_that_is_refused_says_why() {
    let v2 = V2
        .replace("http://web", "ws://web")
        .replace("\"http\"", "\"ws\"");
    let refusing = |says: &str| Network {
        says: says.to_owned(),
        ..Network::new(&v2, Vec::new())
    };
    let network = refusing("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n");
    let failure = publish(&of("note"), MESSAGE, &network, &Host::default()).expect_err("refused");
    assert_eq!(
        (failure.kind, failure.status),
        (Kind::Authentication, Some(401))
    );
    assert!(
        network.told().starts_with("GET /base/notes HTTP/1.1\r\n"),
        "{}",
        network.told()
    );
    assert!(
        network.told().contains("x-kind: greeting"),
        "{}",
        network.told()
    );
    let failure = publish(
        &of("note"),
        MESSAGE,
        &refusing("hello\r\n\r\n"),
        &Host::default(),
    )
    .expect_err("no HTTP");
    assert_eq!(failure.kind, Kind::Communication);
}

#[test]
fn what_the_document_does_not_have_is_said_with_what_it_has() {
    let server = |server: &str| Arguments {
        server: Some(server.to_owned()),
        ..of("say")
    };
    let channel = |channel: &str| Arguments {
        operation: None,
        channel: Some(channel.to_owned()),
        ..of("")
    };
    for (document, arguments, expected) in [
        (V3, of("sai"), "there is no operation `sai`: there is `say`"),
        (
            V3,
            channel("inbx"),
            "there is no channel `inbx`: there is `inbox`",
        ),
        (
            V3,
            server(r#"{"name":"brokr"}"#),
            "there is no server `brokr`: there is `broker`",
        ),
        (
            V3,
            server(r#"{"name":"queue"}"#),
            "speaks `kafka`; spoken here are http, https, ws, wss and nats",
        ),
        (
            V3,
            Arguments {
                protocol: Some("amqp".to_owned()),
                ..of("say")
            },
            "there is no server of the protocol `amqp`",
        ),
        (
            V3,
            server(r#"{"variables":{}}"#),
            "server: it has no `name`",
        ),
        (
            V2,
            of("not"),
            "there is no operation `not`: there is `note`",
        ),
        (V2, channel("/quiet"), "has no `publish` operation"),
        (
            "asyncapi: 1.2.0",
            of("x"),
            "AsyncAPI 1.2.0, and 2 and 3 are known here",
        ),
        ("openapi: 3.0.0", of("x"), "it has no `asyncapi`"),
        ("a: [", of("x"), "neither JSON nor YAML"),
    ] {
        let network = Network::new(document, Vec::new());
        let failure =
            publish(&arguments, MESSAGE, &network, &Host::default()).expect_err("a failure");
        assert!(failure.detail.contains(expected), "{failure}");
        assert!(network.dialled.borrow().is_empty());
    }
    let unfilled = V3.replace("parameters: { room: { default: lobby } }", "parameters: {}");
    let failure = publish(
        &of("say"),
        MESSAGE,
        &Network::new(&unfilled, Vec::new()),
        &Host::default(),
    )
    .expect_err("no room");
    assert!(
        failure.detail.contains("needs a value for `room`"),
        "{failure}"
    );
}
