//! The WebAssembly engine: how it compiles, and how much it sets aside.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
};

use crate::limits::{
    CORE_INSTANCES_MAX, HOST_STACK_BYTES, MEMORIES_MAX, STACK_BYTES, TABLE_ELEMENTS_MAX,
    TABLES_MAX, TICK,
};
use crate::runtime::Purpose;

/// How many bytes of an instance's memory are made what they were by hand when it ends, rather than given back to the
/// kernel and faulted in again, which interrupts all processors: of those pages that were touched, where the kernel says
/// which (Linux 6.7). It is more than a call of `http` touches.
const MEMORY_KEPT_BYTES: usize = 512 << 10;

/// The same where it does not say: the first bytes, touched or not. Small connectors touch about this much.
const MEMORY_KEPT_BLINDLY_BYTES: usize = 128 << 10;

/// The same for tables.
const TABLE_KEPT_BYTES: usize = 16 << 10;

/// How many free slots stay as they are for the next instance of the same component. Times the bytes kept,
/// this is the memory of an idle host.
const WARM_SLOTS_MAX: u32 = 64;

/// Makes an engine with room for this many component instances at once.
pub(crate) fn engine(purpose: Purpose, instances: u32) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances)))
        .epoch_interruption(true)
        .consume_fuel(purpose == Purpose::Expressions)
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(STACK_BYTES + HOST_STACK_BYTES)
        .cranelift_opt_level(OptLevel::Speed)
        // Nobody debugs in the host, and each of these costs room in every compiled component.
        .native_unwind_info(false)
        // The same inputs give the same results on every processor, so that a pure call can be made again.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        // What no toolchain for components emits, and what would need memory that the limits do not count.
        .gc_support(false)
        .wasm_memory64(false)
        .wasm_threads(false)
        .shared_memory(false);
    Engine::new(&config)
}

fn pool(instances: u32) -> PoolingAllocationConfig {
    let [core_instances, memories, tables] = [CORE_INSTANCES_MAX, MEMORIES_MAX, TABLES_MAX]
        .map(|most| u32::try_from(most).unwrap_or(u32::MAX));
    let memory_kept = match PoolingAllocationConfig::is_pagemap_scan_available() {
        true => MEMORY_KEPT_BYTES,
        false => MEMORY_KEPT_BLINDLY_BYTES,
    };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_stacks(instances)
        // For each as many as it may have: with less, those who have the most would leave others without. All are slots
        // of address space that take no memory before they are used.
        .total_core_instances(instances.saturating_mul(core_instances))
        .total_memories(instances.saturating_mul(memories))
        .total_tables(instances.saturating_mul(tables))
        .total_gc_heaps(0)
        .max_core_instances_per_component(core_instances)
        .max_memories_per_component(memories)
        .max_tables_per_component(tables)
        .max_tables_per_module(tables)
        .table_elements(TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(memory_kept)
        .table_keep_resident(TABLE_KEPT_BYTES)
        .max_unused_warm_slots(WARM_SLOTS_MAX)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// The thread that moves the engine's epoch on. It ends with this value.
#[derive(Debug)]
pub(crate) struct Ticker {
    _stop: Sender<()>,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let engine = engine.weak();
        let (stop, stopped) = mpsc::channel::<()>();
        thread::Builder::new()
            .name("baton-ticker".to_owned())
            .spawn(move || {
                while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(TICK) {
                    match engine.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => return,
                    }
                }
            })?;
        Ok(Self { _stop: stop })
    }
}
