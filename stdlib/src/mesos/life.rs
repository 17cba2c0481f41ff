//! A task that has begun, watched until its end.

use std::time::Duration;

use tokio::sync::watch;

use super::{Fate, Handle, Note, scheduler::End};
use crate::client::mesos::State;

/// A task that has begun. Dropping it ends the task.
pub(super) struct Life {
    handle: Handle,
    end: watch::Receiver<Option<End>>,
    trouble: watch::Receiver<Option<String>>,
}

impl Life {
    /// Watches it from here on.
    pub(super) fn watch(mut handle: Handle) -> Self {
        let (sender, end) = watch::channel(None);
        let (out, trouble) = watch::channel(None);
        let mut notes = handle.take_notes();
        // It ends with the notes, which end with the handle or the framework.
        tokio::spawn(async move {
            while let Some(note) = notes.recv().await {
                match note {
                    Note::Ended(end) => {
                        sender.send_replace(Some(end));
                        return;
                    }
                    Note::OutOfSight(why) => {
                        out.send_replace(Some(format!("the task {why}")));
                    }
                    Note::BackInSight | Note::State(_) => {
                        out.send_replace(None);
                    }
                    // It began, so it is not given to another agent any more.
                    Note::Contact(_) | Note::Waiting { .. } | Note::Placed(_) | Note::Again(_) => {}
                }
            }
            sender.send_replace(Some(End::without_word()));
        });
        Self { handle, end, trouble }
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) -> End {
        let mut end = self.end.clone();
        let found = end.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        found.unwrap_or_else(End::without_word)
    }

    /// Why it can't be seen at the moment, if it can't.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// Tells it to end, in at most so long.
    pub(super) fn kill(&self, grace: Duration) {
        self.handle.kill(grace);
    }
}

impl End {
    /// Nobody is there any more to tell how a task ended.
    pub(super) fn without_word() -> Self {
        Self {
            fate: Fate::over("this run's framework is over"),
            state: State::TaskUnknown,
            reason: String::new(),
            message: String::new(),
        }
    }

    /// Mesos's own words, for those who know Mesos: `TASK_FAILED, REASON_…: …`.
    pub(super) fn shown(&self) -> String {
        let mut text = self.state.name().to_owned();
        for (before, part) in [(", ", &self.reason), (": ", &self.message)] {
            if let Some(line) = part.lines().next().filter(|line| !line.is_empty()) {
                text.push_str(before);
                text.push_str(line);
            }
        }
        text
    }
}
