//! Core NATS (NATS client protocol): a line for each operation, and payloads of a given length.

use std::io::{self, Read, Write};

use calls::{Failure, Kind};
use outgoing::authentication::{Environment, Policy, UserPassword};
use serde_json::{Value, json};

use crate::call::{Call, Network, Received};
use crate::connection::{Connection, Security, failed};
use crate::message::Outbound;
use crate::target::Target;

/// The longest line of the protocol that is taken, in bytes. `INFO` is the longest, with some hundred.
const LINE_BYTES_MAX: usize = 64 << 10;
/// The longest payload that is taken, in bytes; servers allow 1 MiB by default.
const PAYLOAD_BYTES_MAX: usize = 8 << 20;
/// How many operations may stand before the one that is waited for.
const OPERATIONS_MAX: usize = 100_000;

/// The members of `CONNECT` that say who connects.
#[derive(Default)]
struct Login {
    user: Option<(String, String)>,
    token: Option<String>,
}

impl Login {
    /// The members for a policy: a name and a password, or a token.
    fn of(
        policy: Option<&Policy>,
        network: &impl Network,
        host: &impl Environment,
    ) -> Result<Self, Failure> {
        let Some(policy) = policy else {
            return Ok(Self::default());
        };
        if let Policy::Basic(UserPassword { username, password }) = policy {
            return Ok(Self {
                user: Some((username.clone(), password.clone())),
                token: None,
            });
        }
        match policy.token(network, host)? {
            Some(token) => Ok(Self {
                user: None,
                token: Some(token),
            }),
            None => Err(Failure::configuration(
                "Authentication not supported",
                "NATS has no digest authentication: use `basic` or a token",
            )),
        }
    }
}

/// Publishes a message, and waits until the server has it.
///
/// # Errors
///
/// Where there is no connection, or the server refuses.
pub fn publish(
    call: &Call,
    message: &Outbound,
    idempotency_key: &str,
    network: &impl Network,
    host: &impl Environment,
) -> Result<(), Failure> {
    let subject = subject(call)?;
    let mut client = Client::connect(call, network, host)?;
    let length = message.payload.len();
    let mut bytes = if client.has_headers {
        let mut headers = "NATS/1.0\r\n".to_owned();
        // By which JetStream tells a message that was sent before.
        let key = ("Nats-Msg-Id".to_owned(), idempotency_key.to_owned());
        for (name, value) in message.headers.iter().chain([&key]) {
            headers += &format!("{name}: {value}\r\n");
        }
        headers += "\r\n";
        let head = headers.len();
        format!("HPUB {subject} {head} {}\r\n{headers}", head + length).into_bytes()
    } else {
        format!("PUB {subject} {length}\r\n").into_bytes()
    };
    bytes.extend_from_slice(&message.payload);
    bytes.extend_from_slice(b"\r\n");
    client.write(&bytes)?;
    client.confirm()
}

/// Subscribes to the channel's subject, in the queue group of the operation's NATS binding, and receives messages.
///
/// # Errors
///
/// As for [`publish`], and where the connection breaks off.
pub fn subscribe(
    call: &Call,
    received: &mut Received<'_>,
    network: &impl Network,
    host: &impl Environment,
) -> Result<(), Failure> {
    let subject = subject(call)?;
    let queue = match call.operation["bindings"]["nats"]["queue"].as_str() {
        Some(queue) => format!("{} ", word(queue, "the queue")?),
        None => String::new(),
    };
    let mut client = Client::connect(call, network, host)?;
    client.write(format!("SUB {subject} {queue}1\r\n").as_bytes())?;
    loop {
        if let Operation::Message { headers, payload } = client.next()? {
            if !received.take(&payload, &headers) {
                return Ok(());
            }
        }
    }
}

/// The subject of a channel: its address.
fn subject(call: &Call) -> Result<&str, Failure> {
    word(&call.target.channel, "the channel's address")
}

/// A name in a line of the protocol, where space and line breaks have a meaning.
fn word<'w>(name: &'w str, what: &str) -> Result<&'w str, Failure> {
    if name.is_empty() || name.contains(|it: char| it.is_whitespace() || it.is_control()) {
        let detail = format!("{what} {name:?} is no name in NATS: it has to be one word");
        return Err(Failure::new(Kind::Configuration, "Invalid channel", detail));
    }
    Ok(name)
}

/// What a server says.
enum Operation {
    Info(Value),
    Message {
        headers: Vec<(String, String)>,
        payload: Vec<u8>,
    },
    Pong,
    Other,
}

struct Client {
    connection: Box<dyn Connection>,
    place: String,
    pending: Vec<u8>,
    has_headers: bool,
}

impl Client {
    fn connect(
        call: &Call,
        network: &impl Network,
        host: &impl Environment,
    ) -> Result<Self, Failure> {
        let target = &call.target;
        let login = Login::of(call.policy.as_ref(), network, host)?;
        let (mut client, mut info) = Self::greet(target, network, target.secured)?;
        // Nothing has been said yet that others must not hear.
        let secured = target.secured || info["tls_required"] == true;
        if secured && !target.secured {
            (client, info) = Self::greet(target, network, true)?;
        }
        client.has_headers = info["headers"] == true;
        let mut hello = json!({
            "verbose": false, "pedantic": false, "tls_required": secured,
            "lang": "baton", "version": env!("CARGO_PKG_VERSION"), "protocol": 1,
            "headers": client.has_headers, "no_responders": false,
        });
        if let Some((user, password)) = &login.user {
            hello["user"] = Value::from(user.as_str());
            hello["pass"] = Value::from(password.as_str());
        }
        if let Some(token) = &login.token {
            hello["auth_token"] = Value::from(token.as_str());
        }
        client.write(format!("CONNECT {hello}\r\n").as_bytes())?;
        client.confirm()?;
        Ok(client)
    }

    /// Connects, and hears what the server says of itself.
    fn greet(
        target: &Target,
        network: &impl Network,
        secured: bool,
    ) -> Result<(Self, Value), Failure> {
        let security = match secured {
            true => Security::TlsAfterGreeting,
            false => Security::Plain,
        };
        let mut client = Self {
            connection: network.dial(&target.host, target.port, security)?,
            place: target.place(),
            pending: Vec::new(),
            has_headers: false,
        };
        match client.next()? {
            Operation::Info(info) => Ok((client, info)),
            _ => Err(client.broken("it does not greet as a server of NATS does")),
        }
    }

    /// Waits until the server has dealt with all that was sent.
    fn confirm(&mut self) -> Result<(), Failure> {
        self.write(b"PING\r\n")?;
        for _ in 0..OPERATIONS_MAX {
            if let Operation::Pong = self.next()? {
                return Ok(());
            }
        }
        Err(self.broken("it does not answer"))
    }

    fn next(&mut self) -> Result<Operation, Failure> {
        let line = self.line()?;
        let (name, rest) = line.split_once([' ', '\t']).unwrap_or((&line, ""));
        match name.to_ascii_uppercase().as_str() {
            "INFO" => match serde_json::from_str(rest) {
                Ok(info) => Ok(Operation::Info(info)),
                Err(_) => Err(self.broken("its greeting is no JSON")),
            },
            "MSG" => self.message(rest, false),
            "HMSG" => self.message(rest, true),
            "PING" => {
                self.write(b"PONG\r\n")?;
                Ok(Operation::Other)
            }
            "PONG" => Ok(Operation::Pong),
            "+OK" => Ok(Operation::Other),
            "-ERR" => Err(self.refused(rest)),
            _ => {
                let shown: String = line.chars().take(80).collect();
                Err(self.broken(&format!("it says {shown:?}, which is not of NATS")))
            }
        }
    }

    /// `MSG <subject> <sid> [reply-to] <bytes>`, or `HMSG` with the length of the headers before that.
    fn message(&mut self, rest: &str, with_headers: bool) -> Result<Operation, Failure> {
        let mut lengths = rest.split_whitespace().rev().map(str::parse::<usize>);
        let total = lengths.next().and_then(Result::ok);
        let head = if with_headers {
            lengths.next().and_then(Result::ok)
        } else {
            Some(0)
        };
        let (Some(total), Some(head)) = (total, head) else {
            return Err(self.broken("a message has no length"));
        };
        if total > PAYLOAD_BYTES_MAX || head > total {
            return Err(self.broken("a message is longer than it may be"));
        }
        while self.pending.len() < total + 2 {
            self.receive()?;
        }
        let mut bytes: Vec<u8> = self.pending.drain(..total + 2).collect();
        bytes.truncate(total);
        let payload = bytes.split_off(head);
        let headers = String::from_utf8_lossy(&bytes);
        let headers = headers.lines().skip(1).filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        });
        Ok(Operation::Message {
            headers: headers.collect(),
            payload,
        })
    }

    fn line(&mut self) -> Result<String, Failure> {
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
            }
            if self.pending.len() > LINE_BYTES_MAX {
                return Err(self.broken("a line is longer than it may be"));
            }
            self.receive()?;
        }
    }

    fn receive(&mut self) -> Result<(), Failure> {
        let mut bytes = [0; 4096];
        let read = self.connection.read(&mut bytes);
        match read.map_err(|error| failed(&self.place, &error))? {
            0 => Err(failed(&self.place, &io::ErrorKind::UnexpectedEof.into())),
            count => {
                self.pending.extend_from_slice(&bytes[..count]);
                Ok(())
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.connection.write_all(bytes);
        let flushed = written.and_then(|()| self.connection.flush());
        flushed.map_err(|error| failed(&self.place, &error))
    }

    fn refused(&self, words: &str) -> Failure {
        let words = words.trim().trim_matches('\'');
        let lower = words.to_ascii_lowercase();
        let (kind, title) = if lower.contains("permissions violation") {
            (Kind::Authorization, "Not allowed")
        } else if lower.contains("authorization") || lower.contains("authentication") {
            (Kind::Authentication, "Not authenticated")
        } else {
            (Kind::Communication, "Refused")
        };
        Failure::new(kind, title, format!("{} says: {words}", self.place))
    }

    fn broken(&self, why: &str) -> Failure {
        Failure::broken(format!("{}: {why}", self.place))
    }
}
