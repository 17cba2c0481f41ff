//! What a worker leaves in its sandbox when it could not send it: `pipe` reads it there, through
//! the agent.

use std::{fs, io, path::Path};

use super::spool::Spool;
use crate::mesos::link::Done;

/// The file with the output of an order that could not be sent: a line with the number of bytes
/// that went before, then frames.
pub(crate) fn output_name(order: u64) -> String {
    format!(".pipe/{order}.output")
}

/// The file that says how an order ended.
pub(crate) fn exit_name(order: u64) -> String {
    format!(".pipe/{order}.exit")
}

/// What is left of an order.
pub(crate) struct Will<'a> {
    /// The order.
    pub(crate) order: u64,
    /// How it ended.
    pub(crate) done: &'a Done,
    /// How much of its output is known to have come.
    pub(crate) sent: u64,
}

impl Will<'_> {
    /// Writes it; the way it ended last, so that where it is, the output is whole.
    pub(super) fn leave(&self, sandbox: &Path, rest: Vec<u8>, spool: &mut Spool) -> io::Result<()> {
        use std::{io::Write, os::unix::fs::OpenOptionsExt};
        fs::create_dir_all(sandbox.join(".pipe"))?;
        let create = |name: &str| {
            // The agent reads it as root.
            let mut options = fs::OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600).open(sandbox.join(name))
        };
        let mut file = create(&output_name(self.order))?;
        writeln!(file, "{}", self.sent)?;
        file.write_all(&rest)?;
        loop {
            let bytes = spool.take();
            if bytes.is_empty() {
                break;
            }
            file.write_all(&bytes)?;
        }
        file.sync_all()?;
        let exit = serde_json::to_vec(self.done).map_err(io::Error::other)?;
        create(&exit_name(self.order))?.write_all(&exit)
    }
}
