//! What the host tells a supervisor: the arguments of its command line, and variables for the program.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::{ProcessRules, User};

/// A program to run, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Orders {
    /// The process that must be alive: the host.
    pub(crate) host: u32,
    /// Whom the program runs as; none for whom the supervisor runs as.
    pub(crate) user: Option<User>,
    /// The folder in which it gets an empty one.
    pub(crate) folder: PathBuf,
    /// Its limits: seconds, bytes, files, processes, bytes.
    pub(crate) cpu: u64,
    pub(crate) memory: Option<u64>,
    pub(crate) files: u64,
    pub(crate) processes: u64,
    pub(crate) file_size: u64,
    /// The program, and its arguments.
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
}

/// What stands before the name of a variable on its way through the supervisor. The supervisor runs as the host does,
/// root perhaps, and variables have power over a program before its first line: the loader takes code from
/// `LD_PRELOAD`. Under names of this kind they have none.
const FOR_THE_PROGRAM: &str = "baton:";

/// The variable of the supervisor that stands for one of the program.
pub(crate) fn for_the_program(variable: &str) -> String {
    format!("{FOR_THE_PROGRAM}{variable}")
}

/// The variables of the program, as a supervisor finds them among its own.
pub(crate) fn of_the_program(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> impl Iterator<Item = (OsString, OsString)> {
    let prefix = FOR_THE_PROGRAM.as_bytes();
    variables.into_iter().filter_map(move |(name, value)| {
        let name = name.as_bytes().strip_prefix(prefix)?;
        Some((OsStr::from_bytes(name).to_owned(), value))
    })
}

/// What stands for nothing.
const NONE: &str = "-";

impl Orders {
    pub(crate) fn new(
        host: u32,
        rules: &ProcessRules,
        program: PathBuf,
        arguments: Vec<OsString>,
    ) -> Self {
        let limits = &rules.limits;
        Self {
            host,
            user: rules.user,
            folder: rules.folder.clone(),
            cpu: limits.cpu.as_secs().max(1),
            memory: limits.memory,
            files: limits.files,
            processes: limits.processes,
            file_size: limits.file_size,
            program,
            arguments,
        }
    }

    /// The orders as arguments.
    pub(crate) fn write(&self) -> Vec<OsString> {
        let user = self.user.map_or_else(|| NONE.to_owned(), String::from);
        let memory = self
            .memory
            .map_or_else(|| NONE.to_owned(), |it| it.to_string());
        let mut written: Vec<OsString> = [
            self.host.to_string(),
            user,
            self.cpu.to_string(),
            memory,
            self.files.to_string(),
            self.processes.to_string(),
            self.file_size.to_string(),
        ]
        .map(OsString::from)
        .into();
        written.push(self.folder.clone().into());
        written.push(self.program.clone().into());
        written.extend(self.arguments.iter().cloned());
        written
    }

    /// Reads orders back; none where they are not such.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let mut text = || arguments.next()?.into_string().ok();
        let optional = |text: &str| (text != NONE).then(|| text.to_owned());
        Some(Self {
            host: text()?.parse().ok()?,
            user: match optional(&text()?) {
                Some(user) => Some(user.parse().ok()?),
                None => None,
            },
            cpu: text()?.parse().ok()?,
            memory: match optional(&text()?) {
                Some(bytes) => Some(bytes.parse().ok()?),
                None => None,
            },
            files: text()?.parse().ok()?,
            processes: text()?.parse().ok()?,
            file_size: text()?.parse().ok()?,
            folder: arguments.next()?.into(),
            program: arguments.next()?.into(),
            arguments: arguments.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_program_are_told_from_the_supervisors() {
        let variables = [
            ("PATH", "/of/the/supervisor"),
            ("baton:PATH", "/bin"),
            ("baton:baton:X", "1"),
        ]
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let found: Vec<_> = of_the_program(variables).collect();
        let expected =
            [("PATH", "/bin"), ("baton:X", "1")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(found, expected);
        assert_eq!(for_the_program("LD_PRELOAD"), "baton:LD_PRELOAD");
    }

    #[test]
    fn orders_are_read_as_they_were_written() {
        for (user, memory) in [(None, None), (Some(User::NOBODY), Some(1 << 30))] {
            let orders = Orders {
                host: 1,
                user,
                folder: "/tmp".into(),
                cpu: 60,
                memory,
                files: 256,
                processes: 64,
                file_size: 1 << 20,
                program: "/bin/sh".into(),
                arguments: vec!["-c".into(), "echo $1".into(), String::new().into()],
            };
            assert_eq!(Orders::read(orders.write()), Some(orders));
        }
        assert_eq!(Orders::read(["1".into(), "-".into()]), None);
        assert_eq!(Orders::read([]), None);
    }
}
