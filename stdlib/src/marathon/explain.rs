//! What a task's end means: the words of Mesos and Docker, sorted by what helps.
//!
//! Texts as Mesos writes them (`src/docker/{docker,executor}.cpp`, `src/launcher/executor.cpp`,
//! `src/slave/slave.cpp`, `src/slave/containerizer/fetcher.cpp`, the memory isolator) and Marathon
//! (`lastTaskFailure`).

/// Why a task ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub(super) enum Cause {
    /// Its image is not there, or not for us. Trying again does not help.
    Image,
    /// Its image could not be pulled this time.
    Pull,
    /// One of its `fetch` URIs could not be fetched.
    Fetch,
    /// It could not be started at all.
    Launch,
    /// It took more memory than it may.
    Memory,
    /// Its program ended with a status other than 0, or by a signal.
    Crash,
    /// Its program ended with status 0, and an app must go on.
    Finished,
    /// Its health checks failed for too long.
    Unhealthy,
    /// It is not there any more, and nobody told how it ended.
    Unknown,
    /// It was killed, or the agent is gone: no word about the app.
    Outside,
}

impl Cause {
    /// Reads a terminal state and its message.
    pub(super) fn read(state: &str, message: &str) -> Self {
        let says = |text: &str| message.contains(text);
        let gone = ["not found", "manifest unknown", "denied", "unauthorized", "does not exist"];
        if says("health check failed") {
            Self::Unhealthy
        } else if says("pull ") && (says("docker") || says("Failed to launch container")) {
            let lower = message.to_lowercase();
            if gone.iter().any(|text| lower.contains(text)) { Self::Image } else { Self::Pull }
        } else if says("Failed to fetch") {
            Self::Fetch
        } else if says("Memory limit exceeded") {
            Self::Memory
        } else if says("Failed to launch")
            || says("Failed to run docker container")
            || says("exited with status 125")
        {
            Self::Launch
        } else {
            match state {
                "TASK_FINISHED" => Self::Finished,
                "TASK_FAILED" | "TASK_ERROR" => Self::Crash,
                _ => Self::Outside,
            }
        }
    }

    /// Whether the next try can't end otherwise.
    pub(super) fn stays(self) -> bool {
        matches!(self, Self::Image | Self::Fetch | Self::Launch)
    }

    /// What happened, to go behind "it" and before "3 times".
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Image | Self::Pull => "could not pull its image",
            Self::Fetch => "could not fetch its files",
            Self::Launch => "could not be started",
            Self::Memory => "ran out of its memory",
            Self::Crash => "crashed",
            Self::Finished => "ended by itself",
            Self::Unhealthy => "was killed as unhealthy",
            Self::Unknown => "ended",
            Self::Outside => "was lost",
        }
    }

    /// The next action.
    pub(super) fn help(self) -> Option<&'static str> {
        Some(match self {
            Self::Image => "check the image's name and tag, and that the agents may pull it",
            Self::Pull => "the registry did not give the image out; see its message above",
            Self::Fetch => "check each `fetch[].uri` from the agent's point of view",
            Self::Launch => "check `container.docker.parameters`, volumes and ports",
            Self::Memory => "raise `mem`, or let the program use less",
            Self::Finished => {
                "a Marathon app must keep running in the foreground; this one ends with status 0"
            }
            Self::Unhealthy => {
                "check the health check's path, `portIndex` and `gracePeriodSeconds`, and that the \
                 program listens on the port that it is given"
            }
            Self::Crash | Self::Unknown | Self::Outside => return None,
        })
    }
}

/// A message with its exit status in words.
pub(super) fn explained(message: &str) -> String {
    let status = ["exited with status ", "exit status ", "exit code "]
        .iter()
        .find_map(|text| message.rsplit_once(text))
        .and_then(|(_, rest)| {
            rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse::<u16>().ok())
        });
    let meaning = match status {
        Some(125) => "Docker refused to start it",
        Some(126) => "the command can't be executed",
        Some(127) => "the command was not found",
        Some(137) => "killed by SIGKILL, often for its memory",
        Some(139) => "crashed by SIGSEGV",
        Some(143) => "ended by SIGTERM",
        _ => return message.to_owned(),
    };
    format!("{message} ({meaning})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_sorted() {
        let failed = |message| Cause::read("TASK_FAILED", message);
        let pull = "Failed to launch container: Failed to run 'docker -H unix:///var/run/docker.sock pull registry/web:nope': exited with status 1; stderr='Error: image web:nope not found'";
        assert_eq!(failed(pull), Cause::Image);
        assert_eq!(
            failed(
                "Failed to launch container: Failed to run 'docker pull r/web': exited with status 1; stderr='net/http: TLS handshake timeout'"
            ),
            Cause::Pull
        );
        assert_eq!(
            failed(
                "Failed to launch container: Failed to fetch all URIs for container 'x' with exit status: 256"
            ),
            Cause::Fetch
        );
        assert_eq!(failed("Failed to run docker container: Failed to create"), Cause::Launch);
        assert_eq!(failed("Container exited with status 125"), Cause::Launch);
        assert_eq!(failed("Container exited with status 1"), Cause::Crash);
        assert_eq!(failed("Command terminated with signal Segmentation fault"), Cause::Crash);
        assert_eq!(
            failed("Memory limit exceeded: Requested: 32MB Maximum Used: 32MB"),
            Cause::Memory
        );
        assert_eq!(Cause::read("TASK_FINISHED", ""), Cause::Finished);
        assert_eq!(
            Cause::read("TASK_KILLED", "Task was killed since health check failed. Reason: 500"),
            Cause::Unhealthy
        );
        for state in ["TASK_LOST", "TASK_DROPPED", "TASK_GONE", "TASK_UNREACHABLE", "TASK_KILLED"] {
            assert_eq!(Cause::read(state, ""), Cause::Outside, "{state}");
        }
    }

    #[test]
    fn statuses_are_explained() {
        assert_eq!(
            explained("Command exited with status 127"),
            "Command exited with status 127 (the command was not found)"
        );
        assert_eq!(explained("Command exited with status 1"), "Command exited with status 1");
        assert_eq!(explained(""), "");
    }
}
