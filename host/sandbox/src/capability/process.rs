//! `baton:connector/process`: processes of the machine, where an operator has turned them on.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use baton_system::priority;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::{Child as TokioChild, Command as TokioCommand};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::pipe::{AsyncReadStream, AsyncWriteStream};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

use super::refusals::Refusals;
use super::{Capability, Moments, Preparation};
use crate::bindings::baton::connector::process::{self, Command, Error, Exit};
use crate::outcome::Refusal;
use crate::process::ProcessRules;
use crate::process::orders::{Orders, for_the_program};
use crate::state::State;
use crate::units::{show_bytes, show_duration};
use crate::{GrantError, GrantSpec};

/// How many bytes a guest may have written to a process that has not read them.
const INPUT_BYTES_MAX: usize = 64 << 10;

/// The capability.
pub(crate) struct Process;

/// The processes of a call.
pub(crate) struct Processes {
    rules: Option<Arc<ProcessRules>>,
    refusals: Refusals,
    used: bool,
}

impl Processes {
    /// Whether the call has started a process, or wanted to.
    pub(crate) fn is_used(&self) -> bool {
        self.used
    }

    /// What the call was refused.
    pub(crate) fn refusals(&self) -> Refusals {
        self.refusals.clone()
    }
}

impl Moments for Process {
    const INTERFACES: &'static [&'static str] = &["baton:connector/process"];
    /// No tenant can grant it: see [`crate::Grant::with_processes`].
    type Granted = Option<Arc<ProcessRules>>;
    type Prepared = Processes;

    fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
        process::add_to_linker::<State, Self>(linker, |state| View {
            table: &mut state.table,
            processes: &mut state.capabilities.process,
        })
    }

    fn configure(_: &GrantSpec) -> Result<Self::Granted, GrantError> {
        Ok(None)
    }

    fn prepare(granted: &Self::Granted, _: &Preparation<'_>) -> Processes {
        Processes {
            rules: granted.clone(),
            refusals: Refusals::default(),
            used: false,
        }
    }
}

/// What the functions work on.
pub(crate) struct View<'a> {
    table: &'a mut ResourceTable,
    processes: &'a mut Processes,
}

impl HasData for Process {
    type Data<'a> = View<'a>;
}

/// A process under way. Dropping it ends it.
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Child {
    child: TokioChild,
    output_max: u64,
    /// Whether it has written more than it may.
    overflowed: Arc<AtomicBool>,
    cpu: String,
}

impl process::Host for View<'_> {}

impl process::HostChild for View<'_> {
    async fn spawn(
        &mut self,
        command: Command,
    ) -> wasmtime::Result<Result<Resource<Child>, Error>> {
        self.processes.used = true;
        let Some(rules) = self.processes.rules.clone() else {
            return Ok(Err(self.refuse(&command.program)));
        };
        match start(&rules, command).await {
            Ok(child) => Ok(Ok(self.table.push(child)?)),
            Err(reason) => Ok(Err(Error::Failed(reason))),
        }
    }

    fn stdin(
        &mut self,
        this: Resource<Child>,
    ) -> wasmtime::Result<Option<Resource<DynOutputStream>>> {
        let stdin = self.table.get_mut(&this)?.child.stdin.take();
        let stream = stdin.map(|stdin| -> DynOutputStream {
            Box::new(AsyncWriteStream::new(INPUT_BYTES_MAX, stdin))
        });
        stream
            .map(|stream| Ok(self.table.push(stream)?))
            .transpose()
    }

    fn stdout(
        &mut self,
        this: Resource<Child>,
    ) -> wasmtime::Result<Option<Resource<DynInputStream>>> {
        let child = self.table.get_mut(&this)?;
        let stream = child.child.stdout.take().map(|it| child.bounded(it));
        stream
            .map(|stream| Ok(self.table.push(stream)?))
            .transpose()
    }

    fn stderr(
        &mut self,
        this: Resource<Child>,
    ) -> wasmtime::Result<Option<Resource<DynInputStream>>> {
        let child = self.table.get_mut(&this)?;
        let stream = child.child.stderr.take().map(|it| child.bounded(it));
        stream
            .map(|stream| Ok(self.table.push(stream)?))
            .transpose()
    }

    async fn wait(&mut self, this: Resource<Child>) -> wasmtime::Result<Exit> {
        let child = self.table.get_mut(&this)?;
        let status = child.child.wait().await?;
        Ok(child.exit(status))
    }

    fn kill(&mut self, this: Resource<Child>) -> wasmtime::Result<()> {
        self.table.get(&this)?.end();
        Ok(())
    }

    fn drop(&mut self, this: Resource<Child>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl View<'_> {
    /// Notes a refusal, and gives the error that tells the guest.
    fn refuse(&mut self, program: &str) -> Error {
        let reason = "processes run outside of the sandbox, and the operator has not turned them on for this tenant";
        self.processes.refusals.note(Refusal {
            capability: Capability::Process,
            request: format!("run {program}"),
            reason: reason.to_owned(),
            rule: None,
        });
        Error::Denied(reason.to_owned())
    }
}

impl Child {
    /// A stream of the process, up to what it may write.
    fn bounded(&self, stream: impl AsyncRead + Unpin + Send + 'static) -> DynInputStream {
        Box::new(AsyncReadStream::new(Bounded {
            stream,
            left: self.output_max,
            overflowed: Arc::clone(&self.overflowed),
            supervisor: self.supervisor(),
        }))
    }

    fn supervisor(&self) -> Option<Pid> {
        let id = self.child.id()?;
        Pid::from_raw(id.cast_signed())
    }

    /// Has the supervisor end the whole group.
    fn end(&self) {
        if let Some(supervisor) = self.supervisor() {
            // Where it has ended meanwhile, so has the group.
            let _ = kill_process(supervisor, Signal::TERM);
        }
    }

    fn exit(&self, status: std::process::ExitStatus) -> Exit {
        use std::os::unix::process::ExitStatusExt as _;
        if self.overflowed.load(Ordering::Relaxed) {
            return Exit::Limit(format!(
                "it wrote more than {} (`[processes] output` of the host's configuration)",
                show_bytes(self.output_max)
            ));
        }
        match status.signal() {
            Some(signal) if signal == Signal::XCPU.as_raw() => Exit::Limit(format!(
                "it computed longer than {} (`[processes] cpu` of the host's configuration)",
                self.cpu
            )),
            Some(signal) => Exit::Signal(signal),
            None => Exit::Code(status.code().unwrap_or_default()),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// A stream that ends, and with it the process, after so many bytes.
struct Bounded<T> {
    stream: T,
    left: u64,
    overflowed: Arc<AtomicBool>,
    supervisor: Option<Pid>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Bounded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        std::task::ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = (buffer.filled().len() - before) as u64;
        if read > self.left {
            let room = usize::try_from(self.left).unwrap_or(usize::MAX);
            buffer.set_filled(before + room);
            self.left = 0;
            if !self.overflowed.swap(true, Ordering::Relaxed)
                && let Some(supervisor) = self.supervisor
            {
                let _ = kill_process(supervisor, Signal::TERM);
            }
            return Poll::Ready(Ok(()));
        }
        self.left -= read;
        Poll::Ready(Ok(()))
    }
}

/// Starts a process by way of a supervisor, or says why not.
async fn start(rules: &ProcessRules, command: Command) -> Result<Child, String> {
    let program = find(&command.program, &rules.search_path)?;
    let arguments = command.arguments.into_iter().map(Into::into).collect();
    let orders = Orders::new(std::process::id(), rules, program, arguments);
    let own = [("PATH", rules.search_path.as_str()), ("LANG", "C.UTF-8")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    // Of a name that comes twice, the last counts.
    let environment = rules
        .environment
        .iter()
        .cloned()
        .chain(command.environment)
        .chain(own);
    let (supervisor, first) = rules
        .supervisor
        .split_first()
        .ok_or("the host has no supervisor for processes")?;
    let mut spawned = TokioCommand::new(supervisor);
    spawned
        .args(first)
        .args(orders.write())
        .env_clear()
        .envs(environment.map(|(name, value)| (for_the_program(&name), value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = spawn(spawned).await?;
    Ok(Child {
        child,
        output_max: rules.limits.output,
        overflowed: Arc::default(),
        cpu: show_duration(rules.limits.cpu),
    })
}

/// Looks a program up.
fn find(program: &str, search_path: &str) -> Result<PathBuf, String> {
    if program.contains('/') {
        let path = Path::new(program);
        let missing = || format!("there is no program {program} on the host's machine");
        return path.is_file().then(|| path.to_owned()).ok_or_else(missing);
    }
    let found = search_path
        .split(':')
        .map(|folder| Path::new(folder).join(program))
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        format!(
            "there is no program `{program}` on the host's machine (looked for in {search_path})"
        )
    })
}

/// What the thread that starts processes is asked.
struct Request {
    command: TokioCommand,
    runtime: Handle,
    answer: oneshot::Sender<io::Result<TokioChild>>,
}

/// Starts a process on a thread that lives as long as the host: the kernel tells a supervisor of the end of
/// the thread that has started it.
async fn spawn(command: TokioCommand) -> Result<TokioChild, String> {
    static THREAD: OnceLock<Mutex<Sender<Request>>> = OnceLock::new();
    let requests = THREAD.get_or_init(|| {
        let (requests, received) = channel::<Request>();
        std::thread::Builder::new()
            .name("processes".to_owned())
            .spawn(move || {
                // All programs begin with its priority, and it with that of whichever thread starts it.
                priority::reset();
                for mut request in received {
                    let _runtime = request.runtime.enter();
                    // Who asked may be gone; the process then ends with the handle.
                    let _ = request.answer.send(request.command.spawn());
                }
            })
            .map(drop)
            .expect("the host has started with more threads than this one");
        Mutex::new(requests)
    });
    let (answer, answered) = oneshot::channel();
    let request = Request {
        command,
        runtime: Handle::current(),
        answer,
    };
    let gone = || "the thread that starts processes is gone".to_owned();
    requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send(request)
        .map_err(|_| gone())?;
    let child = answered.await.map_err(|_| gone())?;
    child.map_err(|error| format!("the supervisor of processes cannot be started: {error}"))
}
