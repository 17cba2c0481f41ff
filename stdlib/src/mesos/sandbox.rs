//! What is read in the folder of a task, by its agent.

use super::{
    Place,
    link::{Done, Frames, Line},
    worker::{exit_name, output_name},
};
use crate::client::mesos::{Client, Id, Sandbox};

/// So much of the end of a file is looked at.
const TAIL: usize = 8 << 10;
/// So many lines of it are shown.
const SHOWN: usize = 10;

/// The folder of a task, where its agent can be asked for it.
pub(super) fn sandbox(client: &Client, framework: &Id, place: &Place) -> Option<Sandbox> {
    Some(Sandbox {
        agent: client.agent(&place.agent, place.url.as_ref())?,
        framework: framework.clone(),
        task: place.task.clone(),
    })
}

/// The last lines that the task itself has written to a file, as evidence.
pub(super) async fn last_lines(client: &Client, sandbox: &Sandbox, file: &str) -> Vec<String> {
    let bytes = client.read_tail(sandbox, file, TAIL).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let own = text.lines().filter(|line| !line.trim().is_empty() && !is_mesos(line));
    let mut lines: Vec<String> = own.map(str::to_owned).collect();
    lines.drain(..lines.len().saturating_sub(SHOWN));
    lines
}

/// Whether the executor or the fetcher wrote a line: `I1122 10:07:11.123456 4711 executor.cpp:740]`
/// (glog), or `Running '…'`, `Executing …` without one.
fn is_mesos(line: &str) -> bool {
    let mut chars = line.chars();
    let level = chars.next().is_some_and(|c| matches!(c, 'I' | 'W' | 'E' | 'F'));
    let date = line.get(1..5).is_some_and(|date| date.bytes().all(|b| b.is_ascii_digit()));
    let place = line.split_once("] ").is_some_and(|(head, _)| head.contains(".cpp:"));
    level && date && (place || line.contains(".cpp:"))
}

/// What a worker has left that could not send the end of an order: the lines that have not come
/// yet, and how it ended. Nothing when it has left nothing.
pub(super) async fn will(
    client: &Client,
    sandbox: &Sandbox,
    order: u64,
    received: u64,
    mut line: impl FnMut(Line) + Send,
) -> Option<Done> {
    // It is written last: where it is, the output is whole.
    let mut exit = Vec::new();
    let whole = |bytes: &[u8]| exit.extend_from_slice(bytes);
    client.read_rest(sandbox, &exit_name(order), 0, whole).await.ok()?;
    let done: Done = serde_json::from_slice(&exit).ok()?;
    let mut rest = Rest::default();
    let take = |bytes: &[u8]| rest.take(bytes, received, &mut line);
    client.read_rest(sandbox, &output_name(order), 0, take).await.ok()?;
    Some(done)
}

/// A file of output while it is read: a line with the number of bytes that went before, frames.
#[derive(Default)]
struct Rest {
    pending: Vec<u8>,
    /// Bytes that have come already; none before the first line is read.
    skip: Option<usize>,
}

impl Rest {
    fn take(&mut self, bytes: &[u8], received: u64, line: &mut impl FnMut(Line)) {
        self.pending.extend_from_slice(bytes);
        if self.skip.is_none() {
            let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') else { return };
            let sent = std::str::from_utf8(&self.pending[..end]).ok().and_then(|n| n.parse().ok());
            let again = received.saturating_sub(sent.unwrap_or(received));
            self.skip = usize::try_from(again).ok();
            self.pending.drain(..=end);
        }
        if let Some(skip) = &mut self.skip {
            let now = (*skip).min(self.pending.len());
            self.pending.drain(..now);
            *skip -= now;
        }
        let read = Frames::read(&self.pending, line).unwrap_or(self.pending.len());
        self.pending.drain(..read);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::core::Stream;

    #[test]
    fn what_mesos_writes_is_told_from_what_the_task_writes() {
        for line in [
            "I1122 10:07:11.123456 12345 executor.cpp:740] Forked command at 12346",
            "W1122 10:07:11.123456 12345 fetcher.cpp:911] Copying instead of extracting resource",
        ] {
            assert!(is_mesos(line), "{line}");
        }
        for line in ["INFO: building", "I1122 is a ticket", "Error: no such file", ""] {
            assert!(!is_mesos(line), "{line}");
        }
    }

    #[test]
    fn what_has_come_already_does_not_come_again() {
        let mut frames = Frames::default();
        frames.push(Stream::Stdout, b"one", true);
        frames.push(Stream::Stderr, b"two", true);
        let mut file = b"100\n".to_vec();
        file.extend(frames.into_bytes());
        for (received, wanted) in [(100, vec!["one", "two"]), (108, vec!["two"]), (116, vec![])] {
            // However the pages are cut.
            for cut in 1..file.len() {
                let (mut rest, mut found) = (Rest::default(), Vec::new());
                for page in file.chunks(cut) {
                    rest.take(page, received, &mut |line| {
                        found.push(String::from_utf8(line.bytes).unwrap());
                    });
                }
                assert_eq!(found, wanted, "{received} received, cut at {cut}");
            }
        }
    }
}
