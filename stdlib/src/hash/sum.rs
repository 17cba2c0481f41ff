//! The sum of one file or of many.

use std::{io, os::unix::ffi::OsStrExt};

use sha2::Digest;

use crate::core::{
    Arguments, Entry, Failure, Found, Value, World, add_file, entries, find_some, hexadecimal,
    unreadable,
};

/// The sum of what the argument `file` means, in hexadecimal. One file: of its content. Several:
/// of each path, its length and its content, in the order of the paths; of a symbolic link what it
/// says.
pub(super) fn of<D: Digest>(world: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let patterns: Vec<String> = arguments.get("file")?;
    let found = find_some(world, world.dir(), &patterns, "file")?;
    if let [one] = found.as_slice()
        && one.path.is_file()
    {
        let mut sum = D::new();
        add_file(&mut sum, &one.path).map_err(|error| failure(&one.written, &error))?;
        return Ok(hexadecimal(&sum.finalize()).into());
    }
    let mut all: Vec<(String, Entry)> = Vec::new();
    for found in &found {
        all.extend(entries(found)?.into_iter().map(|entry| (shown(found, &entry), entry)));
    }
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all.dedup_by(|(_, a), (_, b)| a.path == b.path);
    let mut sum = D::new();
    for (name, entry) in &all {
        if entry.kind.is_dir() {
            continue;
        }
        // Each file has a sum of its own in the sum, so no content can pass for another file.
        let mut inner = D::new();
        let read = if entry.kind.is_symlink() {
            std::fs::read_link(&entry.path)
                .map(|target| inner.update(target.as_os_str().as_bytes()))
        } else {
            add_file(&mut inner, &entry.path)
        };
        read.map_err(|error| failure(name, &error))?;
        sum.update(hexadecimal(&inner.finalize()));
        sum.update(if entry.kind.is_symlink() { " -> " } else { "  " });
        sum.update(name);
        sum.update("\n");
    }
    Ok(hexadecimal(&sum.finalize()).into())
}

fn failure(name: &str, error: &io::Error) -> Failure {
    unreadable(name, error).at_argument("file")
}

/// The path of an entry as the argument would write it.
fn shown(found: &Found, entry: &Entry) -> String {
    let written = found.written.trim_end_matches('/').trim_start_matches("./");
    if !found.below.is_empty() && entry.below == found.below {
        return written.to_owned();
    }
    let below = entry.below.strip_prefix(&found.below).unwrap_or(&entry.below);
    format!("{written}/{}", below.trim_start_matches('/'))
}
