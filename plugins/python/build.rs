//! Chooses what of Python's standard library goes into the component: what makes sense without files, network,
//! threads and other processes. `os`, on which much of it stands, is one of our own.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What is left out, by its path below the library.
const WITHOUT: [&str; 59] = [
    "__phello__",
    "_android_support.py",
    "_apple_support.py",
    "_ios_support.py",
    "_osx_support.py",
    "_pyrepl",
    "antigravity.py",
    "asyncio",
    "bdb.py",
    "cProfile.py",
    "code.py",
    "compileall.py",
    "concurrent",
    "ctypes",
    "curses",
    "dbm",
    "doctest.py",
    "email",
    "ensurepip",
    "ftplib.py",
    "getpass.py",
    "http",
    "idlelib",
    "imaplib.py",
    "mailbox.py",
    "modulefinder.py",
    "multiprocessing",
    "pathlib",
    "pdb.py",
    "poplib.py",
    "profile.py",
    "pstats.py",
    "pty.py",
    "pydoc.py",
    "pydoc_data",
    "selectors.py",
    "signal.py",
    "site-packages",
    "smtplib.py",
    "socket.py",
    "socketserver.py",
    "sqlite3",
    "ssl.py",
    "subprocess.py",
    "tempfile.py",
    "test",
    "this.py",
    "tkinter",
    "trace.py",
    "turtle.py",
    "turtledemo",
    "unittest",
    "venv",
    "webbrowser.py",
    "wsgiref",
    "xml",
    "xmlrpc",
    "zipfile",
    "zoneinfo",
];

/// What is in the place of the library's own, below `library`.
const OWN: [&str; 3] = ["os.py", "posix.py", "shutil.py"];

/// The encodings that are kept; the others are tables for the character sets of the last century.
const ENCODINGS: [&str; 14] = [
    "__init__",
    "aliases",
    "ascii",
    "base64_codec",
    "cp1252",
    "hex_codec",
    "idna",
    "latin_1",
    "punycode",
    "raw_unicode_escape",
    "unicode_escape",
    "utf_16",
    "utf_8",
    "utf_8_sig",
];

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let library = out.join("library");
    if library.exists() {
        fs::remove_dir_all(&library)?;
    }
    copy(
        Path::new(rustpython_pylib::LIB_PATH),
        Path::new(""),
        &library,
    )?;
    for own in OWN {
        fs::copy(Path::new("library").join(own), library.join(own))?;
    }
    let frozen = "rustpython_derive::py_freeze!(dir = \"library\", crate_name = \"rustpython_compiler_core\")";
    fs::write(out.join("library.rs"), frozen)?;
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=library");
    Ok(())
}

/// Copies what is below `path` of the library `from`, but for what is left out.
fn copy(from: &Path, path: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to.join(path))?;
    for entry in fs::read_dir(from.join(path))? {
        let path = path.join(entry?.file_name());
        if from.join(&path).is_dir() {
            if !is_left_out(&path) {
                copy(from, &path, to)?;
            }
        } else if path.extension().is_some_and(|end| end == "py") && !is_left_out(&path) {
            fs::copy(from.join(&path), to.join(&path))?;
        }
    }
    Ok(())
}

fn is_left_out(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let encoding = path
        .strip_prefix("encodings")
        .ok()
        .and_then(Path::file_stem);
    WITHOUT.contains(&&*text)
        || path.ends_with("__pycache__")
        || encoding.is_some_and(|it| !ENCODINGS.contains(&&*it.to_string_lossy()))
}
