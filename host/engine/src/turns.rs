//! Whose turn it is where tenants share a number of permits: data in, data out.
//!
//! A permit that is free goes to the waiting tenant that holds the fewest. Where several hold as few, they take turns:
//! it goes to the one that has been served, or has begun to wait, before the others. Within a tenant, whoever came
//! first is first. The last permits are kept for tenants that hold none, so that few tenants with many calls that take
//! long do not keep all others out.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use baton_store::TenantId;
use rustc_hash::FxHashMap;

/// One of this many permits is kept for tenants that hold none.
const KEPT_OF: usize = 16;

/// Permits, who holds them and who waits for them. `W` is what is to be told once it is granted, `T` who shares them: the
/// tenants, or whatever is treated like one.
pub struct Turns<W, T = TenantId> {
    free: usize,
    per_tenant: usize,
    /// How many are kept for tenants that hold none.
    kept: usize,
    /// Those that hold or wait.
    tenants: FxHashMap<T, Tenant<W>>,
    /// Those that wait and may have another one, the next one first.
    queue: BTreeSet<Position<T>>,
    /// Counts what happens, to say what was before what.
    now: u64,
}

/// How many a tenant holds, since when it waits for its turn, and which one it is.
type Position<T> = (usize, u64, T);

struct Tenant<W> {
    held: usize,
    since: u64,
    waiting: BTreeMap<u64, W>,
}

impl<W, T: Clone + Ord + Hash> Turns<W, T> {
    /// `all` permits, of which one tenant may hold `per_tenant`; both are at least one. Of sixteen, one is kept for
    /// tenants that hold none, and at least one of all, but none that a single tenant may hold.
    pub fn new(all: usize, per_tenant: usize) -> Self {
        let (all, per_tenant) = (all.max(1), per_tenant.max(1));
        Self {
            free: all,
            per_tenant,
            kept: (all / KEPT_OF).max(1).min(all.saturating_sub(per_tenant)),
            tenants: FxHashMap::default(),
            queue: BTreeSet::new(),
            now: 0,
        }
    }

    /// Whether a tenant holds a permit, or waits for one.
    pub fn has(&self, tenant: &T) -> bool {
        self.tenants.contains_key(tenant)
    }

    /// Whether no tenant but this one holds a permit or waits for one.
    pub fn is_alone(&self, tenant: &T) -> bool {
        self.tenants.len() <= usize::from(self.tenants.contains_key(tenant))
    }

    /// Takes a permit, where there is one for this tenant and none of its own waits for it.
    pub fn take(&mut self, tenant: &T) -> bool {
        if let Some(known) = self.tenants.get_mut(tenant) {
            let may = known.waiting.is_empty()
                && known.held < self.per_tenant
                && is_free(self.free, self.kept, known.held);
            if may {
                known.held += 1;
                self.free -= 1;
            }
            return may;
        }
        if self.free == 0 {
            return false;
        }
        let (held, waiting) = (1, BTreeMap::new());
        let since = self.now;
        self.free -= 1;
        self.tenants.insert(
            tenant.clone(),
            Tenant {
                held,
                since,
                waiting,
            },
        );
        true
    }

    /// Waits for a permit, under the number that comes back.
    pub fn wait(&mut self, tenant: &T, who: W) -> u64 {
        self.now += 1;
        let number = self.now;
        let known = self
            .tenants
            .entry(tenant.clone())
            .or_insert_with(|| Tenant {
                held: 0,
                since: number,
                waiting: BTreeMap::new(),
            });
        if known.waiting.is_empty() {
            known.since = number;
            if known.held < self.per_tenant {
                self.queue.insert((known.held, number, tenant.clone()));
            }
        }
        known.waiting.insert(number, who);
        number
    }

    /// Waits no longer. False where it does not wait: it has been granted its permit.
    pub fn leave(&mut self, tenant: &T, number: u64) -> bool {
        let Some(known) = self.tenants.get_mut(tenant) else {
            return false;
        };
        let waited = known.waiting.remove(&number).is_some();
        if known.waiting.is_empty() {
            self.queue
                .remove(&(known.held, known.since, tenant.clone()));
            if known.held == 0 {
                self.tenants.remove(tenant);
            }
        }
        waited
    }

    /// Gives a permit back. Somebody may be [granted](Turns::grant) it.
    pub fn give_back(&mut self, tenant: &T) {
        let Some(known) = self.tenants.get_mut(tenant) else {
            return;
        };
        self.free += 1;
        let before = (known.held, known.since, tenant.clone());
        known.held -= 1;
        if known.waiting.is_empty() {
            if known.held == 0 {
                self.tenants.remove(tenant);
            }
            return;
        }
        self.queue.remove(&before);
        self.queue.insert((known.held, known.since, tenant.clone()));
    }

    /// Grants the next permit, if there is one for anybody who waits: to whom.
    pub fn grant(&mut self) -> Option<W> {
        let (held, since, tenant) = self.queue.first()?;
        // Whoever comes behind the first holds as many at least, so that there is none for them either.
        if !is_free(self.free, self.kept, *held) {
            return None;
        }
        let position = (*held, *since, tenant.clone());
        self.queue.remove(&position);
        let (_, _, tenant) = position;
        self.now += 1;
        self.free -= 1;
        let known = self.tenants.get_mut(&tenant)?;
        let (_, who) = known.waiting.pop_first()?;
        known.held += 1;
        known.since = self.now;
        if !known.waiting.is_empty() && known.held < self.per_tenant {
            self.queue.insert((known.held, known.since, tenant));
        }
        Some(who)
    }
}

/// Whether there is a permit for a tenant that holds so many.
fn is_free(free: usize, kept: usize, held: usize) -> bool {
    match held {
        0 => free > 0,
        _ => free > kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the test knows of a tenant: how many it holds, and who of it waits, the first one first.
    #[derive(Default)]
    struct Known {
        held: usize,
        waiting: Vec<u64>,
        /// When it was served last, or began to wait.
        since: usize,
    }

    fn tenant(number: usize) -> TenantId {
        TenantId::new(&format!("t{number}")).expect("a tenant")
    }

    /// Numbers by chance, the same from the same seed (SplitMix64, Steele and others 2014).
    fn below(state: &mut u64, bound: usize) -> usize {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).expect("it is below a usize")
    }

    /// Plays with a few tenants by chance, and compares each step with what must hold.
    struct Game {
        turns: Turns<(usize, u64)>,
        known: Vec<Known>,
        all: usize,
        per_tenant: usize,
        step: usize,
        names: u64,
        numbers: BTreeMap<u64, u64>,
    }

    impl Game {
        fn new(chance: &mut u64) -> Self {
            let all = 1 + below(chance, 40);
            let per_tenant = 1 + below(chance, all);
            let tenants = 2 + below(chance, 5);
            Self {
                turns: Turns::new(all, per_tenant),
                known: (0..tenants).map(|_| Known::default()).collect(),
                all,
                per_tenant,
                step: 0,
                names: 0,
                numbers: BTreeMap::new(),
            }
        }

        fn free(&self) -> usize {
            self.all - self.known.iter().map(|it| it.held).sum::<usize>()
        }

        /// Whether a tenant that holds as many as this one may have another.
        fn may(&self, known: &Known) -> bool {
            let kept = if known.held == 0 { 0 } else { self.turns.kept };
            known.held < self.per_tenant && self.free() > kept
        }

        fn play(&mut self, chance: &mut u64) {
            self.step += 1;
            let one = below(chance, self.known.len());
            match below(chance, 8) {
                0..4 => self.ask(one),
                4 if !self.known[one].waiting.is_empty() => {
                    let which = below(chance, self.known[one].waiting.len());
                    let name = self.known[one].waiting.remove(which);
                    let number = self.numbers[&name];
                    assert!(self.turns.leave(&tenant(one), number));
                }
                _ if self.known[one].held > 0 => {
                    self.turns.give_back(&tenant(one));
                    self.known[one].held -= 1;
                }
                _ => {}
            }
            self.serve();
        }

        fn ask(&mut self, one: usize) {
            let known = &self.known[one];
            let expected = known.waiting.is_empty() && self.may(known);
            assert_eq!(self.turns.take(&tenant(one)), expected);
            if expected {
                self.known[one].held += 1;
                return;
            }
            self.names += 1;
            let number = self.turns.wait(&tenant(one), (one, self.names));
            self.numbers.insert(self.names, number);
            let known = &mut self.known[one];
            if known.waiting.is_empty() {
                known.since = self.step;
            }
            known.waiting.push(self.names);
        }

        /// Grants what there is to grant, each to whom it is due.
        fn serve(&mut self) {
            while let Some((one, name)) = self.turns.grant() {
                self.step += 1;
                let waiting = self.known.iter().enumerate();
                let next = waiting
                    .filter(|(_, it)| !it.waiting.is_empty() && self.may(it))
                    .min_by_key(|(_, it)| (it.held, it.since));
                assert_eq!(
                    next.map(|(next, _)| next),
                    Some(one),
                    "it is another's turn"
                );
                let known = &mut self.known[one];
                assert_eq!(known.waiting.remove(0), name, "another came before");
                known.held += 1;
                known.since = self.step;
            }
            let idle = |it: &&Known| !it.waiting.is_empty() && self.may(it);
            assert_eq!(
                self.known.iter().filter(idle).count(),
                0,
                "one waits in vain"
            );
            let open = self.known.iter();
            let open = open.filter(|it| it.held > 0 || !it.waiting.is_empty());
            assert_eq!(
                self.turns.tenants.len(),
                open.count(),
                "others are forgotten"
            );
        }
    }

    #[test]
    fn whatever_happens_permits_go_to_whom_they_are_due() {
        for seed in 0..500 {
            let mut chance = seed;
            let mut game = Game::new(&mut chance);
            for _ in 0..300 {
                game.play(&mut chance);
            }
            // In the end all get what they wait for.
            while game.known.iter().any(|it| it.held > 0) {
                for one in 0..game.known.len() {
                    if game.known[one].held > 0 {
                        game.turns.give_back(&tenant(one));
                        game.known[one].held -= 1;
                        game.serve();
                    }
                }
            }
            assert!(game.known.iter().all(|it| it.waiting.is_empty()), "{seed}");
            assert_eq!(game.turns.free, game.all, "{seed}");
        }
    }

    #[test]
    fn two_tenants_do_not_hold_all_and_do_not_come_before_one_that_holds_none() {
        let mut turns = Turns::new(512, 256);
        let (flood, deluge, calm) = (tenant(0), tenant(1), tenant(2));
        let mut held = [0; 2];
        for (count, tenant) in held.iter_mut().zip([&flood, &deluge]) {
            while turns.take(tenant) {
                *count += 1;
            }
            for _ in 0..1000 {
                turns.wait(tenant, tenant.clone());
            }
        }
        assert_eq!(held, [256, 224], "one of sixteen is kept");
        assert!(turns.take(&calm), "one that holds none has one at once");
        for _ in 0..10 {
            turns.wait(&calm, calm.clone());
        }
        assert!(turns.grant().is_none(), "the others are kept as well");
        for _ in 0..20 {
            turns.give_back(&flood);
        }
        let granted: Vec<_> = std::iter::from_fn(|| turns.grant()).collect();
        assert_eq!(
            granted[..10],
            vec![calm; 10],
            "it comes before those that hold many"
        );
        assert_eq!(
            granted[10..],
            vec![deluge; 9],
            "who holds fewer, where both hold many"
        );
    }

    #[test]
    fn where_one_tenant_may_hold_all_it_does() {
        for all in 1..40 {
            let mut turns = Turns::<()>::new(all, all);
            let taken = (0..100).filter(|_| turns.take(&tenant(0))).count();
            assert_eq!(taken, all);
        }
    }
}
