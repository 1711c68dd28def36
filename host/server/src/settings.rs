//! What can be set, and every bound of the server that isn't a client's business.

use std::time::Duration;

use crate::auth::Authenticator;

/// How the server is set up. The bounds that clients run into stand in [`baton_api::limits`].
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Who may ask, and for which tenant.
    pub authenticator: Authenticator,
    /// How many connections are open at once, at least 2. 4,096 by default: some 100 MB at worst, and most
    /// systems let a process open more files than that.
    pub connections_max: usize,
    /// How many of them may be of clients that have not shown a token yet. Beyond it, the address with the
    /// most of those loses its oldest. 1,024 by default: a client with a token shows it within a round trip.
    pub strangers_max: usize,
    /// How many connections one tenant may have, streams of events and waits among them. Beyond it, its
    /// requests on further connections are refused as busy. 1,024 by default: a third of what is not
    /// kept for strangers.
    pub connections_per_tenant: usize,
    /// How many bytes of request bodies are held at once, over all requests. A tenant may hold as much as is left for
    /// all others, half of it at most; beyond that its requests are refused as busy, and where nothing is left, as
    /// unavailable. 256 MiB by default: two of the largest connectors for one tenant.
    pub body_bytes_max: usize,
    /// How long a client may take to send the head of a request, and how long an idle connection is kept.
    /// 30 s by default.
    pub head_timeout: Duration,
    /// How long a client may read nothing of what it is sent before its connection ends. 30 s by default:
    /// a connection that is alive takes something in within a few seconds.
    pub write_timeout: Duration,
    /// How long a client may take to send a body beyond what its length gives it. 10 s by default.
    pub body_grace: Duration,
    /// How many bytes of a body give its client another second. 16 KiB by default: a slow mobile connection.
    pub body_bytes_per_second: usize,
    /// How often a stream of events without news carries a comment, so that proxies keep it open. 15 s by
    /// default; proxies usually wait 30 to 60 s.
    pub keep_alive: Duration,
    /// How long requests under way may take to end when the server stops. 10 s by default.
    pub grace: Duration,
}

impl ServerSettings {
    /// The defaults, for those whom the authenticator lets in.
    pub fn new(authenticator: Authenticator) -> Self {
        Self {
            authenticator,
            connections_max: 4096,
            strangers_max: 1024,
            connections_per_tenant: 1024,
            body_bytes_max: 256 << 20,
            head_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            body_grace: Duration::from_secs(10),
            body_bytes_per_second: 16 << 10,
            keep_alive: Duration::from_secs(15),
            grace: Duration::from_secs(10),
        }
    }
}
