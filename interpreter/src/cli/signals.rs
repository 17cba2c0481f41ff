//! Signals: the first cancels, another one stops at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit;

/// The signals that end a run.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    /// Never ends a run by itself; with a handler it is at its default again in children, where
    /// Jenkins has it ignored.
    _quit: Signal,
}

/// Which signal came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Came {
    Interrupt,
    Terminate,
    HangUp,
}

impl Came {
    /// The exit status of a run that it ended.
    pub(super) fn status(self) -> u8 {
        match self {
            Self::Interrupt => exit::INTERRUPTED,
            Self::Terminate => exit::TERMINATED,
            Self::HangUp => exit::HUNG_UP,
        }
    }
}

impl Signals {
    /// Installs the handlers: inside a tokio runtime.
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            _quit: signal(SignalKind::quit())?,
        })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Came {
        tokio::select! {
            _ = self.interrupt.recv() => Came::Interrupt,
            _ = self.terminate.recv() => Came::Terminate,
            _ = self.hang_up.recv() => Came::HangUp,
        }
    }
}
