//! Which connections are open, and which one gives way where there are too many.
//!
//! A connection is a stranger's until a request on it has shown a valid token, and its tenant's from then on.
//! Strangers never keep anybody out: they have a part of all connections, and where that is full, the address
//! with the most of them loses its oldest. Whoever has a token shows it within a round trip, and so is gone
//! from among the strangers long before it is their turn. A tenant can't keep others out either: it has a
//! share, beyond which its requests on further connections are refused.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderValue;
use baton_engine::TenantId;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::refusal::Refusal;
use crate::settings::ServerSettings;

/// How soon a client may come again when there are too many connections.
const RETRY: Duration = Duration::from_secs(1);

/// All connections of a server.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Shared>);

/// An open connection. Each request on it carries a clone; the last one that is dropped makes room.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Place>);

/// Why a connection can't become a tenant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    /// The tenant has its share.
    #[error(
        "{0} connections of this tenant are open, which is its share of what this host takes; \
         use those, or close some"
    )]
    Tenant(usize),
    /// The tenants together have all that are not kept for strangers.
    #[error("this host has as many connections as it takes; try again")]
    Tenants,
}

struct Shared {
    /// The most connections of clients that have shown no token.
    strangers_max: usize,
    /// The most connections of all tenants together.
    tenants_max: usize,
    /// The most connections of one tenant.
    tenant_max: usize,
    /// A permit for each connection that is open, which holds the bound while those that give way still end.
    room: Arc<Semaphore>,
    open: Mutex<Open>,
}

/// Whose each connection is. One that gives way is in neither, though it may not have ended yet.
#[derive(Default)]
struct Open {
    /// Counts the connections, so that a lower number is an older one.
    next: u64,
    strangers: HashMap<IpAddr, BTreeMap<u64, Arc<Notify>>>,
    strangers_count: usize,
    tenants_count: usize,
    counts: HashMap<TenantId, usize>,
}

struct Place {
    number: u64,
    network: IpAddr,
    /// Whose it is; none while it is a stranger's. Changed by who has [`Open`] alone.
    tenant: Mutex<Option<TenantId>>,
    gives_way: Arc<Notify>,
    shared: Arc<Shared>,
    _room: OwnedSemaphorePermit,
}

impl Connections {
    /// No connections yet, within the bounds of the settings.
    pub(crate) fn new(settings: &ServerSettings) -> Self {
        let all = settings.connections_max.clamp(2, Semaphore::MAX_PERMITS);
        let strangers_max = settings.strangers_max.clamp(1, all - 1);
        let tenants_max = all - strangers_max;
        Self(Arc::new(Shared {
            strangers_max,
            tenants_max,
            tenant_max: settings.connections_per_tenant.clamp(1, tenants_max),
            room: Arc::new(Semaphore::new(all)),
            open: Mutex::default(),
        }))
    }

    /// A new connection, a stranger's. Another stranger's may have to give way first.
    pub(crate) async fn enter(&self, from: IpAddr) -> Connection {
        let network = network(from);
        let (number, gives_way) = self.0.open().enter(network, self.0.strangers_max);
        // What gives way ends without further ado, so that this doesn't wait for any client.
        let room = Arc::clone(&self.0.room).acquire_owned().await;
        Connection(Arc::new(Place {
            number,
            network,
            tenant: Mutex::default(),
            gives_way,
            shared: Arc::clone(&self.0),
            _room: room.expect("the semaphore is never closed"),
        }))
    }
}

impl Connection {
    /// Makes this the connection of a tenant who has shown a token on it.
    ///
    /// # Errors
    ///
    /// The tenant, or all of them together, have as many as they may. Then it stays whose it was.
    pub(crate) fn belongs_to(&self, tenant: &TenantId) -> Result<(), Full> {
        let (place, before) = (&self.0, self.tenant());
        if before.as_ref() == Some(tenant) {
            return Ok(());
        }
        let (shared, mut open) = (&place.shared, place.shared.open());
        if before.is_none() && open.tenants_count >= shared.tenants_max {
            return Err(Full::Tenants);
        }
        let count = open.counts.get(tenant).copied().unwrap_or_default();
        if count >= shared.tenant_max {
            return Err(Full::Tenant(count));
        }
        open.leave(place);
        *place.tenant() = Some(tenant.clone());
        open.tenants_count += 1;
        *open.counts.entry(tenant.clone()).or_default() += 1;
        Ok(())
    }

    /// Whose it is; none while no request on it has shown a token.
    pub(crate) fn tenant(&self) -> Option<TenantId> {
        self.0.tenant().clone()
    }

    /// Completes when this connection has to give way to another.
    pub(crate) async fn gives_way(&self) {
        self.0.gives_way.notified().await;
    }
}

impl From<Full> for Refusal {
    fn from(error: Full) -> Self {
        // An idle connection that is kept open would take room for nothing.
        Self::busy(error.to_string(), RETRY)
            .with_header("connection", HeaderValue::from_static("close"))
    }
}

impl Place {
    fn tenant(&self) -> MutexGuard<'_, Option<TenantId>> {
        self.tenant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.open().leave(self);
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn enter(&mut self, network: IpAddr, strangers_max: usize) -> (u64, Arc<Notify>) {
        if self.strangers_count >= strangers_max {
            self.make_room();
        }
        let number = self.next;
        self.next += 1;
        let gives_way = Arc::new(Notify::new());
        let of_network = self.strangers.entry(network).or_default();
        of_network.insert(number, Arc::clone(&gives_way));
        self.strangers_count += 1;
        (number, gives_way)
    }

    /// Lets the oldest stranger of the network that has the most of them give way.
    fn make_room(&mut self) {
        let largest = self.strangers.iter().max_by_key(|(_, of_network)| {
            let oldest = of_network.keys().next().copied();
            (of_network.len(), Reverse(oldest))
        });
        let Some(&network) = largest.map(|(network, _)| network) else {
            return;
        };
        let of_network = self.strangers.get_mut(&network);
        let oldest = of_network.and_then(|of_network| of_network.first_key_value());
        if let Some((&number, gives_way)) = oldest {
            gives_way.notify_one();
            tracing::debug!(%network, "a connection without a token gave way");
            self.forget_stranger(network, number);
        }
    }

    fn leave(&mut self, place: &Place) {
        self.forget_stranger(place.network, place.number);
        if let Some(tenant) = place.tenant().take()
            && let Some(count) = self.counts.get_mut(&tenant)
        {
            self.tenants_count -= 1;
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&tenant);
            }
        }
    }

    fn forget_stranger(&mut self, network: IpAddr, number: u64) {
        let Some(of_network) = self.strangers.get_mut(&network) else {
            return;
        };
        if of_network.remove(&number).is_some() {
            self.strangers_count -= 1;
        }
        if of_network.is_empty() {
            self.strangers.remove(&network);
        }
    }
}

/// What of an address its holder can't choose at will: all of an IPv4 address, and the first 64 bits of an
/// IPv6 address (RFC 4291 section 2.5.4).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;
    use crate::auth::Authenticator;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    /// Three connections of strangers, three of tenants, two of each tenant.
    fn connections() -> Connections {
        Connections::new(&ServerSettings {
            connections_max: 6,
            strangers_max: 3,
            connections_per_tenant: 2,
            ..ServerSettings::new(Authenticator::Open {
                tenant: TenantId::default(),
            })
        })
    }

    async fn enter(connections: &Connections, from: &str) -> Connection {
        connections.enter(from.parse().unwrap()).await
    }

    fn has_to_go(connection: &Connection) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(connection.gives_way()).poll(&mut context).is_ready()
    }

    #[tokio::test]
    async fn the_oldest_of_the_address_with_the_most_gives_way() {
        let connections = connections();
        let other = enter(&connections, "10.0.0.1").await;
        // One holder, who has as many addresses of this network as they like.
        let first = enter(&connections, "2001:db8::1").await;
        let second = enter(&connections, "2001:db8::ffff:1").await;
        let third = enter(&connections, "10.0.0.2").await;
        let found = [&other, &first, &second, &third].map(has_to_go);
        assert_eq!(found, [false, true, false, false]);
        drop(first);
        // Where all have as many, it is the oldest of all.
        let _fourth = enter(&connections, "::ffff:10.0.0.3").await;
        let found = [&other, &second, &third].map(has_to_go);
        assert_eq!(found, [true, false, false]);
    }

    #[tokio::test]
    async fn who_shows_a_token_does_not_give_way() {
        let connections = connections();
        let mut known = Vec::new();
        for name in ["red", "red", "blue"] {
            let connection = enter(&connections, "10.0.0.1").await;
            connection.belongs_to(&tenant(name)).unwrap();
            known.push(connection);
        }
        let mut strangers = Vec::new();
        for _ in 0..3 {
            strangers.push(enter(&connections, "10.0.0.1").await);
        }
        // All six are taken now. The seventh waits for nothing but that the oldest stranger has ended.
        let mut seventh = pin!(enter(&connections, "10.0.0.1"));
        let mut context = Context::from_waker(Waker::noop());
        assert!(seventh.as_mut().poll(&mut context).is_pending());
        assert!(has_to_go(&strangers[0]));
        drop(strangers.remove(0));
        assert!(seventh.poll(&mut context).is_ready());
        assert!(!known.iter().any(has_to_go));
    }

    #[tokio::test]
    async fn a_tenant_leaves_room_for_others() {
        let connections = connections();
        let (red, blue) = (tenant("red"), tenant("blue"));
        let first = enter(&connections, "10.0.0.1").await;
        let second = enter(&connections, "10.0.0.1").await;
        let third = enter(&connections, "10.0.0.1").await;
        for connection in [&first, &second, &first] {
            assert_eq!(connection.belongs_to(&red), Ok(()));
        }
        assert_eq!(third.belongs_to(&red), Err(Full::Tenant(2)));
        assert_eq!(third.belongs_to(&blue), Ok(()));
        let fourth = enter(&connections, "10.0.0.1").await;
        assert_eq!(fourth.belongs_to(&blue), Err(Full::Tenants));
        // A connection that a proxy uses for several tenants is the last one's.
        assert_eq!(first.belongs_to(&blue), Ok(()));
        assert_eq!(second.belongs_to(&blue), Err(Full::Tenant(2)));
        drop(third);
        assert_eq!(fourth.belongs_to(&red), Ok(()));
    }
}
