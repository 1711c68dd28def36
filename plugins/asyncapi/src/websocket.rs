//! Websockets (RFC 6455).

use calls::{Failure, Kind};
use outgoing::authentication::Environment;
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::HandshakeError;
use tungstenite::http::{HeaderName, HeaderValue};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, Message, WebSocket};

use crate::call::{Call, Network, Received};
use crate::connection::{Connection, Security, failed};
use crate::message::Outbound;

/// The longest message that is taken, in bytes: as much as a response may have by default.
const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// How many frames may come before the other side closes in its turn.
const FAREWELL_MAX: usize = 1_000;

type Socket = WebSocket<Box<dyn Connection>>;

/// Opens a websocket, sends a message as text and closes it again.
///
/// # Errors
///
/// Where it can't be opened, sent or closed.
pub fn publish(
    call: &Call,
    message: &Outbound,
    network: &impl Network,
    host: &impl Environment,
) -> Result<(), Failure> {
    let mut socket = open(call, &message.headers, network, host)?;
    let text = String::from_utf8_lossy(&message.payload).into_owned();
    let sent = socket.send(Message::Text(text));
    sent.and_then(|()| close(&mut socket))
        .map_err(|error| broken(call, &error))
}

/// Opens a websocket and receives messages.
///
/// # Errors
///
/// Where it can't be opened, or breaks off. That the other side closes it is none.
pub fn subscribe(
    call: &Call,
    received: &mut Received<'_>,
    network: &impl Network,
    host: &impl Environment,
) -> Result<(), Failure> {
    let mut socket = open(call, &[], network, host)?;
    loop {
        let more = match socket.read() {
            Ok(Message::Text(text)) => received.take(text.as_bytes(), &[]),
            Ok(Message::Binary(bytes)) => received.take(&bytes, &[]),
            // A ping is answered by the library.
            Ok(_) => true,
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Ok(()),
            Err(error) => return Err(broken(call, &error)),
        };
        if !more {
            // All that was wanted is there: how the other side takes the farewell does not matter.
            let _ = close(&mut socket);
            return Ok(());
        }
    }
}

fn open(
    call: &Call,
    headers: &[(String, String)],
    network: &impl Network,
    host: &impl Environment,
) -> Result<Socket, Failure> {
    let target = &call.target;
    let mut request = target
        .uri
        .as_str()
        .into_client_request()
        .map_err(|error| broken(call, &error))?;
    let policy = call.policy.as_ref();
    let authorization = policy.map(|policy| policy.authorization(network, host));
    let authorization = authorization.transpose()?;
    let authorization = authorization
        .as_ref()
        .map(|value| ("authorization", value.as_str()));
    let given = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in given.chain(authorization) {
        let parsed = (HeaderName::try_from(name), HeaderValue::try_from(value));
        let (Ok(name), Ok(value)) = parsed else {
            let detail = format!("message.headers: {name:?} is no header");
            return Err(Failure::validation(detail));
        };
        request.headers_mut().insert(name, value);
    }
    let security = match target.secured {
        true => Security::Tls,
        false => Security::Plain,
    };
    let connection = network.dial(&target.host, target.port, security)?;
    let config = WebSocketConfig {
        max_message_size: Some(MESSAGE_BYTES_MAX),
        max_frame_size: Some(MESSAGE_BYTES_MAX),
        ..WebSocketConfig::default()
    };
    let opened = tungstenite::client::client_with_config(request, connection, Some(config));
    opened
        .map(|(socket, _)| socket)
        .map_err(|error| match error {
            HandshakeError::Failure(error) => broken(call, &error),
            // Reading waits: it never breaks off to be gone on with.
            HandshakeError::Interrupted(_) => {
                Failure::broken(format!("{}: the opening broke off", target.uri))
            }
        })
}

/// Closes a websocket, and waits for the other side to do so too.
fn close(socket: &mut Socket) -> Result<(), Error> {
    socket.close(None)?;
    for _ in 0..FAREWELL_MAX {
        match socket.read() {
            Ok(_) => {}
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn broken(call: &Call, error: &Error) -> Failure {
    let uri = &call.target.uri;
    match error {
        Error::Io(error) => failed(uri, error),
        Error::Http(response) => {
            let status = response.status().as_u16();
            let kind = match status {
                401 => Kind::Authentication,
                403 => Kind::Authorization,
                _ => Kind::Communication,
            };
            let detail = format!("{uri}: the websocket was refused with the status {status}");
            Failure {
                status: Some(status),
                ..Failure::new(kind, "Websocket refused", detail)
            }
        }
        other => Failure::broken(format!("{uri}: {other}")),
    }
}
