//! What the end of a command means, in words.

use pipe_stdlib::core::Ended;

/// How it ended, and what that tells.
#[must_use]
pub(super) fn explain(ended: Ended) -> (String, Option<&'static str>) {
    match ended {
        Ended::Signal(signal) => {
            let (name, why) = self::signal(signal);
            let shown = if name.is_empty() { format!("signal {signal}") } else { name.to_owned() };
            (format!("was ended by {shown}"), why)
        }
        Ended::Status(status) => (format!("ended with status {status}"), self::status(status)),
        Ended::Cancelled => ("was cancelled".to_owned(), None),
    }
}

fn signal(signal: i32) -> (&'static str, Option<&'static str>) {
    match signal {
        1 => ("SIGHUP", None),
        2 => ("SIGINT", None),
        4 => ("SIGILL", Some("an instruction that this processor does not know")),
        6 => ("SIGABRT", Some("it ended itself, as by a failed assertion")),
        7 => ("SIGBUS", Some("a broken memory access")),
        8 => ("SIGFPE", Some("a division by zero")),
        9 => ("SIGKILL", Some("somebody killed it, or the system was out of memory: see `dmesg`")),
        11 => ("SIGSEGV", Some("a broken memory access")),
        13 => ("SIGPIPE", Some("the reader of its output was gone")),
        15 => ("SIGTERM", Some("somebody told it to end")),
        24 => ("SIGXCPU", Some("its limit of processor time was reached")),
        25 => ("SIGXFSZ", Some("its limit of file size was reached")),
        _ => ("", None),
    }
}

fn status(status: i32) -> Option<&'static str> {
    Some(match status {
        126 => "126: a command was found, and is not executable",
        127 => "127: a command was not found: is it installed, and in PATH?",
        134 => "134: a process ended itself (SIGABRT)",
        137 => "137: a process was killed (SIGKILL), or the system was out of memory: see `dmesg`",
        139 => "139: a process made a broken memory access (SIGSEGV)",
        141 => "141: the reader of a pipe was gone (SIGPIPE)",
        143 => "143: a process was told to end (SIGTERM)",
        _ => return None,
    })
}
