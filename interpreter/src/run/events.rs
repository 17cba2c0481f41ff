//! Where events go: masked, in one order, into the journal and to those who show them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pipe_grammar::Code;
use pipe_stdlib::core::{Failure, Intent, Stream, World};

use super::journal::Journal;
use crate::{
    event::{Event, EventKind},
    mask::Mask,
};

/// Somebody who shows events. It sees masked text only.
pub trait Reporter: Send {
    /// Shows an event.
    fn event(&mut self, event: &Event);

    /// Shows a line of a stage's output; a piece of one where it is not complete.
    fn output(&mut self, stage: &str, stream: Stream, line: &[u8], complete: bool);
}

/// Takes events from everywhere in a run and puts them into one order.
pub struct Events {
    world: std::sync::Arc<World>,
    /// Hides secrets.
    pub mask: Mask,
    inner: Mutex<Inner>,
}

struct Inner {
    journal: Journal,
    reporter: Box<dyn Reporter>,
    steps: usize,
    /// What was recorded before it was done, in order.
    intents: Vec<Intent>,
    /// The journal could not be written; said once.
    broken: Option<String>,
    /// The last lines of each step that runs, for the message when it fails.
    tails: std::collections::HashMap<usize, std::collections::VecDeque<String>>,
}

/// So many last lines are shown of what has failed.
const TAIL: usize = 10;

impl Events {
    /// Puts a journal and a reporter together.
    #[must_use]
    pub fn new(
        world: std::sync::Arc<World>,
        journal: Journal,
        reporter: Box<dyn Reporter>,
    ) -> Self {
        let tails = std::collections::HashMap::new();
        let inner = Inner { journal, reporter, steps: 0, intents: Vec::new(), broken: None, tails };
        Self { world, mask: Mask::default(), inner: Mutex::new(inner) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for a new step.
    #[must_use]
    pub fn next_step(&self) -> usize {
        let mut inner = self.lock();
        inner.steps += 1;
        inner.steps
    }

    /// Tells of something that happened.
    pub fn emit(&self, kind: EventKind) {
        let event = Event { at: self.world.now().to_string(), kind };
        let mut inner = self.lock();
        inner.keep(&event);
        inner.reporter.event(&event);
    }

    /// Records an effect that is about to happen.
    ///
    /// # Errors
    ///
    /// When it can't be recorded: then it must not happen.
    pub fn intend(&self, kind: EventKind) -> Result<(), Failure> {
        let event = Event { at: self.world.now().to_string(), kind };
        let mut inner = self.lock();
        let written = inner.journal.write(&event);
        inner.reporter.event(&event);
        if let (Ok(()), EventKind::Intent { intent, .. }) = (&written, event.kind) {
            inner.intents.push(intent);
        }
        written.map_err(|error| {
            let folder = inner.journal.folder().display();
            let what = format!("the journal in `{folder}` can't be written: {}", plain(&error));
            Failure::infrastructure(Code::INTERNAL, what)
                .help("nothing was changed; make room or give the right to write, and run again")
        })
    }

    /// The effects that were recorded so far, oldest first.
    #[must_use]
    pub fn intended(&self) -> Vec<Intent> {
        self.lock().intents.clone()
    }

    /// Passes on a line of output.
    pub fn output(&self, stage: &str, step: usize, stream: Stream, line: &[u8], complete: bool) {
        let masked = self.mask.bytes(line);
        let mut inner = self.lock();
        if let Err(error) = inner.journal.log(stage, &masked, complete) {
            inner.complain(&error);
        }
        let tail = inner.tails.entry(step).or_default();
        if tail.len() >= TAIL {
            tail.pop_front();
        }
        tail.push_back(shown(&masked));
        inner.reporter.output(stage, stream, &masked, complete);
    }

    /// The last lines of a step's output; they are forgotten by that.
    #[must_use]
    pub fn take_tail(&self, step: usize) -> Vec<String> {
        self.lock().tails.remove(&step).map(Vec::from).unwrap_or_default()
    }

    /// Why the journal is not whole, if it is not.
    #[must_use]
    pub fn broken(&self) -> Option<String> {
        self.lock().broken.clone()
    }

    /// The folder of the run.
    #[must_use]
    pub fn folder(&self) -> std::path::PathBuf {
        self.lock().journal.folder().to_path_buf()
    }
}

impl Inner {
    fn keep(&mut self, event: &Event) {
        if let Err(error) = self.journal.write(event) {
            self.complain(&error);
        }
    }

    fn complain(&mut self, error: &std::io::Error) {
        if self.broken.is_none() {
            self.broken = Some(plain(error));
        }
    }
}

/// A line for a message: without control characters, not longer than a few lines of a terminal.
fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(2000)]);
    let clean: String = text.chars().filter(|c| !c.is_control() || *c == '\t').collect();
    clean.chars().take(300).collect()
}

/// An error of the system in words, without its number.
#[must_use]
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}
