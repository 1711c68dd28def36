//! Makes the form of snapshots: a digest of this crate's sources, which give a snapshot its meaning.
//!
//! It is the same wherever the sources lie and however their lines end, and another with every change of them, so that
//! nobody has to remember to raise a number.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src");
    let mut files = Vec::new();
    collect(Path::new("src"), &mut files)?;
    let named = files.into_iter().map(|file| (name(&file), file));
    let named: std::collections::BTreeMap<String, PathBuf> = named.collect();
    let mut form = Sha256::new();
    for (name, file) in named {
        let mut text = std::fs::read(file)?;
        text.retain(|byte| *byte != b'\r');
        for part in [name.as_bytes(), &text] {
            form.update(part.len().to_le_bytes().as_slice());
            form.update(part);
        }
    }
    let form: [u8; 32] = form.finalize().into();
    let out = std::env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?;
    std::fs::write(Path::new(&out).join("form.rs"), format!("{form:?}"))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => collect(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

/// The path with the same separators on every machine.
fn name(file: &Path) -> String {
    let parts = file
        .components()
        .map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}
