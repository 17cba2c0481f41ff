//! The tar format (POSIX ustar, with GNU's long names).

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Write},
    path::PathBuf,
};

use tar::{Archive, Builder, EntryType, Header};

use super::{
    create::{Item, item},
    place::{Node, Place},
};
use crate::core::Failure;

/// Writes an archive, and gives back what it was written to.
pub(super) fn write<W: Write>(out: W, items: &BTreeMap<String, PathBuf>) -> io::Result<W> {
    let mut builder = Builder::new(out);
    for (name, path) in items {
        let mut header = Header::new_gnu();
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mode(0o644);
        header.set_size(0);
        match item(path)? {
            Item::File(size, executable) => {
                header.set_size(size);
                header.set_mode(if executable { 0o755 } else { 0o644 });
                let mut content = File::open(path)?.take(size);
                builder.append_data(&mut header, name, &mut content)?;
                if content.limit() > 0 {
                    return Err(io::Error::other(format!("`{name}` changed while it was packed")));
                }
            }
            Item::Link(target) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_mode(0o777);
                builder.append_link(&mut header, name, target)?;
            }
            Item::Folder => {
                header.set_entry_type(EntryType::Directory);
                header.set_mode(0o755);
                builder.append_data(&mut header, format!("{name}/"), io::empty())?;
            }
        }
    }
    builder.into_inner()
}

/// Unpacks an archive.
pub(super) fn read(from: impl Read, place: &mut Place) -> Result<(), Failure> {
    let mut archive = Archive::new(from);
    let entries = archive.entries().map_err(|error| place.broken(&error))?;
    for entry in entries {
        let mut entry = entry.map_err(|error| place.broken(&error))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let target = entry.link_name_bytes().map(|t| String::from_utf8_lossy(&t).into_owned());
        let executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
        match (entry.header().entry_type(), target) {
            (EntryType::Directory, _) => place.put(&name, Node::Folder)?,
            (EntryType::Symlink, Some(target)) => place.put(&name, Node::Link(&target))?,
            (EntryType::Link, Some(target)) => place.put(&name, Node::Same(&target))?,
            (EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse, _) => {
                place.put(&name, Node::File(&mut entry, executable))?;
            }
            // It tells of the archive, such as the commit that `git archive` packed.
            (EntryType::XGlobalHeader, _) => {}
            _ => return Err(place.refuse(&name, "is a device, a pipe or something unknown")),
        }
    }
    Ok(())
}
