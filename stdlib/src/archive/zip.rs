//! The zip format.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, Write},
    path::PathBuf,
};

use zip::{
    CompressionMethod, DateTime, ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions,
};

use super::{
    create::{Item, item},
    place::{Node, Place},
};
use crate::core::Failure;

/// A longer one needs the fields of 64 bits.
const LONGEST_SMALL: u64 = 0xffff_0000;
/// No path is longer.
const LONGEST_LINK: u64 = 4096;

/// Writes an archive.
pub(super) fn write(out: impl Write + Seek, items: &BTreeMap<String, PathBuf>) -> io::Result<()> {
    let mut writer = ZipWriter::new(out);
    // 1980-01-01: the format knows no earlier day.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    for (name, path) in items {
        match item(path)? {
            Item::File(size, executable) => {
                let mode = if executable { 0o755 } else { 0o644 };
                let options = options.unix_permissions(mode).large_file(size > LONGEST_SMALL);
                writer.start_file(name.as_str(), options)?;
                io::copy(&mut File::open(path)?, &mut writer)?;
            }
            Item::Link(target) => {
                let target = target.to_string_lossy().into_owned();
                writer.add_symlink(name.as_str(), target, options.unix_permissions(0o777))?;
            }
            Item::Folder => {
                writer.add_directory(name.as_str(), options.unix_permissions(0o755))?;
            }
        }
    }
    writer.finish()?;
    Ok(())
}

/// Unpacks an archive.
pub(super) fn read(from: impl Read + Seek, place: &mut Place) -> Result<(), Failure> {
    let failed = |place: &Place, error: ZipError| match error {
        ZipError::Io(error) => place.broken(&error),
        error => place.broken(&io::Error::other(error.to_string())),
    };
    let mut archive = ZipArchive::new(from).map_err(|error| failed(place, error))?;
    for number in 0..archive.len() {
        let mut entry = archive.by_index(number).map_err(|error| failed(place, error))?;
        // Some programs write the separator of their system.
        let name = entry.name().map_err(|error| failed(place, error))?.replace('\\', "/");
        if entry.is_dir() {
            place.put(&name, Node::Folder)?;
        } else if entry.is_symlink() {
            let mut target = String::new();
            let read = entry.by_ref().take(LONGEST_LINK).read_to_string(&mut target);
            read.map_err(|error| place.broken(&error))?;
            place.put(&name, Node::Link(&target))?;
        } else {
            let executable = entry.unix_mode().is_some_and(|mode| mode & 0o100 != 0);
            place.put(&name, Node::File(&mut entry, executable))?;
        }
    }
    Ok(())
}
