//! `wasi:random`: numbers that come from the call's identity, so that the same call sees the same again.

use sha2::{Digest, Sha256};
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

use super::{Moments, Preparation};
use crate::limits::RANDOM_BYTES_MAX;
use crate::state::State;
use crate::{GrantError, GrantSpec};

/// The capability.
pub(crate) struct Random;

/// The random numbers of a call: SHA-256 over the seed, the name of the interface and a counter. Chosen
/// over a generator of a library because it must give the same numbers in every release of the host; it
/// is unpredictable for who does not know the seed.
pub(crate) struct Numbers {
    seed: [u8; 32],
    secure: Stream,
    insecure: Stream,
}

struct Stream {
    name: &'static [u8],
    counter: u64,
    block: [u8; 32],
    left: usize,
}

impl Moments for Random {
    const INTERFACES: &'static [&'static str] = &[
        "wasi:random/random",
        "wasi:random/insecure",
        "wasi:random/insecure-seed",
    ];
    type Granted = ();
    type Prepared = Numbers;

    fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
        random::add_to_linker::<State, Self>(linker, |state| &mut state.capabilities.random)?;
        insecure::add_to_linker::<State, Self>(linker, |state| &mut state.capabilities.random)?;
        insecure_seed::add_to_linker::<State, Self>(linker, |state| &mut state.capabilities.random)
    }

    fn configure(_: &GrantSpec) -> Result<(), GrantError> {
        Ok(())
    }

    fn prepare((): &(), call: &Preparation<'_>) -> Numbers {
        Numbers::new(call.context.seed)
    }
}

impl HasData for Random {
    type Data<'a> = &'a mut Numbers;
}

impl Numbers {
    fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            secure: Stream::new(b"random"),
            insecure: Stream::new(b"insecure"),
        }
    }
}

impl Stream {
    fn new(name: &'static [u8]) -> Self {
        Self {
            name,
            counter: 0,
            block: [0; 32],
            left: 0,
        }
    }

    fn bytes(&mut self, seed: &[u8; 32], length: u64) -> wasmtime::Result<Vec<u8>> {
        if length > RANDOM_BYTES_MAX {
            wasmtime::bail!(
                "{length} random bytes were asked for, and there are {RANDOM_BYTES_MAX} at once at most"
            );
        }
        Ok((0..length).map(|_| self.byte(seed)).collect())
    }

    fn word(&mut self, seed: &[u8; 32]) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte(seed)))
    }

    fn byte(&mut self, seed: &[u8; 32]) -> u8 {
        if self.left == 0 {
            self.block = block(seed, self.name, self.counter);
            self.counter += 1;
            self.left = self.block.len();
        }
        self.left -= 1;
        self.block[self.left]
    }
}

fn block(seed: &[u8; 32], name: &[u8], counter: u64) -> [u8; 32] {
    Sha256::new()
        .chain_update(seed)
        .chain_update(counter.to_le_bytes())
        .chain_update(name)
        .finalize()
        .into()
}

impl random::Host for Numbers {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.secure.bytes(&self.seed, length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.secure.word(&self.seed))
    }
}

impl insecure::Host for Numbers {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.insecure.bytes(&self.seed, length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.insecure.word(&self.seed))
    }
}

impl insecure_seed::Host for Numbers {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        let mut stream = Stream::new(b"insecure-seed");
        Ok((stream.word(&self.seed), stream.word(&self.seed)))
    }
}

#[cfg(test)]
mod tests {
    use super::random::Host as _;
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_in_every_release() {
        let mut numbers = Numbers::new([7; 32]);
        let bytes = numbers.get_random_bytes(40).unwrap();
        assert_eq!(bytes, Numbers::new([7; 32]).get_random_bytes(40).unwrap());
        assert_ne!(bytes, Numbers::new([8; 32]).get_random_bytes(40).unwrap());
        assert_ne!(bytes[..32], numbers.get_random_bytes(32).unwrap());
        let known = Sha256::new()
            .chain_update([7; 32])
            .chain_update([0; 8])
            .chain_update("random")
            .finalize();
        assert!(bytes[..32].iter().eq(known.iter().rev()));
    }

    #[test]
    fn too_much_at_once_is_an_error() {
        assert!(Numbers::new([0; 32]).get_random_bytes(u64::MAX).is_err());
    }
}
