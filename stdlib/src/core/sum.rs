//! Sums of content.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use sha2::Digest;

/// So much is read at once.
const PIECE: usize = 256 << 10;

/// Adds the content of a file to a sum.
///
/// # Errors
///
/// What the system says.
pub fn add_file<D: Digest>(sum: &mut D, path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => sum.update(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A sum as it is written.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
