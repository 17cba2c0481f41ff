//! Bytes on their way between those who wait and those who block.

use std::io::{self, Read, Write};

use bytes::Bytes;
use tokio::sync::mpsc;

/// So many bytes are sent at once.
const PIECE: usize = 128 << 10;
/// So many pieces are on their way.
const ON_THEIR_WAY: usize = 8;

/// A way from somebody who blocks to somebody who waits.
pub(crate) fn outwards() -> (Outlet, mpsc::Receiver<io::Result<Bytes>>) {
    let (sender, receiver) = mpsc::channel(ON_THEIR_WAY);
    (Outlet { sender, pending: Vec::with_capacity(PIECE) }, receiver)
}

/// A way from somebody who waits to somebody who blocks. Without an error at its end it was whole.
pub(crate) fn inwards() -> (mpsc::Sender<io::Result<Bytes>>, Inlet) {
    let (sender, receiver) = mpsc::channel(ON_THEIR_WAY);
    (sender, Inlet { receiver, rest: Bytes::new() })
}

/// Hands on what is written. Who drops it without a [`Write::flush`] loses the end.
pub(crate) struct Outlet {
    sender: mpsc::Sender<io::Result<Bytes>>,
    pending: Vec<u8>,
}

impl Outlet {
    /// Ends with an error, so that the other side knows that it is not whole.
    pub(crate) fn fail(self, error: io::Error) {
        let _ = self.sender.blocking_send(Err(error));
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.pending, Vec::with_capacity(PIECE));
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.sender.blocking_send(Ok(piece.into())).map_err(gone)
    }
}

/// Gives what has come.
pub(crate) struct Inlet {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    rest: Bytes,
}

impl Read for Inlet {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.rest = piece?,
                None => return Ok(0),
            }
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest.split_to(count));
        Ok(count)
    }
}
