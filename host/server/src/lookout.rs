//! Who looks what has come over the connections: a thread that does nothing else.
//!
//! The threads of the runtime look only now and then while they have much to do. In a flood of requests nobody would know
//! for some milliseconds that another tenant has asked for something, so that it could not be [its turn](crate::workers).

use std::io;

use baton_system::priority;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// The thread. It ends when this is dropped; connections that are still open fail then.
pub(crate) struct Lookout {
    /// None where the system gives no thread.
    thread: Option<Thread>,
}

struct Thread {
    runtime: Handle,
    _until: oneshot::Sender<()>,
}

impl Lookout {
    /// Starts the thread. Where the system gives none, the threads of the runtime look themselves.
    pub(crate) fn start() -> Self {
        let thread = start().inspect_err(|error| {
            tracing::error!(%error, "no thread to look at connections: requests wait longer in a flood");
        });
        Self {
            thread: thread.ok(),
        }
    }

    /// From now on the thread tells whoever waits for a connection that something has come over it.
    ///
    /// # Errors
    ///
    /// Where the system refuses that.
    pub(crate) fn look_at(&self, stream: TcpStream) -> io::Result<TcpStream> {
        let Some(thread) = &self.thread else {
            return Ok(stream);
        };
        let stream = stream.into_std()?;
        let _there = thread.runtime.enter();
        TcpStream::from_std(stream)
    }
}

fn start() -> io::Result<Thread> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let handle = runtime.handle().clone();
    let (until, over) = oneshot::channel();
    let look = move || {
        priority::go_at_once();
        // Nothing is ever sent: it is over when the sender is gone.
        let _ = runtime.block_on(over);
    };
    let thread = std::thread::Builder::new().name("baton-lookout".into());
    thread.spawn(look)?;
    Ok(Thread {
        runtime: handle,
        _until: until,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpStream as Client;
    use std::pin::pin;
    use std::sync::{Arc, mpsc};
    use std::task::{Context, Wake, Waker};
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;

    /// Tells whoever waits that it was woken.
    struct Told(mpsc::Sender<()>);

    impl Wake for Told {
        fn wake(self: Arc<Self>) {
            self.0.send(()).expect("the test waits for it");
        }
    }

    #[tokio::test]
    async fn what_comes_is_told_of_while_no_thread_of_the_runtime_looks() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = Client::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let lookout = Lookout::start();
        let stream = lookout.look_at(stream).unwrap();
        let (told, is_told) = mpsc::channel();
        let waker = Waker::from(Arc::new(Told(told)));
        let mut readable = pin!(stream.readable());
        let polled = readable.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        client.write_all(b"x").unwrap();
        // The only thread of the runtime is this one, and does nothing else meanwhile.
        let patience = Duration::from_secs(60);
        is_told.recv_timeout(patience).expect("somebody looks");
        readable.await.unwrap();
    }
}
