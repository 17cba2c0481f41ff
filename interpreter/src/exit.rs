//! Exit statuses: a part of the interface, documented in `docs/exit-status.md`.

/// All well.
pub const SUCCESS: u8 = 0;
/// A stage failed.
pub const FAILED: u8 = 1;
/// `pipe fmt --check`: a file is not formatted.
pub const NOT_FORMATTED: u8 = 1;
/// The Pipelinefile, an input or the command line is wrong, and nothing ran.
pub const WRONG_INPUT: u8 = 2;
/// Unstable, with `--unstable-is-error`.
pub const UNSTABLE: u8 = 3;
/// Infrastructure failed (engine, registry, Marathon), not the user's code.
pub const INFRASTRUCTURE: u8 = 4;
/// Another deployment took over.
pub const SUPERSEDED: u8 = 5;
/// It waits for an approval.
pub const WAITING: u8 = 6;
/// Time-out of the run.
pub const TIMED_OUT: u8 = 124;
/// Cancelled by SIGHUP.
pub const HUNG_UP: u8 = 129;
/// Cancelled by SIGINT.
pub const INTERRUPTED: u8 = 130;
/// Cancelled by SIGTERM.
pub const TERMINATED: u8 = 143;
