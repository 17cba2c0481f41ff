//! What a command answers, on the standard output.

use std::io::Write;

use serde::Serialize;

use super::load::complain;
use crate::exit;

/// Writes something to the standard output, and gives the exit status.
pub(super) fn print(text: impl AsRef<[u8]>) -> u8 {
    let written = std::io::stdout().write_all(text.as_ref());
    if written.is_ok() { exit::SUCCESS } else { exit::FAILED }
}

/// Writes something for programs, and gives the exit status.
pub(super) fn print_json(value: &impl Serialize) -> u8 {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print(text + "\n"),
        Err(error) => {
            complain(&format!("pipe: {error}"));
            exit::FAILED
        }
    }
}
