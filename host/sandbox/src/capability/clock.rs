//! WASI's clocks: the time, and waiting for it. A call that asks either is impure.

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::clocks::{WasiClocksCtxView, WasiClocksView as _};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};

use super::{Moments, Preparation};
use crate::state::State;
use crate::{GrantError, GrantSpec};

/// The capability.
pub(crate) struct Clock;

/// Whether a call has asked for the time.
#[derive(Default)]
pub(crate) struct Asked(bool);

impl Asked {
    pub(crate) fn is_used(&self) -> bool {
        self.0
    }
}

impl Moments for Clock {
    const INTERFACES: &'static [&'static str] =
        &["wasi:clocks/wall-clock", "wasi:clocks/monotonic-clock"];
    type Granted = ();
    type Prepared = Asked;

    fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
        wall_clock::add_to_linker::<State, Self>(linker, view)?;
        monotonic_clock::add_to_linker::<State, Self>(linker, view)
    }

    fn configure(_: &GrantSpec) -> Result<(), GrantError> {
        Ok(())
    }

    fn prepare((): &(), _: &Preparation<'_>) -> Asked {
        Asked::default()
    }
}

impl HasData for Clock {
    type Data<'a> = View<'a>;
}

/// WASI's own clocks, and a note that they were asked.
pub(crate) struct View<'a>(&'a mut State);

fn view(state: &mut State) -> View<'_> {
    View(state)
}

impl View<'_> {
    fn asked(&mut self) -> WasiClocksCtxView<'_> {
        self.0.capabilities.clock.0 = true;
        self.0.clocks()
    }
}

impl wall_clock::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        wall_clock::Host::now(&mut self.asked())
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        wall_clock::Host::resolution(&mut self.asked())
    }
}

impl monotonic_clock::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        monotonic_clock::Host::now(&mut self.asked())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        monotonic_clock::Host::resolution(&mut self.asked())
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.asked().subscribe_instant(when)
    }

    fn subscribe_duration(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.asked().subscribe_duration(when)
    }
}
