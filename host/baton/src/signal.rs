//! Being asked to stop: Ctrl-C and, on Unix, `SIGTERM`.

use crate::exit::Exit;
use crate::failure::Failure;

/// Requests to stop, as they come. From the second on, the process ends at once, so that a user is never
/// held by a shutdown that takes too long.
pub(crate) struct Interrupts {
    requests: tokio::sync::mpsc::UnboundedReceiver<()>,
}

impl Interrupts {
    /// Listens from now on, for as long as the process lives.
    ///
    /// # Errors
    ///
    /// The system refuses the handlers.
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut source = Source::new()
            .map_err(|error| Failure::new("cannot listen for Ctrl-C").because(&error))?;
        let (sender, requests) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            source.next().await;
            // Nobody may be listening any more; the second request counts all the same.
            let _ = sender.send(());
            source.next().await;
            std::process::exit(i32::from(Exit::Interrupted.code()));
        });
        Ok(Self { requests })
    }

    /// Waits for a request. Once there can be no more, it waits for ever.
    pub(crate) async fn next(&mut self) {
        if self.requests.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
struct Source {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Source;

#[cfg(not(unix))]
impl Source {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
