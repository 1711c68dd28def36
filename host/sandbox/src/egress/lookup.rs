//! The addresses of names, as the system's resolver knows them.
//!
//! It keeps a thread until it knows, or has given up: where no server answers, for longer than anybody here waits. So no more
//! threads are given to that than the runtime can do without, and no more of them to one tenant than leave some to others.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;

use crate::limits::{LOOKUPS_MAX, LOOKUPS_PER_TENANT_MAX};

/// Those of the process, which has the threads.
static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(LOOKUPS_MAX)));

/// A tenant's part of the lookups: at most [`LOOKUPS_PER_TENANT_MAX`] are under way at a time under all grants that
/// [share](crate::Grant::sharing) it. Clones are the same.
#[derive(Debug, Clone)]
pub struct Lookups {
    places: Arc<Semaphore>,
}

impl Default for Lookups {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(LOOKUPS_PER_TENANT_MAX)),
        }
    }
}

impl Lookups {
    /// Whether there is another clone of it: a grant shares it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.places) > 1
    }

    /// The addresses of a name, which may be none, with a port.
    pub(super) async fn addresses(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let name = name.to_owned();
        let look = move || Ok((name, port).to_socket_addrs()?.collect());
        self.aside(look).await
    }

    /// Does something that blocks, once there is a place for it. It keeps that to its end, also where nobody waits for it
    /// any more.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let own = self.places.clone().acquire_owned().await;
        let of_all = PLACES.clone().acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let _places = (own, of_all);
            work()
        });
        done.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc::channel;

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_name_has_addresses() {
        let found = Lookups::default().addresses("127.0.0.1", 80).await;
        assert_eq!(
            found.expect("it is one"),
            ["127.0.0.1:80".parse().expect("an address")]
        );
    }

    #[tokio::test]
    async fn what_nobody_waits_for_keeps_its_place_and_leaves_those_of_others() {
        let (lookups, others) = (Lookups::default(), Lookups::default());
        let mut resolvers = Vec::new();
        for _ in 0..LOOKUPS_PER_TENANT_MAX {
            let (answer, answered) = channel::<()>();
            let silent = lookups.aside(move || answered.recv().map_err(io::Error::other));
            assert!(
                silent.now_or_never().is_none(),
                "nobody answers, and nobody waits"
            );
            resolvers.push(answer);
        }
        let mut next = pin!(lookups.aside(|| Ok(7)));
        assert!(next.as_mut().now_or_never().is_none());
        assert_eq!(others.aside(|| Ok(8)).await.expect("there is room"), 8);
        assert!(next.as_mut().now_or_never().is_none(), "it has no place");
        drop(resolvers);
        assert_eq!(next.await.expect("it has one now"), 7);
    }
}
