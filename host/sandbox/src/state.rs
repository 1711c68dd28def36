//! What a store holds: the capabilities of one call, and its bounds while it runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, UpdateDeadline};
use wasmtime_wasi::{WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use crate::Limits;
use crate::capability::Prepared;
use crate::limits::{
    CORE_INSTANCES_MAX, MEMORIES_MAX, RESOURCES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX, TICK,
};
use crate::meter::Meter;
use crate::quota::Renewals;

/// The data of a store.
pub(crate) struct State {
    pub(crate) table: ResourceTable,
    pub(crate) capabilities: Prepared,
    pub(crate) bounds: Bounds,
}

/// The bounds of a running call, and the first one that it met.
pub(crate) struct Bounds {
    limits: Limits,
    deadline: Instant,
    meter: Arc<Meter>,
    /// What had been computed when the bounds last began anew.
    spent: Duration,
    renewals: Renewals,
    memory: usize,
    memory_peak: usize,
    exceeded: Option<Exceeded>,
}

/// A bound that a call met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Memory,
    Table,
    Time,
    Cpu,
}

impl State {
    pub(crate) fn new(capabilities: Prepared, bounds: Bounds) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        Self {
            table,
            capabilities,
            bounds,
        }
    }
}

impl Bounds {
    pub(crate) fn new(
        limits: Limits,
        deadline: Instant,
        meter: Arc<Meter>,
        renewals: Renewals,
    ) -> Self {
        Self {
            limits,
            deadline,
            meter,
            spent: Duration::ZERO,
            renewals,
            memory: 0,
            memory_peak: 0,
            exceeded: None,
        }
    }

    /// The bounds of what is computed and of what comes in begin anew.
    pub(crate) fn renew(&mut self) {
        self.spent = self.meter.spent();
        self.renewals.renew();
    }

    /// The bytes of all linear memories now.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    /// The most bytes that all linear memories had together.
    pub(crate) fn memory_peak(&self) -> usize {
        self.memory_peak
    }

    /// The last bound that the call met.
    pub(crate) fn exceeded(&self) -> Option<Exceeded> {
        self.exceeded
    }

    /// At every tick of the engine while the guest computes: ends it, or lets others have the thread, where it has
    /// computed for a while. It has not where the tick came soon after it began, or others had the processor.
    pub(crate) fn tick(&mut self) -> UpdateDeadline {
        if self.meter.spent() > self.spent + self.limits.cpu {
            self.exceeded = Some(Exceeded::Cpu);
            return UpdateDeadline::Interrupt;
        }
        if Instant::now() >= self.deadline {
            self.exceeded = Some(Exceeded::Time);
            return UpdateDeadline::Interrupt;
        }
        match self.meter.at_a_stretch() < TICK / 2 {
            true => UpdateDeadline::Continue(1),
            false => UpdateDeadline::Yield(1),
        }
    }
}

impl ResourceLimiter for Bounds {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.limits.memory {
            self.exceeded = Some(Exceeded::Memory);
            return Ok(false);
        }
        // What is above the memory's own maximum fails without being counted.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.memory = total;
        self.memory_peak = self.memory_peak.max(total);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS_MAX {
            self.exceeded = Some(Exceeded::Table);
            return Ok(false);
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.capabilities.inert,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.capabilities.http.view(&mut self.table)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_tick_lets_others_have_the_thread_of_who_has_had_it_for_a_while() {
        let meter = Arc::new(Meter::new());
        let deadline = Instant::now() + Duration::from_secs(3600);
        let limits = Limits::default();
        let mut bounds = Bounds::new(limits, deadline, meter.clone(), Renewals::default());
        let ticks = meter.run(async {
            let at_once = bounds.tick();
            while meter.at_a_stretch() < TICK / 2 {
                std::hint::spin_loop();
            }
            (at_once, bounds.tick())
        });
        let (at_once, later) = ticks.await;
        assert!(matches!(at_once, UpdateDeadline::Continue(1)));
        assert!(matches!(later, UpdateDeadline::Yield(1)));
    }
}
