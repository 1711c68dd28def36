//! The rest of WASI, which guests of any toolchain import: it is there, and there is nothing in it. An
//! empty environment, no arguments, no files, no sockets; standard output and error go to the log.

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::{cli, filesystem, sockets};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};
use wasmtime_wasi_io::bindings::wasi::io;

use super::log::Stream;
use super::{Moments, Preparation};
use crate::outcome::LogLevel;
use crate::state::State;
use crate::{GrantError, GrantSpec};

/// The capability.
pub(crate) struct Inert;

impl Moments for Inert {
    const INTERFACES: &'static [&'static str] = &[
        "wasi:cli/environment",
        "wasi:cli/exit",
        "wasi:cli/stderr",
        "wasi:cli/stdin",
        "wasi:cli/stdout",
        "wasi:cli/terminal-input",
        "wasi:cli/terminal-output",
        "wasi:cli/terminal-stderr",
        "wasi:cli/terminal-stdin",
        "wasi:cli/terminal-stdout",
        "wasi:filesystem/preopens",
        "wasi:filesystem/types",
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
        "wasi:sockets/instance-network",
        "wasi:sockets/ip-name-lookup",
        "wasi:sockets/network",
        "wasi:sockets/tcp",
        "wasi:sockets/tcp-create-socket",
        "wasi:sockets/udp",
        "wasi:sockets/udp-create-socket",
    ];
    type Granted = ();
    type Prepared = WasiCtx;

    fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
        io::error::add_to_linker::<State, Io>(linker, |state| &mut state.table)?;
        io::poll::add_to_linker::<State, Io>(linker, |state| &mut state.table)?;
        io::streams::add_to_linker::<State, Io>(linker, |state| &mut state.table)?;

        cli::environment::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::exit::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::stderr::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::terminal_input::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::terminal_output::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::terminal_stderr::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::terminal_stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::terminal_stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;

        filesystem::preopens::add_to_linker::<State, WasiFilesystem>(linker, State::filesystem)?;
        filesystem::types::add_to_linker::<State, WasiFilesystem>(linker, State::filesystem)?;

        let options = sockets::network::LinkOptions::default();
        sockets::instance_network::add_to_linker::<State, WasiSockets>(linker, State::sockets)?;
        sockets::ip_name_lookup::add_to_linker::<State, WasiSockets>(linker, State::sockets)?;
        sockets::network::add_to_linker::<State, WasiSockets>(linker, &options, State::sockets)?;
        sockets::tcp::add_to_linker::<State, WasiSockets>(linker, State::sockets)?;
        sockets::tcp_create_socket::add_to_linker::<State, WasiSockets>(linker, State::sockets)?;
        sockets::udp::add_to_linker::<State, WasiSockets>(linker, State::sockets)?;
        sockets::udp_create_socket::add_to_linker::<State, WasiSockets>(linker, State::sockets)
    }

    fn configure(_: &GrantSpec) -> Result<(), GrantError> {
        Ok(())
    }

    fn prepare((): &(), call: &Preparation<'_>) -> WasiCtx {
        let stream = |level, name| Stream {
            journal: call.journal.clone(),
            level,
            name,
        };
        let mut builder = WasiCtx::builder();
        builder
            .stdout(stream(LogLevel::Debug, "stdout"))
            .stderr(stream(LogLevel::Warn, "stderr"))
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        builder.build()
    }
}

/// Streams and polling work on the table of resources alone.
struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}
