//! What happens to a host at random moments.

use std::time::Duration;

use baton_tests::{Client, Host, Start, eventually};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::sync::watch;

use crate::customer::Shop;
use crate::disk::Disk;
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
    /// The disk is full for a while; now and then the host is killed meanwhile.
    Full,
    /// Some or all writes to the store fail for a while; now and then the host is killed meanwhile.
    Failing,
}

/// A host in trouble.
pub(crate) struct Troubled {
    cause: Cause,
    pub(crate) host: Host,
    /// Where customers find the host.
    door: watch::Sender<Option<Client>>,
}

/// What makes the trouble.
enum Cause {
    Kill,
    /// The disk is made as small as what is on it.
    Disk(Disk),
    /// The store's file may not grow: where there can be no disk of its own.
    Limit,
    Fault(Fault),
}

impl Cause {
    fn of(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Kill => Self::Kill,
            Trouble::Full => match Disk::mount() {
                Ok(disk) => Self::Disk(disk),
                Err(reason) => {
                    eprintln!(
                        "no disk of its own, so the store's file is kept from growing: {reason}"
                    );
                    Self::Limit
                }
            },
            Trouble::Failing => Self::Fault(Fault::build()),
        }
    }

    /// The program, and its arguments, by which a host is started.
    fn program(&self) -> Vec<String> {
        match self {
            Self::Kill => Vec::new(),
            Self::Disk(disk) => disk.program(),
            Self::Limit => IGNORING_XFSZ.map(str::to_owned).to_vec(),
            Self::Fault(fault) => fault.program(),
        }
    }

    /// Begins.
    fn begin(&self, host: &Host, random: &mut StdRng) {
        match self {
            Self::Kill => {}
            Self::Disk(disk) => disk.shrink(),
            Self::Limit => host.process().limit_file_size(Some(size(host))),
            Self::Fault(fault) => fault.set([3, 20, 100][random.random_range(0..3)]),
        }
    }

    /// Is over, for the host where that is still there.
    fn end(&self, host: Option<&Host>) {
        match self {
            Self::Kill => {}
            Self::Disk(disk) => disk.grow(),
            // A process that is started anew has no limit.
            Self::Limit => host
                .into_iter()
                .for_each(|host| host.process().limit_file_size(None)),
            Self::Fault(fault) => fault.set(0),
        }
    }
}

impl Troubled {
    /// Starts one that may reach this address.
    pub(crate) async fn start(
        trouble: Trouble,
        url: &str,
        door: watch::Sender<Option<Client>>,
    ) -> Self {
        let cause = Cause::of(trouble);
        let program = cause.program();
        let program: Vec<&str> = program.iter().map(String::as_str).collect();
        let start = Start::default().allow(url).under(&program);
        let start = match &cause {
            Cause::Disk(disk) => start.data(disk.path()),
            _ => start,
        };
        let host = start.start().await;
        Self { cause, host, door }
    }

    /// Lets customers in.
    pub(crate) fn open(&self) {
        self.door.send_replace(Some((*self.host).clone()));
    }

    /// Lets the host work until the service has seen some more requests, and then strikes. It works again when this
    /// returns, which says whether it was killed.
    ///
    /// The moment hangs on requests and not on the time, so that a slow machine gets something done as well. For the
    /// same reason trouble without a kill lasts until the host has refused something for it.
    pub(crate) async fn strike(
        &mut self,
        service: &Service,
        shop: &Shop,
        random: &mut StdRng,
    ) -> bool {
        let moment = service.requests() + random.random_range(0..REQUESTS_MAX);
        eventually("the runs go on", async || {
            (service.requests() >= moment).then_some(())
        })
        .await;
        pause(random, 0..20).await;
        let refused = shop.refusals().len();
        self.cause.begin(&self.host, random);
        let dies = match self.cause {
            Cause::Kill => true,
            _ => {
                pause(random, 50..600).await;
                // Not before anybody has been refused anything: somebody must be.
                random.random_bool(0.3) && refused > 0
            }
        };
        if dies {
            self.kill(random).await;
        } else {
            eventually("somebody is refused", async || {
                shop.pay_for_nothing().await;
                (shop.refusals().len() > refused).then_some(())
            })
            .await;
            self.cause.end(Some(&self.host));
        }
        eventually("the host works again", async || {
            let ready = self.host.try_get("/readyz").await?;
            (ready.status == 200).then_some(())
        })
        .await;
        dies
    }

    /// Kills it, now and then again while it starts in the same trouble, and starts it when that is over.
    async fn kill(&mut self, random: &mut StdRng) {
        self.door.send_replace(None);
        self.host.kill9().await;
        while random.random_bool(0.25) {
            let time = Duration::from_millis(random.random_range(1..200));
            self.host.restart_briefly(time).await;
        }
        self.cause.end(None);
        self.host.restart().await;
        self.open();
    }
}

/// How large the store's file is, in bytes.
fn size(host: &Host) -> u64 {
    let file = std::fs::metadata(host.data().join("baton.redb"));
    file.expect("a host has its store").len()
}

async fn pause(random: &mut StdRng, milliseconds: std::ops::Range<u64>) {
    tokio::time::sleep(Duration::from_millis(random.random_range(milliseconds))).await;
}
