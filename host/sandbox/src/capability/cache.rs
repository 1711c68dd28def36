//! `baton:connector/cache`: a memory from one call to the next, of one connector and one tenant, on this host.
//!
//! It is kept with the grant, so that it is forgotten when the grant changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::component::{HasData, Linker};
use zeroize::Zeroizing;

use super::{Moments, Preparation};
use crate::bindings::baton::connector::cache;
use crate::limits::{
    CACHE_BYTES_MAX, CACHE_ENTRY_BYTES, CACHE_KEY_BYTES_MAX, CACHE_TTL_MAX, CACHE_VALUE_BYTES_MAX,
};
use crate::state::State;
use crate::{GrantError, GrantSpec};

/// The capability.
pub(crate) struct Cache;

/// The memory of a connector. What is in it may be a token: it is wiped when it is given up.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    by_key: HashMap<String, Entry>,
    bytes: usize,
    /// Counts the uses, to tell which entry was used the longest ago.
    clock: u64,
}

struct Entry {
    value: Zeroizing<String>,
    until: Instant,
    used: u64,
}

/// The memory, as a call has it.
pub(crate) struct Remembered {
    memory: Arc<Memory>,
    used: bool,
}

impl Remembered {
    /// Whether the call has read it. What it found may be gone next time.
    pub(crate) fn is_used(&self) -> bool {
        self.used
    }
}

impl Moments for Cache {
    const INTERFACES: &'static [&'static str] = &["baton:connector/cache"];
    type Granted = Arc<Memory>;
    type Prepared = Remembered;

    fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
        cache::add_to_linker::<State, Self>(linker, |state| &mut state.capabilities.cache)
    }

    fn configure(_: &GrantSpec) -> Result<Arc<Memory>, GrantError> {
        Ok(Arc::default())
    }

    fn prepare(granted: &Arc<Memory>, _: &Preparation<'_>) -> Remembered {
        Remembered {
            memory: Arc::clone(granted),
            used: false,
        }
    }
}

impl HasData for Cache {
    type Data<'a> = &'a mut Remembered;
}

impl cache::Host for Remembered {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        self.used = true;
        Ok(self.memory.get(&key, Instant::now()))
    }

    fn set(&mut self, key: String, value: String, ttl: u64) -> wasmtime::Result<()> {
        let ttl = Duration::from_millis(ttl).min(CACHE_TTL_MAX);
        self.memory.set(key, value, Instant::now(), ttl);
        Ok(())
    }
}

impl Memory {
    fn get(&self, key: &str, now: Instant) -> Option<String> {
        let mut entries = self.lock();
        entries.clock += 1;
        let clock = entries.clock;
        let entry = entries.by_key.get_mut(key)?;
        if entry.until <= now {
            entries.remove(key);
            return None;
        }
        entry.used = clock;
        Some(String::clone(&entry.value))
    }

    fn set(&self, key: String, value: String, now: Instant, ttl: Duration) {
        let value = Zeroizing::new(value);
        let mut entries = self.lock();
        entries.remove(&key);
        if key.len() > CACHE_KEY_BYTES_MAX || value.len() > CACHE_VALUE_BYTES_MAX || ttl.is_zero() {
            return;
        }
        entries.clock += 1;
        entries.bytes += cost(&key, &value);
        let entry = Entry {
            value,
            until: now + ttl,
            used: entries.clock,
        };
        entries.by_key.insert(key, entry);
        entries.make_room(now);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.by_key.remove(key) {
            self.bytes -= cost(key, &entry.value);
        }
    }

    /// Takes away what has expired, and then what was used the longest ago, until the rest fits.
    fn make_room(&mut self, now: Instant) {
        while self.bytes > CACHE_BYTES_MAX {
            let least = self
                .by_key
                .iter()
                .min_by_key(|(_, entry)| (entry.until > now, entry.used))
                .map(|(key, _)| key.clone());
            match least {
                Some(key) => self.remove(&key),
                None => return,
            }
        }
    }
}

/// What an entry counts for, in bytes.
fn cost(key: &str, value: &str) -> usize {
    key.len() + value.len() + CACHE_ENTRY_BYTES
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn what_was_put_is_there_until_its_time_is_over() {
        let (memory, now) = (Memory::default(), Instant::now());
        memory.set("a".into(), "1".into(), now, HOUR);
        assert_eq!(memory.get("a", now).as_deref(), Some("1"));
        assert_eq!(memory.get("b", now), None);
        memory.set("a".into(), "2".into(), now, HOUR);
        assert_eq!(memory.get("a", now).as_deref(), Some("2"));
        assert_eq!(memory.get("a", now + HOUR), None);
        assert_eq!(memory.lock().bytes, 0);
    }

    #[test]
    fn what_is_too_large_is_not_kept_and_forgets_what_was_there() {
        let (memory, now) = (Memory::default(), Instant::now());
        memory.set("a".into(), "1".into(), now, HOUR);
        memory.set("a".into(), "x".repeat(CACHE_VALUE_BYTES_MAX + 1), now, HOUR);
        memory.set("k".repeat(CACHE_KEY_BYTES_MAX + 1), "1".into(), now, HOUR);
        assert_eq!(memory.get("a", now), None);
        assert!(memory.lock().by_key.is_empty());
    }

    #[test]
    fn the_one_that_was_used_the_longest_ago_makes_room() {
        let (memory, now) = (Memory::default(), Instant::now());
        let large = "x".repeat(CACHE_VALUE_BYTES_MAX);
        let count = CACHE_BYTES_MAX / CACHE_VALUE_BYTES_MAX;
        for number in 0..count {
            memory.set(number.to_string(), large.clone(), now, HOUR);
            memory.get("0", now);
        }
        assert!(memory.get("0", now).is_some());
        assert_eq!(memory.get("1", now), None);
        assert!(memory.lock().bytes <= CACHE_BYTES_MAX);
    }

    #[test]
    fn entries_count_for_more_than_what_is_in_them() {
        let (memory, now) = (Memory::default(), Instant::now());
        let most = CACHE_BYTES_MAX / CACHE_ENTRY_BYTES;
        for number in 0..2 * most {
            memory.set(number.to_string(), String::new(), now, HOUR);
        }
        assert!(memory.lock().by_key.len() <= most);
    }
}
