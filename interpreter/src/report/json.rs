//! A run as JSON: an object a line, as events happen.

use std::io::Write;

use pipe_stdlib::core::Stream;
use serde_json::json;

use crate::{
    event::Event,
    run::{Piece, Reporter},
};

/// Writes each event as a line of JSON; output of commands as `{"event":"output",…}`.
pub struct JsonLines<W> {
    out: W,
}

impl<W: Write + Send> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    fn line(&mut self, value: &serde_json::Value) {
        // A reader that is gone is no reason to stop a deployment.
        let _ = writeln!(self.out, "{value}");
        let _ = self.out.flush();
    }
}

impl<W: Write + Send> Reporter for JsonLines<W> {
    fn event(&mut self, event: &Event) {
        if let Ok(value) = serde_json::to_value(event) {
            self.line(&value);
        }
    }

    fn output(&mut self, piece: Piece<'_>) {
        let stream = match piece.stream {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        };
        let text = String::from_utf8_lossy(piece.bytes);
        self.line(&json!({
            "event": "output", "stage": piece.stage, "step": piece.step, "stream": stream,
            "text": text, "complete": piece.complete,
        }));
    }
}
