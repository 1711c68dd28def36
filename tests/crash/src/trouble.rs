//! What happens to a host at random moments.

use std::time::Duration;

use baton_tests::{Client, Host, Start, eventually};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::sync::watch;

use crate::fault::Fault;
use crate::service::Service;

/// Ignores SIGXFSZ, so that a write past the limit of the file size is an error, and becomes the program.
const IGNORING_XFSZ: [&str; 4] = ["/bin/sh", "-c", r#"trap "" XFSZ; exec "$@""#, "sh"];

/// How many requests the service sees at most from one trouble to the next.
const REQUESTS_MAX: usize = 60;

/// A kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// SIGKILL, now and then already while the host starts.
    Kill,
    /// The store's file can't grow for a while, as on a full disk; now and then the host is killed meanwhile.
    Full,
    /// Some or all writes to the store fail for a while; now and then the host is killed meanwhile.
    Failing,
}

/// A host in trouble.
pub(crate) struct Troubled {
    kind: Trouble,
    pub(crate) host: Host,
    fault: Option<Fault>,
    /// Where customers find the host.
    door: watch::Sender<Option<Client>>,
}

impl Troubled {
    /// Starts one that may reach this address.
    pub(crate) async fn start(
        kind: Trouble,
        url: &str,
        door: watch::Sender<Option<Client>>,
    ) -> Self {
        let fault = (kind == Trouble::Failing).then(Fault::build);
        let program = match (kind, &fault) {
            (_, Some(fault)) => fault.program(),
            (Trouble::Full, None) => IGNORING_XFSZ.map(str::to_owned).to_vec(),
            (_, None) => Vec::new(),
        };
        let program: Vec<&str> = program.iter().map(String::as_str).collect();
        let host = Start::default().allow(url).under(&program).start().await;
        Self {
            kind,
            host,
            fault,
            door,
        }
    }

    /// Lets customers in.
    pub(crate) fn open(&self) {
        self.door.send_replace(Some((*self.host).clone()));
    }

    /// Lets the host work until the service has seen some more requests, and then strikes. It works again when this
    /// returns, which says whether it was killed.
    ///
    /// The moment hangs on requests and not on the time, so that a slow machine gets something done as well.
    pub(crate) async fn strike(&mut self, service: &Service, random: &mut StdRng) -> bool {
        let moment = service.requests() + random.random_range(0..REQUESTS_MAX);
        eventually("the runs go on", async || {
            (service.requests() >= moment).then_some(())
        })
        .await;
        pause(random, 0..20).await;
        match (self.kind, &self.fault) {
            (Trouble::Full, _) => self.host.process().limit_file_size(Some(self.size())),
            (_, Some(fault)) => fault.set([3, 20, 100][random.random_range(0..3)]),
            _ => {}
        }
        if self.kind != Trouble::Kill {
            pause(random, 50..600).await;
        }
        let dies = self.kind == Trouble::Kill || random.random_bool(0.3);
        if dies {
            self.door.send_replace(None);
            self.host.kill9().await;
        }
        match (self.kind, &self.fault) {
            (Trouble::Full, _) if !dies => self.host.process().limit_file_size(None),
            (_, Some(fault)) => fault.set(0),
            _ => {}
        }
        if dies {
            while random.random_bool(0.25) {
                let time = Duration::from_millis(random.random_range(1..200));
                self.host.restart_briefly(time).await;
            }
            self.host.restart().await;
            self.open();
        }
        eventually("the host works again", async || {
            let ready = self.host.try_get("/readyz").await?;
            (ready.status == 200).then_some(())
        })
        .await;
        dies
    }

    /// How large the store's file is, in bytes.
    fn size(&self) -> u64 {
        let file = std::fs::metadata(self.host.data().join("baton.redb"));
        file.expect("a host has its store").len()
    }
}

async fn pause(random: &mut StdRng, milliseconds: std::ops::Range<u64>) {
    tokio::time::sleep(Duration::from_millis(random.random_range(milliseconds))).await;
}
