//! The calls that the compiler can't check.
#![expect(unsafe_code, reason = "unshare and code between fork and exec have no safe form")]

use std::{io, os::unix::process::CommandExt, process::Command};

use rustix::thread::{Gid, Uid, UnshareFlags, set_thread_gid, set_thread_uid};

/// Moves this process into namespaces of its own. Never its table of open files.
pub(super) fn unshare(flags: UnshareFlags) -> io::Result<()> {
    let flags = flags.difference(UnshareFlags::FILES);
    // SAFETY: only `FILES` can make descriptors of other threads invalid, and it is not among
    // the flags.
    unsafe { rustix::thread::unshare_unsafe(flags) }.map_err(io::Error::from)
}

/// Makes a command lead a session of its own: signals of this terminal don't reach it.
pub(crate) fn in_own_session(command: &mut Command) {
    // SAFETY: setsid is async-signal-safe and allocates nothing.
    unsafe {
        command.pre_exec(|| rustix::process::setsid().map(drop).map_err(io::Error::from));
    }
}

/// Makes a command run as another user, with the groups that this process has: the standard
/// library would take those away.
pub(super) fn run_as(command: &mut Command, user: u32, group: u32) {
    let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
    // SAFETY: setgid and setuid are async-signal-safe and allocate nothing; after the fork there is
    // one thread.
    unsafe {
        command.pre_exec(move || {
            set_thread_gid(group)?;
            set_thread_uid(user)?;
            Ok(())
        });
    }
}
