//! Where events go: masked, in one order, into the journal and to those who show them.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use pipe_grammar::Code;
use pipe_stdlib::core::{Failure, Intent, Stream, World};

use super::journal::{Journal, Piece};
use crate::{
    event::{Event, EventKind},
    mask::Mask,
    record::Past,
};

/// Somebody who shows events. It sees masked text only.
pub trait Reporter: Send {
    /// Shows an event.
    fn event(&mut self, event: &Event);

    /// Shows a line of a stage's output; a piece of one where it is not complete.
    fn output(&mut self, piece: Piece<'_>);

    /// Nothing has happened for so many seconds: says what is waited for.
    fn silence(&mut self, _seconds: u64) {}
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
    tails: HashMap<usize, VecDeque<Vec<u8>>>,
    /// When something was shown last.
    shown: Instant,
    /// The ends of lines that go on: a secret may have begun there.
    carried: Vec<(usize, Stream, Vec<u8>)>,
}

/// Jenkins and people take a longer silence for a hang.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// So many last lines are shown of what has failed.
const TAIL: usize = 10;
/// And so many bytes of each.
const LONGEST_TAIL: usize = 2000;

impl Events {
    /// Puts a journal and a reporter together.
    #[must_use]
    pub fn new(
        world: std::sync::Arc<World>,
        journal: Journal,
        reporter: Box<dyn Reporter>,
    ) -> Self {
        let tails = HashMap::new();
        let inner = Inner {
            journal,
            reporter,
            steps: 0,
            intents: Vec::new(),
            broken: None,
            tails,
            shown: Instant::now(),
            carried: Vec::new(),
        };
        Self { world, mask: Mask::default(), inner: Mutex::new(inner) }
    }

    /// Goes on where an earlier part of the run was.
    pub fn after(&self, past: &Past) {
        let mut inner = self.lock();
        inner.steps = past.steps;
        inner.intents.clone_from(&past.intents);
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
        let at = self.world.now().to_string();
        let mut inner = self.lock();
        let event = match inner.journal.write(at.clone(), kind.clone()) {
            Ok(event) => event,
            Err(error) => {
                inner.complain(&error);
                Event { n: 0, at, kind }
            }
        };
        inner.shown = Instant::now();
        inner.reporter.event(&event);
    }

    /// Looks whether it has been silent for so long that somebody may think that nothing goes on;
    /// whoever waits calls it now and then.
    pub fn listen(&self) {
        let mut inner = self.lock();
        let silent = inner.shown.elapsed();
        if silent >= LONGEST_SILENCE {
            inner.shown = Instant::now();
            inner.reporter.silence(silent.as_secs());
        }
    }

    /// Records an effect that is about to happen.
    ///
    /// # Errors
    ///
    /// When it can't be recorded: then it must not happen.
    pub fn intend(&self, kind: EventKind) -> Result<(), Failure> {
        let at = self.world.now().to_string();
        let mut inner = self.lock();
        match inner.journal.write(at, kind) {
            Ok(event) => {
                inner.reporter.event(&event);
                if let EventKind::Intent { intent, .. } = event.kind {
                    inner.intents.push(intent);
                }
                Ok(())
            }
            Err(error) => {
                inner.complain(&error);
                Err(inner.unwritable())
            }
        }
    }

    /// Whether what happens can be recorded. When it can't, nothing more may be begun: nobody could
    /// tell later whether it was done.
    ///
    /// # Errors
    ///
    /// When a record was lost.
    pub fn is_whole(&self) -> Result<(), Failure> {
        let inner = self.lock();
        if inner.broken.is_none() { Ok(()) } else { Err(inner.unwritable()) }
    }

    /// The effects that were recorded so far, oldest first.
    #[must_use]
    pub fn intended(&self) -> Vec<Intent> {
        self.lock().intents.clone()
    }

    /// Passes on a line of output.
    pub fn output(&self, piece: Piece<'_>) {
        let mut inner = self.lock();
        let whole = inner.join(piece, &self.mask);
        let masked = self.mask.bytes(&whole);
        let piece = Piece { bytes: &masked, ..piece };
        if let Err(error) = inner.journal.log(piece) {
            inner.complain(&error);
        }
        let tail = inner.tails.entry(piece.step).or_default();
        if tail.len() >= TAIL {
            tail.pop_front();
        }
        tail.push_back(piece.bytes[..piece.bytes.len().min(LONGEST_TAIL)].to_vec());
        inner.shown = Instant::now();
        inner.reporter.output(piece);
    }

    /// The last lines of a step's output; they are forgotten by that.
    #[must_use]
    pub fn take_tail(&self, step: usize) -> Vec<String> {
        let tail = self.lock().tails.remove(&step).unwrap_or_default();
        tail.iter().map(|line| shown(line)).collect()
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
    /// What of a line can be shown now: what was carried of it, and of a piece that goes on as much
    /// as holds no beginning of a secret. The rest is carried.
    fn join<'p>(&mut self, piece: Piece<'p>, mask: &Mask) -> Cow<'p, [u8]> {
        let found = self
            .carried
            .iter()
            .position(|(step, stream, _)| (*step, *stream) == (piece.step, piece.stream));
        let carried = found.map(|number| self.carried.swap_remove(number).2);
        let mut whole = match carried {
            Some(mut carried) => {
                carried.extend_from_slice(piece.bytes);
                Cow::Owned(carried)
            }
            None => Cow::Borrowed(piece.bytes),
        };
        if !piece.complete {
            let cut = mask.safe(&whole);
            self.carried.push((piece.step, piece.stream, whole[cut..].to_vec()));
            whole.to_mut().truncate(cut);
        }
        whole
    }

    fn unwritable(&self) -> Failure {
        let folder = self.journal.folder().display();
        let why = self.broken.as_deref().unwrap_or("");
        let what = format!("the journal in `{folder}` can't be written: {why}");
        Failure::infrastructure(Code::INTERNAL, what).help(
            "nothing more was begun; make room or give the right to write, then `pipe resume`",
        )
    }

    fn complain(&mut self, error: &std::io::Error) {
        if self.broken.is_none() {
            self.broken = Some(plain(error));
        }
    }
}

/// A line for a message: without control characters, not longer than a few lines of a terminal.
fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = anstream::adapter::strip_str(&text).to_string();
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use pipe_stdlib::core::Secret;

    use super::*;

    struct Nobody;

    impl Reporter for Nobody {
        fn event(&mut self, _: &Event) {}

        fn output(&mut self, _: Piece<'_>) {}
    }

    #[test]
    fn a_secret_across_pieces_is_hidden_and_nothing_is_lost() {
        let secret = "correct-horse-battery";
        let line = format!("{}{secret}{}{secret}", "x".repeat(40), "y".repeat(30));
        let expected = line.replace(secret, crate::mask::STARS);
        for cut in 1..line.len() {
            for second in [cut, (cut + 7).min(line.len())] {
                let folder = tempfile::tempdir().unwrap();
                let root = folder.path().to_path_buf();
                let world =
                    World::new(root.clone(), root.clone(), std::collections::BTreeMap::new());
                let journal = Journal::create(&root, "r").unwrap();
                let events = Events::new(Arc::new(world), journal, Box::new(Nobody));
                events.mask.add(&Secret::new(secret));
                let parts = [&line[..cut], &line[cut..second], &line[second..]];
                for (number, part) in parts.iter().enumerate() {
                    let (stream, complete) = (Stream::Stdout, number == 2);
                    let bytes = part.as_bytes();
                    events.output(Piece { stage: "a", step: 1, stream, bytes, complete });
                }
                let log = std::fs::read_to_string(events.folder().join("a.log")).unwrap();
                assert_eq!(log, format!("{expected}\n"), "cut at {cut} and {second}");
            }
        }
    }
}
