//! Ends work in a thread when nobody waits for it any more.

use std::io::{self, Read, Write};

use pipe_oci::{Content, Digest, Error};
use tokio_util::sync::CancellationToken;

/// Passes as long as the call lives.
#[derive(Clone, Debug)]
pub(super) struct Gate(CancellationToken);

impl Gate {
    pub(super) fn new(token: CancellationToken) -> Self {
        Self(token)
    }

    /// An error once the gate is closed. (`Interrupted` means "try again" to readers and writers.)
    pub(super) fn check(&self) -> io::Result<()> {
        if self.0.is_cancelled() {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "cancelled"));
        }
        Ok(())
    }

    /// The digest of a content.
    pub(super) fn digest(&self, content: &Content) -> Result<Digest, Error> {
        if let Content::Packed(packed) = content {
            return Ok(packed.digest);
        }
        let reader = Passing { inner: content.open()?, gate: self };
        let (digest, _) =
            Digest::of_reader(reader).map_err(|e| Error::io("can't read a file", &e))?;
        Ok(digest)
    }

    /// A writer that fails once the gate is closed.
    pub(super) fn pass<T>(&self, inner: T) -> Passing<'_, T> {
        Passing { inner, gate: self }
    }
}

/// What passes a gate.
pub(super) struct Passing<'a, T> {
    inner: T,
    gate: &'a Gate,
}

impl<T> Passing<'_, T> {
    pub(super) fn into_inner(self) -> T {
        self.inner
    }
}

impl<R: Read> Read for Passing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.gate.check()?;
        self.inner.read(buffer)
    }
}

impl<W: Write> Write for Passing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gate.check()?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_passes_a_closed_gate() {
        let token = CancellationToken::new();
        let gate = Gate::new(token.clone());
        let content = Content::Bytes(b"abc"[..].into());
        assert_eq!(gate.digest(&content).unwrap(), Digest::of(b"abc"));
        token.cancel();
        let error = gate.digest(&content).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(crate::docker::layers::broken(&error), crate::core::Failure::cancelled());
        assert!(gate.pass(Vec::new()).write_all(b"x").is_err());
    }
}
