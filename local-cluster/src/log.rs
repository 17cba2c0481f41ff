//! What the cluster's process says of itself: its standard error, which is the file `cluster.log`.

use std::{fmt, io::Write};

use crate::time::Timestamp;

/// Writes a line with the time. That the log can't be written stops nothing.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let line = format!("{} {text}\n", Timestamp::now());
    let _ = std::io::stderr().write_all(line.as_bytes());
}
