//! Processes of the machine: what an operator turns on, and for whom.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use baton_engine::TenantId;
use baton_sandbox::process::{ProcessLimits, ProcessRules, User};
use clap::Args;
use serde::Deserialize;

use crate::failure::Failure;

/// The command that makes this program the supervisor of a process. The host's own, and no command of the
/// command line.
pub(crate) const SUPERVISE: &str = "__supervise";

/// The connectors that run what a shell could run: commands, and MCP servers on standard input and output.
const SHELL: [&str; 2] = ["shell", "mcp"];

/// The connectors that run containers.
const CONTAINER: [&str; 1] = ["container"];

/// Where programs are looked up by default.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What of the host's environment the command line of a container engine needs to find its engine.
const ENGINE_ENVIRONMENT: [&str; 6] = [
    "CONTAINER_HOST",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_HOST",
    "DOCKER_TLS_VERIFY",
    "XDG_RUNTIME_DIR",
];

/// The part `[processes]` of the configuration: which tenants may run processes of the machine, and how those run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Processes {
    /// The tenants with `run: shell`, and with MCP servers on standard input and output. Default: none.
    pub(crate) shell: Vec<TenantName>,
    /// The tenants with `run: container`. Default: none.
    pub(crate) container: Vec<TenantName>,
    /// Whom commands run as: a name, or UID:GID. Default: `nobody` where the host runs as root, else the host's own
    /// user. The command line of the container engine runs as the host's own user, which the engine knows.
    pub(crate) user: Option<User>,
    /// Where programs are looked up. Default: the usual folders.
    pub(crate) path: Option<String>,
    /// The folder in which each process gets an empty one. Default: that of temporary files.
    pub(crate) folder: Option<PathBuf>,
    /// How many seconds a process may compute. Default: 60.
    pub(crate) cpu: Option<u32>,
    /// How much memory each may write to, in MiB. Default: 1024.
    pub(crate) memory_mib: Option<u32>,
    /// How many files each may have open. Default: 256.
    pub(crate) files: Option<u32>,
    /// How many processes the user may have. Default: 256.
    pub(crate) processes: Option<u32>,
    /// How large a file may be that one writes, in MiB. Default: 64.
    pub(crate) file_size_mib: Option<u32>,
    /// How much one may write to each of its outputs, in MiB. Default: 4.
    pub(crate) output_mib: Option<u32>,
}

/// A tenant, as the configuration names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct TenantName(pub(crate) TenantId);

impl TryFrom<String> for TenantName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        TenantId::new(&text)
            .map(Self)
            .map_err(|error| format!("`{text}` is no name of a tenant: {error}"))
    }
}

/// The flags that turn processes on, on a host for its user alone.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Grants")]
pub(crate) struct ProcessFlags {
    /// Let workflows run shell commands on this machine, outside of the sandbox
    #[arg(long)]
    pub(crate) allow_shell: bool,

    /// Let workflows run containers by the `docker` or `podman` of this machine
    #[arg(long)]
    pub(crate) allow_container: bool,

    /// Where the programs of such processes are looked up: folders, with `:` between them
    #[arg(long, value_name = "FOLDERS")]
    pub(crate) process_path: Option<String>,
}

impl ProcessFlags {
    /// The settings that mean the same, for the tenant `default`.
    pub(crate) fn settings(&self) -> Processes {
        let tenants = |is_allowed: bool| match is_allowed {
            true => vec![TenantName(TenantId::default())],
            false => Vec::new(),
        };
        Processes {
            shell: tenants(self.allow_shell),
            container: tenants(self.allow_container),
            path: self.process_path.clone(),
            ..Processes::default()
        }
    }
}

/// What may be run, by tenant and connector.
pub(crate) type Allowed = BTreeMap<(TenantId, String), Arc<ProcessRules>>;

impl Processes {
    /// What the settings allow.
    ///
    /// # Errors
    ///
    /// On a system where there are no processes for connectors.
    pub(crate) fn allowed(&self) -> Result<Allowed, Failure> {
        if self.shell.is_empty() && self.container.is_empty() {
            return Ok(Allowed::new());
        }
        if !cfg!(target_os = "linux") {
            return Err(Failure::invalid(
                "shell commands and containers can be turned on only where the host runs on Linux",
            ));
        }
        let shell = Arc::new(self.rules(self.user.or_else(other_than_root), Vec::new(), true));
        let environment = ENGINE_ENVIRONMENT.iter().filter_map(|name| {
            let value = std::env::var(name).ok()?;
            Some(((*name).to_owned(), value))
        });
        let container = Arc::new(self.rules(None, environment.collect(), false));
        let shell = granted(&self.shell, &SHELL, &shell);
        Ok(shell
            .chain(granted(&self.container, &CONTAINER, &container))
            .collect())
    }

    fn rules(
        &self,
        user: Option<User>,
        environment: Vec<(String, String)>,
        is_bounded: bool,
    ) -> ProcessRules {
        let defaults = ProcessLimits::default();
        let mib = |given: Option<u32>| given.map(|mib| u64::from(mib) << 20);
        ProcessRules {
            // The program that is running, even where its file has been replaced.
            supervisor: vec!["/proc/self/exe".into(), SUPERVISE.into()],
            user,
            search_path: self.path.clone().unwrap_or_else(|| SEARCH_PATH.to_owned()),
            folder: self.folder.clone().unwrap_or_else(std::env::temp_dir),
            environment,
            limits: ProcessLimits {
                cpu: self
                    .cpu
                    .map_or(defaults.cpu, |seconds| Duration::from_secs(seconds.into())),
                // What a container takes is for the engine to bound, not for its command line.
                memory: mib(self.memory_mib)
                    .or(defaults.memory)
                    .filter(|_| is_bounded),
                files: self.files.map_or(defaults.files, u64::from),
                processes: self.processes.map_or(defaults.processes, u64::from),
                file_size: mib(self.file_size_mib).unwrap_or(defaults.file_size),
                output: mib(self.output_mib).unwrap_or(defaults.output),
            },
        }
    }
}

/// Somebody without rights, where this program has them all.
fn other_than_root() -> Option<User> {
    #[cfg(target_os = "linux")]
    if rustix::process::geteuid().is_root() {
        return Some(User::NOBODY);
    }
    None
}

fn granted<'a>(
    tenants: &'a [TenantName],
    connectors: &'a [&'a str],
    rules: &'a Arc<ProcessRules>,
) -> impl Iterator<Item = ((TenantId, String), Arc<ProcessRules>)> + 'a {
    tenants.iter().flat_map(move |tenant| {
        connectors
            .iter()
            .map(move |name| ((tenant.0.clone(), (*name).to_owned()), Arc::clone(rules)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &str) -> Vec<String> {
        let processes: Processes = toml::from_str(text).expect("it is right");
        let allowed = processes.allowed().expect("tests run on Linux");
        let names = allowed.keys();
        names
            .map(|(tenant, connector)| format!("{tenant}/{connector}"))
            .collect()
    }

    #[test]
    fn nothing_is_on_by_default() {
        assert_eq!(allowed(""), [""; 0]);
        assert_eq!(allowed("user = 'nobody'"), [""; 0]);
    }

    #[test]
    fn each_is_on_for_the_tenants_that_are_named() {
        assert_eq!(
            allowed("shell = ['a', 'b']\ncontainer = ['b']"),
            ["a/mcp", "a/shell", "b/container", "b/mcp", "b/shell"]
        );
    }

    #[test]
    fn commands_never_run_as_root() {
        let error = toml::from_str::<Processes>("user = 'root'").expect_err("root is refused");
        assert!(error.message().contains("do not run as root"), "{error}");
    }

    #[test]
    fn limits_have_units_in_their_names() {
        let text = "shell = ['a']\ncpu = 5\nmemory-mib = 2\noutput-mib = 1\nfile-size-mib = 3";
        let processes: Processes = toml::from_str(text).expect("it is right");
        let allowed = processes.allowed().expect("tests run on Linux");
        let expected = ProcessLimits {
            cpu: Duration::from_secs(5),
            memory: Some(2 << 20),
            output: 1 << 20,
            file_size: 3 << 20,
            ..ProcessLimits::default()
        };
        assert!(allowed.values().all(|rules| rules.limits == expected));
    }
}
