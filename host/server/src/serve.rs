//! Sockets: taking connections, within bounds, until it is time to stop.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use baton_engine::Engine;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::router::router;
use crate::settings::ServerSettings;

/// The longest head of a request, in bytes: 64 KiB, of which a token and a path take a few hundred.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// How long to wait after the system had no socket to give (too many open files), until some are closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the API on a listener until `stop` completes. Then no connection is taken any more, streams of
/// events and waits end, and requests under way have the settings' grace to be answered.
///
/// It does not shut the engine down: do that afterwards, when nobody asks any more.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    settings: ServerSettings,
    stop: impl Future<Output = ()>,
) {
    let (stopping, is_stopping) = watch::channel(false);
    let bounds = Bounds::of(&settings);
    let router = router(engine, settings, is_stopping);
    take_connections(listener, router, bounds, stopping, stop).await;
}

/// What of the settings is about sockets; see [`ServerSettings`].
struct Bounds {
    connections_max: usize,
    head_timeout: Duration,
    grace: Duration,
}

impl Bounds {
    fn of(settings: &ServerSettings) -> Self {
        Self {
            connections_max: settings.connections_max,
            head_timeout: settings.head_timeout,
            grace: settings.grace,
        }
    }
}

/// Serves a router until `stop` completes, which is passed on through `stopping`.
async fn take_connections(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    stopping: watch::Sender<bool>,
    stop: impl Future<Output = ()>,
) {
    let connections = Arc::new(Semaphore::new(bounds.connections_max));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(bounds.head_timeout)
        .max_buf_size(HEAD_BYTES_MAX);

    let taking = async {
        loop {
            let permit = Arc::clone(&connections).acquire_owned().await;
            let permit = permit.expect("the semaphore is never closed");
            let stream = accept(&listener).await;
            let service = TowerToHyperService::new(router.clone());
            let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
            tokio::spawn(async move {
                // A connection that breaks is the client's matter.
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "connection broke");
                }
                drop(permit);
            });
        }
    };
    tokio::select! {
        () = taking => {}
        () = stop => {}
    }

    drop(listener);
    // Fails only where no handler is left to be told.
    let _ = stopping.send(true);
    if timeout(bounds.grace, graceful.shutdown()).await.is_err() {
        let grace_s = bounds.grace.as_secs();
        tracing::warn!(
            grace_s,
            "some requests did not end in time and were cut off"
        );
    }
}

/// The next connection.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and written whole; waiting for more to send only delays them.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            // The client was gone before it was taken.
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken; trying again");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::has_stopped;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

    struct Running {
        address: std::net::SocketAddr,
        stop: oneshot::Sender<()>,
        stopping: watch::Receiver<bool>,
        task: JoinHandle<()>,
    }

    async fn run(
        connections_max: usize,
        make: impl FnOnce(watch::Receiver<bool>) -> Router,
    ) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (sender, stopping) = watch::channel(false);
        let bounds = Bounds {
            connections_max,
            head_timeout: Duration::from_millis(50),
            grace: Duration::from_secs(10),
        };
        let router = make(stopping.clone());
        let task = tokio::spawn(take_connections(listener, router, bounds, sender, async {
            let _ = stopped.await;
        }));
        Running {
            address,
            stop,
            stopping,
            task,
        }
    }

    async fn send(address: std::net::SocketAddr, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    async fn read(mut stream: TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn a_request_under_way_is_answered_before_the_end() {
        let (entered, mut has_entered) = tokio::sync::mpsc::channel(1);
        let running = run(8, |stopping| {
            let handler = move || async move {
                entered.send(()).await.unwrap();
                has_stopped(stopping).await;
                "done"
            };
            Router::new().route("/", get(handler))
        })
        .await;
        let stream = send(running.address, REQUEST).await;
        has_entered.recv().await.unwrap();
        running.stop.send(()).unwrap();
        assert!(read(stream).await.ends_with("done"));
        running.task.await.unwrap();
        assert!(*running.stopping.borrow());
        assert!(
            TcpStream::connect(running.address).await.is_err(),
            "nobody listens any more"
        );
    }

    #[tokio::test]
    async fn a_client_that_sends_no_head_is_dropped_and_makes_room() {
        let running = run(1, |_| Router::new().route("/", get(|| async { "done" }))).await;
        // The only connection that there may be, by a client that never ends its head.
        let slow = send(running.address, b"GET / HTTP/1.1\r\n").await;
        let quick = send(running.address, REQUEST).await;
        assert!(!read(slow).await.contains("200 OK"));
        assert!(read(quick).await.ends_with("done"));
        running.stop.send(()).unwrap();
        running.task.await.unwrap();
    }
}
