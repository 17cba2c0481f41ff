//! Archives that `ADD` unpacks.

use std::{fs::File, io::Read, os::unix::ffi::OsStrExt, path::Path};

use pipe_oci::{Content, Entry, Error, Listing, decompressed};
use tar::Header;

use super::{
    landing::{From, Landing},
    stage::{Job, Stop},
    wrong::Wrong,
};

/// What a file holds that `ADD` unpacks: a tar archive, as it is or compressed. Nothing of any
/// other file.
pub(super) fn listing(job: &Job<'_, '_>, content: &Content) -> Result<Option<Listing>, Stop> {
    let Content::Disk { path, .. } = content else { return Ok(None) };
    if !is_archive(content)? {
        return Ok(None);
    }
    let digest = job.digest(content)?;
    if let Some(listing) = job.store.listing(&digest) {
        return Ok(Some(listing));
    }
    let file = File::open(path).map_err(|e| Error::at("read", path, &e))?;
    let (listing, _) = Listing::read(job.gate.pass(file)).map_err(|error| match error.kind() {
        std::io::ErrorKind::ConnectionAborted => Stop::from(error),
        _ => {
            let message = format!("the archive `{}` can't be unpacked", path.display());
            let failure = super::broken(&Error::invalid(message));
            Stop::Failed(failure.evidence("why", vec![error.to_string()]))
        }
    })?;
    job.store.remember_listing(&digest, &listing)?;
    Ok(Some(listing))
}

/// Whether the first block, after decompression, is the header of a tar archive, by its checksum.
fn is_archive(content: &Content) -> Result<bool, Stop> {
    let mut block = [0; 512];
    let file = content.open()?;
    // What only looks compressed is copied as it is.
    let read = decompressed(file).ok().map(|mut archive| archive.read_exact(&mut block));
    if !matches!(read, Some(Ok(()))) || block.iter().all(|byte| *byte == 0) {
        return Ok(false);
    }
    let header = Header::from_byte_slice(&block);
    // Its own eight bytes count as blanks.
    let sum = block.iter().enumerate().map(|(at, byte)| match at {
        148..156 => u32::from(b' '),
        _ => u32::from(*byte),
    });
    Ok(header.cksum().is_ok_and(|given| given == sum.sum::<u32>()))
}

/// Puts an entry of an archive below a folder.
pub(super) fn put(
    landing: &mut Landing<'_>,
    folder: &Path,
    path: &Path,
    entry: Entry,
    from: &From<'_>,
) -> Result<(), Stop> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    if path.file_name().is_some_and(|name| name.as_bytes().starts_with(b".wh.")) {
        let message = format!("the archive holds `{}`, which no layer can hold", path.display());
        let wrong = Wrong::new(from.place.clone(), message);
        return Err(wrong.help("names that begin with `.wh.` mark removed files in layers").into());
    }
    // `--chown` and `--chmod` are for what is copied.
    landing.unpack(&folder.join(path), entry, from)
}
