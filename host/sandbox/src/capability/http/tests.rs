//! The timeouts of requests (`wasi:http/types`, `request-options`).

use std::net::SocketAddr;

use http_body_util::Empty;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::*;

/// Short enough for a test to wait for; where it does not run out, nothing waits for it.
const SHORT: Duration = Duration::from_millis(50);

/// Far longer than a test may take.
const LONG: Duration = Duration::from_secs(600);

/// A client that may go to this address.
fn client(address: SocketAddr) -> Client {
    let rule = format!("*://{address}");
    let rules = ["http", "https"].map(|it| rule.replace('*', it).parse().unwrap());
    Client::new(Arc::new(Rules::new(rules.into())))
}

async fn get(
    client: &Client,
    uri: String,
    options: RequestOptions,
) -> Result<Response<Incoming>, SendError> {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let request = Request::get(uri).body(body).unwrap();
    send(client, request, Some(&options), &Trust::default()).await
}

#[track_caller]
fn failed(answer: Result<Response<Incoming>, SendError>) -> Error {
    match answer {
        Err(SendError::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// A server that takes one connection, reads a request and says this much of an answer to it. It keeps the connection
/// as long as the task is not aborted.
async fn saying(words: &'static str) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        while stream.read(&mut request).await.unwrap() > 0 {
            stream.write_all(words.as_bytes()).await.unwrap();
        }
    });
    (address, server)
}

#[tokio::test]
async fn nobody_waits_longer_for_a_connection_than_it_is_worth() {
    // As many connections as the system keeps for one who does not accept them; for more there is no answer.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(SHORT, TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    let options = RequestOptions {
        connect_timeout: Some(SHORT),
        first_byte_timeout: Some(LONG),
        between_bytes_timeout: Some(LONG),
    };
    let answer = get(&client(address), format!("http://{address}/"), options).await;
    assert!(matches!(failed(answer), Error::ConnectionTimeout));
}

#[tokio::test]
async fn to_agree_on_tls_is_a_part_of_connecting() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = RequestOptions {
        connect_timeout: Some(SHORT),
        first_byte_timeout: None,
        between_bytes_timeout: None,
    };
    // It is connected, and nobody says anything.
    let answer = get(&client(address), format!("https://{address}/"), options).await;
    assert!(matches!(failed(answer), Error::ConnectionTimeout));
}

#[tokio::test]
async fn the_first_byte_is_waited_for_from_the_connection_on() {
    let (address, server) = saying("").await;
    // The time for a connection is none of it.
    let options = RequestOptions {
        connect_timeout: Some(LONG),
        first_byte_timeout: Some(SHORT),
        between_bytes_timeout: Some(LONG),
    };
    let answer = get(&client(address), format!("http://{address}/"), options).await;
    assert!(matches!(failed(answer), Error::ConnectionReadTimeout));
    server.abort();
}

#[tokio::test]
async fn the_next_byte_is_waited_for_from_the_last_one_on() {
    let (address, server) = saying("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfirst").await;
    let options = RequestOptions {
        connect_timeout: Some(LONG),
        first_byte_timeout: Some(LONG),
        between_bytes_timeout: Some(SHORT),
    };
    let uri = format!("http://{address}/");
    let answer = get(&client(address), uri, options).await.unwrap();
    let quota = Quota::new(1 << 20, &Renewals::default());
    let patience = options.between_bytes_timeout;
    let limited = Limited::wrap(answer, &Ledger::default(), quota, patience).unwrap();
    let mut body = limited.into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "first");
    let error = body.frame().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::ConnectionReadTimeout), "{error:?}");
    server.abort();
}

#[tokio::test]
async fn what_comes_in_time_comes_whole() {
    let words = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwhole";
    let (address, server) = saying(words).await;
    let options = RequestOptions {
        connect_timeout: Some(LONG),
        first_byte_timeout: Some(LONG),
        between_bytes_timeout: Some(LONG),
    };
    let client = client(address);
    // The second finds the connection of the first.
    for _ in 0..2 {
        let answer = get(&client, format!("http://{address}/"), options).await;
        let body = answer.unwrap().into_body().collect().await.unwrap();
        assert_eq!(body.to_bytes(), "whole");
    }
    server.abort();
}
