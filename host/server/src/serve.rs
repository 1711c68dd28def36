//! Sockets: taking connections, within bounds, until it is time to stop.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use axum::response::Response;
use baton_engine::Engine;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::connections::{Connection, Connections};
use crate::lookout::Lookout;
use crate::router::router;
use crate::settings::ServerSettings;
use crate::workers::Workers;
use crate::write_timeout::WriteTimeout;

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
    let host = engine.clone();
    let sockets = Sockets::of(&settings, move || host.is_shared());
    let router = router(engine, settings, is_stopping);
    take_connections(listener, router, sockets, stopping, stop).await;
}

/// What of the settings is about sockets; see [`ServerSettings`].
struct Sockets {
    connections: Connections,
    workers: Arc<Workers>,
    head_timeout: Duration,
    write_timeout: Duration,
    grace: Duration,
}

impl Sockets {
    /// For the runtime at hand.
    fn of(
        settings: &ServerSettings,
        are_shared: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let threads = Handle::current().metrics().num_workers();
        Self {
            connections: Connections::new(settings),
            workers: Arc::new(Workers::new(threads, are_shared)),
            head_timeout: settings.head_timeout,
            write_timeout: settings.write_timeout,
            grace: settings.grace,
        }
    }
}

/// Serves a router until `stop` completes, which is passed on through `stopping`.
async fn take_connections(
    listener: TcpListener,
    router: Router,
    sockets: Sockets,
    stopping: watch::Sender<bool>,
    stop: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(sockets.head_timeout)
        .max_buf_size(HEAD_BYTES_MAX);
    let lookout = Lookout::start();

    let taking = async {
        loop {
            let (stream, from) = accept(&listener, &lookout).await;
            let connection = sockets.connections.enter(from.ip()).await;
            let stream = TokioIo::new(WriteTimeout::new(stream, sockets.write_timeout));
            let service = requests(router.clone(), connection.clone());
            let serving = graceful.watch(http.serve_connection(stream, service));
            tokio::spawn(
                sockets
                    .workers
                    .clone()
                    .serve(connection.clone(), async move {
                        let result = tokio::select! {
                            result = serving => result,
                            () = connection.gives_way() => Ok(()),
                        };
                        // A connection that breaks is the client's matter.
                        if let Err(error) = result {
                            tracing::debug!(%error, "connection broke");
                        }
                    }),
            );
        }
    };
    tokio::select! {
        () = taking => {}
        () = stop => {}
    }

    drop(listener);
    // Fails only where no handler is left to be told.
    let _ = stopping.send(true);
    if timeout(sockets.grace, graceful.shutdown()).await.is_err() {
        let grace_s = sockets.grace.as_secs();
        tracing::warn!(
            grace_s,
            "some requests did not end in time and were cut off"
        );
    }
}

/// Answers the requests of one connection, each of which carries the connection.
fn requests(
    router: Router,
    connection: Connection,
) -> impl Service<
    Request<Incoming>,
    Response = Response,
    Error = Infallible,
    Future: Future<Output = Result<Response, Infallible>> + Send,
> + Send {
    let service = TowerToHyperService::new(router);
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(connection.clone());
        service.call(request)
    })
}

/// The next connection, and from where it is.
async fn accept(listener: &TcpListener, lookout: &Lookout) -> (TcpStream, SocketAddr) {
    loop {
        let accepted = listener.accept().await;
        match accepted.and_then(|(stream, from)| Ok((lookout.look_at(stream)?, from))) {
            Ok((stream, from)) => {
                // Answers are small and written whole; waiting for more to send only delays them.
                let _ = stream.set_nodelay(true);
                return (stream, from);
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
    use crate::auth::Authenticator;
    use crate::router::has_stopped;
    use axum::routing::get;
    use baton_engine::TenantId;
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

    async fn run(make: impl FnOnce(watch::Receiver<bool>) -> Router) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (sender, stopping) = watch::channel(false);
        let settings = ServerSettings {
            head_timeout: Duration::from_millis(50),
            ..ServerSettings::new(Authenticator::Open {
                tenant: TenantId::default(),
            })
        };
        let sockets = Sockets::of(&settings, || false);
        let router = make(stopping.clone());
        let task = tokio::spawn(take_connections(listener, router, sockets, sender, async {
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
        let running = run(|stopping| {
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
    async fn a_client_that_sends_no_head_is_dropped() {
        let running = run(|_| Router::new().route("/", get(|| async { "done" }))).await;
        for head in [&REQUEST[..20], &[REQUEST, &REQUEST[..20]].concat(), REQUEST] {
            // The end of the answer is the end of the connection, which the client never asks for.
            let answer = read(send(running.address, head).await).await;
            assert_eq!(answer.contains("200 OK"), head.len() > 20, "{answer}");
        }
        running.stop.send(()).unwrap();
        running.task.await.unwrap();
    }
}
