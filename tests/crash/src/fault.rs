//! Writes that fail: a library that is loaded into the host's process and stands before the C library's `pwrite`,
//! `fdatasync` and the like. It is compiled by `cc`.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// The library, and the file by which it is told what to do.
#[derive(Debug)]
pub struct Fault {
    folder: TempDir,
}

impl Fault {
    /// Compiles it.
    ///
    /// # Panics
    ///
    /// When there is no C compiler, or it fails.
    pub fn build() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let source = folder.path().join("fault.c");
        std::fs::write(&source, include_str!("fault.c")).expect("a new file can be written");
        let fault = Self { folder };
        let status = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(fault.library())
            .arg(&source)
            .arg("-ldl")
            .status()
            .expect("there is a C compiler, as `cc`");
        assert!(status.success(), "the C compiler takes the library");
        fault
    }

    /// The program, and its arguments, by which a host is started with the library in it.
    pub fn program(&self) -> Vec<String> {
        vec![
            "/usr/bin/env".to_owned(),
            format!("LD_PRELOAD={}", self.library().display()),
            format!("FAULT_CONTROL={}", self.control().display()),
        ]
    }

    /// Lets so many of a hundred operations on the store fail; none with 0.
    ///
    /// # Panics
    ///
    /// When the temporary directory can't be written.
    pub fn set(&self, percent: u8) {
        // Whole from one moment to the next: it is read all the time.
        let new = self.folder.path().join("new");
        std::fs::write(&new, percent.to_string()).expect("a new file can be written");
        std::fs::rename(&new, self.control()).expect("it can be renamed");
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("fault.so")
    }

    fn control(&self) -> PathBuf {
        self.folder.path().join("control")
    }
}
