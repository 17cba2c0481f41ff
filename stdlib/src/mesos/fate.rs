//! What the end of a task means, in words, and whose fault it is.
//!
//! Sources: `task-state-reasons.md` of Mesos, `TaskStatus.Reason` in `mesos.proto`, and the texts
//! of `status_utils.hpp`, `launcher/executor.cpp`, `docker/executor.cpp` and `slave.cpp`.

use crate::{
    client::mesos::{State, Status, lower},
    core::FailureKind,
};

/// What the end of a task means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Whose fault it is.
    pub kind: FailureKind,
    /// What happened, as the end of a sentence about the task: `was killed: …`.
    pub sentence: String,
    /// The next action, a line each.
    pub help: Vec<String>,
}

/// How a process of a task ended, by the words of an executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With a status.
    Status(i32),
    /// By a signal.
    Signal(i32),
}

/// The names of `strsignal(3)` that executors write.
const SIGNALS: &[(&str, i32)] = &[
    ("Hangup", 1),
    ("Interrupt", 2),
    ("Quit", 3),
    ("Illegal instruction", 4),
    ("Trace/breakpoint trap", 5),
    ("Aborted", 6),
    ("Bus error", 7),
    ("Floating point exception", 8),
    ("Killed", 9),
    ("User defined signal 1", 10),
    ("Segmentation fault", 11),
    ("User defined signal 2", 12),
    ("Broken pipe", 13),
    ("Alarm clock", 14),
    ("Terminated", 15),
    ("CPU time limit exceeded", 24),
    ("File size limit exceeded", 25),
    ("Bad system call", 31),
];

/// The exit that an executor tells: `Command exited with status 3`, `Command terminated with
/// signal Killed`, `Container exited with status 137`. There is no field for it (MESOS-7241).
#[must_use]
pub fn exit(message: &str) -> Option<Exit> {
    let rest = message.strip_prefix("Command ").or_else(|| message.strip_prefix("Container "))?;
    if let Some(rest) = rest.strip_prefix("exited with status ") {
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        return digits.parse().ok().map(Exit::Status);
    }
    let rest = rest.strip_prefix("terminated with signal ")?;
    let name = rest.split([':', '(']).next()?.trim();
    let known = SIGNALS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    // glibc has no name for real-time signals.
    let number = known.or_else(|| name.rsplit(' ').next()?.parse().ok())?;
    Some(Exit::Signal(number))
}

/// What `status`, the end of a task, means. `asked`: we have told it to end.
#[must_use]
pub fn fate(status: &Status, asked: bool) -> Fate {
    let reason = status.reason.strip_prefix("REASON_").unwrap_or(&status.reason);
    match (status.state, reason) {
        (State::TaskKilled | State::TaskFailed | State::TaskFinished, _) if asked => {
            Fate::new(FailureKind::Cancelled, "was ended by us")
        }
        (_, "MAX_COMPLETION_TIME_REACHED") => {
            Fate::new(FailureKind::Timeout, "ran longer than a task of `pipe` may")
        }
        (_, "CONTAINER_LIMITATION_MEMORY") => memory(status),
        (_, "CONTAINER_LIMITATION_DISK") => {
            Fate::new(FailureKind::Step, said("wrote more than its disk holds", status))
                .help("give it more: `mesos.task(disk: …)`")
        }
        (_, "CONTAINER_LIMITATION") => {
            Fate::new(FailureKind::Step, said("reached a limit of its container", status))
        }
        (_, "CONTAINER_LAUNCH_FAILED") => launch(status),
        (_, "EXECUTOR_REGISTRATION_TIMEOUT") => {
            Fate::lost("was not up in time: the agent waits only so long for files and images")
                .help("run it again: what was pulled is kept by the agent")
                .help("or raise `--executor_registration_timeout` of the agents")
        }
        (_, "EXECUTOR_REREGISTRATION_TIMEOUT") => {
            Fate::lost("did not come back after its agent was started again")
        }
        (_, "EXECUTOR_TERMINATED") => executor(status),
        (_, "IO_SWITCHBOARD_EXITED") => Fate::lost("lost the process that holds its output"),
        (_, "TASK_KILLED_DURING_LAUNCH") => Fate::lost("was ended before it ran"),
        (_, "FRAMEWORK_REMOVED") => {
            Fate::lost("was ended because the master has removed this run's framework")
        }
        (_, "TASK_INVALID" | "TASK_GROUP_INVALID") => refused(status),
        (_, "TASK_UNAUTHORIZED" | "TASK_GROUP_UNAUTHORIZED") => {
            Fate::new(FailureKind::Step, said("was refused: it may not run so", status))
                .help("ask the operator for the right to run tasks as this user, in this role")
        }
        (_, "AGENT_DRAINING") => Fate::lost("was ended because its agent goes into maintenance"),
        (_, "AGENT_REMOVED_BY_OPERATOR") => {
            Fate::lost("is lost: an operator has removed its agent")
        }
        (_, "AGENT_DISCONNECTED" | "AGENT_REMOVED" | "AGENT_UNKNOWN") => {
            Fate::lost("is lost: its agent is gone")
        }
        (_, "AGENT_RESTARTED") => Fate::lost("never began: its agent was started again"),
        (_, "GC_ERROR" | "RESOURCES_UNKNOWN" | "MASTER_DISCONNECTED") => {
            Fate::lost(said("never began", status))
        }
        (_, "INVALID_OFFERS") => Fate::lost("never began: the offer was gone already"),
        (_, "CONTAINER_PREEMPTED") => Fate::lost("was ended in favour of another task"),
        (_, "CONTAINER_UPDATE_FAILED") => Fate::lost(said("lost its container", status)),
        (State::TaskKilled, _) => Fate::lost("was ended by somebody else"),
        (State::TaskFinished | State::TaskFailed, _) => ended(status),
        (State::TaskError, _) => refused(status),
        (State::TaskDropped, _) => Fate::lost(said("never began", status)),
        (State::TaskGone, _) => Fate::lost("is gone, and the agent does not know how it ended"),
        (State::TaskGoneByOperator, _) => {
            Fate::lost("is lost: an operator has declared its agent gone")
        }
        (State::TaskUnreachable | State::TaskLost, _) => {
            Fate::lost("is out of sight: its agent can't be reached")
        }
        (State::TaskUnknown, _) => Fate::lost("is unknown to the master"),
        (state, _) => Fate::lost(said(&format!("ended as {}", state.name()), status)),
    }
}

impl Fate {
    fn new(kind: FailureKind, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into(), help: Vec::new() }
    }

    /// Of a task that we have ended ourselves.
    pub(super) fn asked(sentence: &str) -> Self {
        Self::new(FailureKind::Cancelled, sentence)
    }

    /// Of all tasks of a framework that the master does not have any more.
    pub(super) fn over(why: &str) -> Self {
        Self::lost(format!("is lost: {why}"))
    }

    /// Not the user's fault.
    fn lost(sentence: impl Into<String>) -> Self {
        Self::new(FailureKind::Infrastructure, sentence)
    }

    fn help(mut self, line: impl Into<String>) -> Self {
        self.help.push(line.into());
        self
    }
}

/// The sentence, and the first line of what Mesos says.
fn said(sentence: &str, status: &Status) -> String {
    let words = status.message.lines().next().unwrap_or_default().trim();
    if words.is_empty() { sentence.to_owned() } else { format!("{sentence}: {}", lower(words)) }
}

/// `Memory limit exceeded: Requested: 32MB Maximum Used: 33MB`, then statistics.
fn memory(status: &Status) -> Fate {
    let between = |from: &str| {
        let (_, rest) = status.message.split_once(from)?;
        rest.split_whitespace().next().map(str::to_owned)
    };
    let sentence = match (between("Requested: "), between("Maximum Used: ")) {
        (Some(wanted), Some(used)) => {
            format!("was ended because it used {used} of memory and asked for {wanted}")
        }
        _ => "was ended because it used more memory than it asked for".to_owned(),
    };
    Fate::new(FailureKind::Step, sentence).help("give it more: `mesos.task(mem: …)`")
}

/// Images and files that did not come, users that are not there.
fn launch(status: &Status) -> Fate {
    let message = &status.message;
    let has = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    if has(&["Unsupported manifest MIME type"]) {
        return Fate::new(FailureKind::Step, "can't have this image: Mesos reads no OCI manifests")
            .help("`docker.push` of `pipe` pushes what Mesos reads; buildx does not by itself")
            .help("or run it by the agent's Docker: `mesos.task(containerizer: \"docker\")`");
    }
    if has(&["Failed to fetch all URIs", "Failed to fetch '", "fetch all URIs"]) {
        return Fate::lost("could not fetch what it needs");
    }
    if has(&["Failed to get user information", "No such user", "Failed to chown", "su: user"]) {
        return Fate::new(FailureKind::Step, said("could not begin", status))
            .help("name a user that the agents have: `mesos.task(user: \"nobody\")`");
    }
    let missing = ["manifest unknown", "not found", "404", "pull access denied", "does not exist"];
    if has(&["pull", "manifest", "Docker puller"]) {
        let kind = if has(&missing) { FailureKind::Step } else { FailureKind::Infrastructure };
        return Fate::new(kind, said("could not get its image", status))
            .help("can the agents reach the registry, and may they pull this image?");
    }
    Fate::lost(said("could not be started", status))
}

fn executor(status: &Status) -> Fate {
    if status.message.contains("Failed to create executor directory") {
        return Fate::new(FailureKind::Step, "could not begin: the agent does not have its user")
            .help("name a user that the agents have: `mesos.task(user: \"nobody\")`");
    }
    if status.message.contains("unknown container") {
        return Fate::new(
            FailureKind::Step,
            "could not begin: the agent has no containerizer for what it asks for",
        )
        .help("the agents may lack `--containerizers=docker,mesos` or `--image_providers=docker`");
    }
    Fate::lost("was lost: the process on the agent that holds it has ended")
}

fn refused(status: &Status) -> Fate {
    let fate = Fate::new(FailureKind::Step, said("was refused by the master", status));
    if status.message.contains("more than available") {
        return Fate { kind: FailureKind::Infrastructure, ..fate };
    }
    fate
}

/// Of the worker in the task, which ends only when it is told to.
fn ended(status: &Status) -> Fate {
    match exit(&status.message) {
        Some(Exit::Signal(9) | Exit::Status(137)) => Fate::new(
            FailureKind::Step,
            "was killed (SIGKILL), as the kernel does when memory is short",
        )
        .help("give it more: `mesos.task(mem: …)`"),
        Some(Exit::Signal(number)) => Fate::lost(format!("was ended by signal {number}")),
        Some(Exit::Status(126 | 127)) => Fate::lost("could not begin: `pipe` does not run there")
            .help("the image needs `/bin/sh`, and the processor that this `pipe` is built for")
            .help("name another one: `PIPE_WORKER=/path/to/pipe`, built static for the agents"),
        Some(Exit::Status(0)) => Fate::lost("ended by itself"),
        Some(Exit::Status(status)) => Fate::lost(format!("ended by itself, with status {status}")),
        None => Fate::lost(said("ended by itself", status)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fmt::Write;

    use serde_json::json;

    use super::*;

    fn status(state: &str, reason: &str, message: &str) -> Status {
        let json = json!({ "task_id": { "value": "t" }, "state": state, "reason": reason,
            "message": message, "uuid": "x" });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn exits_are_read_out_of_words() {
        assert_eq!(exit("Command exited with status 7"), Some(Exit::Status(7)));
        assert_eq!(exit("Container exited with status 137"), Some(Exit::Status(137)));
        assert_eq!(exit("Command terminated with signal Killed"), Some(Exit::Signal(9)));
        let dumped = "Command terminated with signal Segmentation fault (core dumped)";
        assert_eq!(exit(dumped), Some(Exit::Signal(11)));
        assert_eq!(exit("Command exited with status 1: Memory limit"), Some(Exit::Status(1)));
        assert_eq!(
            exit("Command terminated with signal Real-time signal 3"),
            Some(Exit::Signal(3))
        );
        assert_eq!(exit("Executor terminated"), None);
    }

    /// Every state with every reason that comes with it has words of its own.
    #[test]
    fn every_end_has_its_sentence() {
        let limit =
            "Memory limit exceeded: Requested: 32MB Maximum Used: 33MB\n\nMEMORY STATISTICS";
        let fetch =
            "Failed to launch container: Failed to fetch all URIs for container 'x': exited";
        let pull = "Failed to launch container: Failed to run 'docker pull x': exited with status 1; \
                    stderr='manifest unknown'";
        let oci = "Failed to launch container: Unsupported manifest MIME type: application/vnd.oci";
        let directory = "Failed to create executor directory '/x': No such user";
        let cases: &[(&str, &str, &str)] = &[
            ("TASK_FINISHED", "", "Command exited with status 0"),
            ("TASK_FAILED", "", "Command exited with status 3"),
            ("TASK_FAILED", "", "Command exited with status 127"),
            ("TASK_FAILED", "", "Command terminated with signal Killed"),
            ("TASK_FAILED", "", "Command terminated with signal Aborted"),
            ("TASK_FAILED", "", "Container exited with status 137"),
            ("TASK_FAILED", "CONTAINER_LIMITATION_MEMORY", limit),
            ("TASK_FAILED", "CONTAINER_LIMITATION_DISK", "Disk usage exceeds quota"),
            ("TASK_FAILED", "CONTAINER_LIMITATION", "Too many processes"),
            ("TASK_FAILED", "MAX_COMPLETION_TIME_REACHED", "Command terminated with signal Killed"),
            ("TASK_FAILED", "CONTAINER_LAUNCH_FAILED", fetch),
            ("TASK_FAILED", "CONTAINER_LAUNCH_FAILED", pull),
            ("TASK_FAILED", "CONTAINER_LAUNCH_FAILED", oci),
            ("TASK_FAILED", "CONTAINER_LAUNCH_FAILED", "Failed to launch container: cgroups"),
            ("TASK_FAILED", "EXECUTOR_REGISTRATION_TIMEOUT", "Executor registration timed out"),
            ("TASK_FAILED", "EXECUTOR_REREGISTRATION_TIMEOUT", ""),
            ("TASK_FAILED", "EXECUTOR_TERMINATED", "Executor terminated"),
            (
                "TASK_FAILED",
                "EXECUTOR_TERMINATED",
                "Abnormal executor termination: unknown container",
            ),
            ("TASK_DROPPED", "EXECUTOR_TERMINATED", directory),
            ("TASK_FAILED", "IO_SWITCHBOARD_EXITED", ""),
            ("TASK_KILLED", "", "Command terminated with signal Terminated"),
            ("TASK_KILLED", "TASK_KILLED_DURING_LAUNCH", ""),
            ("TASK_KILLED", "FRAMEWORK_REMOVED", ""),
            ("TASK_KILLED", "AGENT_DRAINING", ""),
            ("TASK_ERROR", "TASK_INVALID", "Task uses no resources"),
            (
                "TASK_ERROR",
                "TASK_INVALID",
                "Total resources cpus:64 required by task and its executor is more than available",
            ),
            ("TASK_ERROR", "TASK_UNAUTHORIZED", "Not authorized to launch as user 'root'"),
            ("TASK_DROPPED", "INVALID_OFFERS", "Offer O1 is no longer valid"),
            ("TASK_DROPPED", "AGENT_RESTARTED", ""),
            ("TASK_DROPPED", "AGENT_DISCONNECTED", ""),
            ("TASK_DROPPED", "GC_ERROR", "Could not remove directory"),
            ("TASK_LOST", "AGENT_REMOVED", "health check timed out"),
            ("TASK_UNREACHABLE", "RECONCILIATION", ""),
            ("TASK_UNKNOWN", "RECONCILIATION", ""),
            ("TASK_GONE", "RECONCILIATION", "Reconciliation: Task is unknown to the agent"),
            ("TASK_GONE", "CONTAINER_PREEMPTED", ""),
            ("TASK_GONE", "CONTAINER_UPDATE_FAILED", "Cgroup is gone"),
            ("TASK_GONE_BY_OPERATOR", "", ""),
            ("TASK_GONE_BY_OPERATOR", "AGENT_REMOVED_BY_OPERATOR", ""),
        ];
        let mut table = String::new();
        for (state, reason, message) in cases {
            let reason = if reason.is_empty() { String::new() } else { format!("REASON_{reason}") };
            let fate = fate(&status(state, &reason, message), false);
            let head = format!("{state} {reason}");
            writeln!(table, "{}\n  {:?}: the task {}", head.trim(), fate.kind, fate.sentence)
                .unwrap();
            for line in fate.help {
                writeln!(table, "  help: {line}").unwrap();
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn what_we_have_asked_for_is_no_failure() {
        let killed = status("TASK_KILLED", "", "Command exited with status 7");
        assert_eq!(fate(&killed, true).kind, FailureKind::Cancelled);
        // Also while the agent drains, which overwrites every reason.
        let drained = status("TASK_KILLED", "REASON_AGENT_DRAINING", "");
        assert_eq!(fate(&drained, true).kind, FailureKind::Cancelled);
        // But not what happens to be true as well.
        let lost = status("TASK_GONE", "REASON_RECONCILIATION", "");
        assert_eq!(fate(&lost, true).kind, FailureKind::Infrastructure);
    }
}
