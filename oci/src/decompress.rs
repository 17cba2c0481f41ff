//! Archives come compressed in several ways; their first bytes tell which.

use std::io::{self, BufRead, BufReader, Read};

use crate::{Error, Result};

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// [RFC 1952](https://www.rfc-editor.org/rfc/rfc1952).
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// [RFC 8878](https://www.rfc-editor.org/rfc/rfc8878).
    Zstd,
}

impl Compression {
    /// By the first bytes of a file, six of them at most.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [b'B', b'Z', b'h', ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// What a file holds before compression.
///
/// # Errors
///
/// When its beginning can't be read. A damaged rest shows while it is read.
pub fn decompressed<'a>(file: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
    let mut file = BufReader::with_capacity(64 << 10, file);
    let head = file.fill_buf().map_err(|e| damaged(&e))?;
    Ok(match Compression::of(head) {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        Compression::Xz => Box::new(lzma_rust2::XzReader::new(file, true)),
        Compression::Zstd => {
            let decoder =
                zstd::stream::read::Decoder::with_buffer(file).map_err(|e| damaged(&e))?;
            Box::new(decoder)
        }
    })
}

pub(crate) fn damaged(error: &io::Error) -> Error {
    Error::io("the layer is damaged", error)
}
