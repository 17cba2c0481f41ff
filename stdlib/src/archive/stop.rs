//! Long reading and writing that ends when it is told to.

use std::io::{self, Read, Write};

use tokio_util::sync::CancellationToken;

/// A stream that fails once the token is set.
pub(super) struct Stop<'a, T> {
    pub(super) inner: T,
    pub(super) stop: &'a CancellationToken,
}

impl<T> Stop<'_, T> {
    fn check(&self) -> io::Result<()> {
        if self.stop.is_cancelled() { Err(io::Error::other("cancelled")) } else { Ok(()) }
    }
}

impl<T: Read> Read for Stop<'_, T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        self.inner.read(bytes)
    }
}

impl<T: Write> Write for Stop<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check()?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: io::Seek> io::Seek for Stop<'_, T> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
