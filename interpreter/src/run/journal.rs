//! What a run leaves in `.pipe/runs/ID`: its events, one a line, and the output of each stage.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use pipe_stdlib::core::Stream;

use crate::{
    event::{Event, EventKind},
    record::{EVENTS, seal},
};

/// The folder of all runs beside a Pipelinefile.
pub const FOLDER: &str = ".pipe";

/// What was written is on the disk after so long at the latest.
const SYNC: Duration = Duration::from_millis(100);

/// The journal of one run.
pub struct Journal {
    folder: PathBuf,
    events: File,
    /// The number of the last event.
    last: u64,
    /// The last line has no end: a write failed in its middle, or the run was interrupted there.
    torn: bool,
    synced: Instant,
    logs: HashMap<String, Log>,
}

/// The output of a stage, and whose it is.
struct Log {
    text: File,
    /// Lines `OFFSET STEP STREAM`: from that byte on, the text is the output of that step.
    index: File,
    length: u64,
    source: Option<(usize, Stream)>,
}

/// A piece of a stage's output.
#[derive(Clone, Copy)]
pub struct Piece<'a> {
    /// The stage.
    pub stage: &'a str,
    /// The step that wrote it.
    pub step: usize,
    /// Where it was written to.
    pub stream: Stream,
    /// The text, without the end of its line.
    pub bytes: &'a [u8],
    /// Whether the line ends there.
    pub complete: bool,
}

impl Journal {
    /// Makes the folder of a run, and `.pipe` itself where it is missing, with a `.gitignore` that
    /// keeps it out of the repository.
    ///
    /// # Errors
    ///
    /// When a folder or file can't be made.
    pub fn create(root: &Path, run: &str) -> io::Result<Self> {
        let top = root.join(FOLDER);
        let folder = top.join("runs").join(run);
        fs::create_dir_all(&folder)?;
        let ignore = top.join(".gitignore");
        if !ignore.exists() {
            fs::write(ignore, "*\n")?;
        }
        let events = OpenOptions::new().create_new(true).append(true).open(folder.join(EVENTS))?;
        Ok(Self::new(folder, events, 0, false))
    }

    /// Opens the journal of a run that goes on. `last` is the number of its last event, `torn`
    /// says that the last line has no end.
    ///
    /// # Errors
    ///
    /// When it can't be opened for writing.
    pub fn resume(folder: PathBuf, last: u64, torn: bool) -> io::Result<Self> {
        let events = OpenOptions::new().append(true).open(folder.join(EVENTS))?;
        Ok(Self::new(folder, events, last, torn))
    }

    fn new(folder: PathBuf, events: File, last: u64, torn: bool) -> Self {
        Self { folder, events, last, torn, synced: Instant::now(), logs: HashMap::new() }
    }

    /// Appends an event with one write(2), so that it survives the death of `pipe`; what an effect
    /// outside this machine relies on is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// When it can't be written: then what it announces must not happen.
    pub fn write(&mut self, at: String, kind: EventKind) -> io::Result<Event> {
        let event = Event { n: self.last + 1, at, kind };
        let mut line = seal(&serde_json::to_vec(&event)?);
        if self.torn {
            line.insert(0, b'\n');
        }
        // What is written in part only must not swallow the next one.
        self.torn = true;
        self.events.write_all(&line)?;
        self.torn = false;
        self.last = event.n;
        #[cfg(debug_assertions)]
        die_at(event.n);
        let relied_on = matches!(
            event.kind,
            EventKind::Intent { .. }
                | EventKind::StageFinished { .. }
                | EventKind::Answered { .. }
                | EventKind::RunFinished { .. }
        );
        if relied_on || self.synced.elapsed() >= SYNC {
            self.events.sync_data()?;
            self.synced = Instant::now();
        }
        Ok(event)
    }

    /// Appends to the log of a stage.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn log(&mut self, piece: Piece<'_>) -> io::Result<()> {
        if !self.logs.contains_key(piece.stage) {
            let log = Log::open(&self.folder, piece.stage)?;
            self.logs.insert(piece.stage.to_owned(), log);
        }
        let Some(log) = self.logs.get_mut(piece.stage) else { return Ok(()) };
        log.write(piece)
    }

    /// The folder of the run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Log {
    fn open(folder: &Path, stage: &str) -> io::Result<Self> {
        let open =
            |name: String| OpenOptions::new().create(true).append(true).open(folder.join(name));
        let text = open(log_name(stage))?;
        let length = text.metadata()?.len();
        Ok(Self { text, index: open(index_name(stage))?, length, source: None })
    }

    fn write(&mut self, piece: Piece<'_>) -> io::Result<()> {
        let source = Some((piece.step, piece.stream));
        if self.source != source {
            self.source = source;
            let stream = match piece.stream {
                Stream::Stdout => "out",
                Stream::Stderr => "err",
            };
            let line = format!("{} {} {stream}\n", self.length, piece.step);
            self.index.write_all(line.as_bytes())?;
        }
        if !piece.complete {
            self.length += piece.bytes.len() as u64;
            return self.text.write_all(piece.bytes);
        }
        let mut line = Vec::with_capacity(piece.bytes.len() + 1);
        line.extend_from_slice(piece.bytes);
        line.push(b'\n');
        self.length += line.len() as u64;
        self.text.write_all(&line)
    }
}

/// Ends this process as a power cut would, for the tests of what happens then: behind the record
/// with the number in `PIPE_TEST_DIE_AT`.
#[cfg(debug_assertions)]
fn die_at(number: u64) {
    let wanted = std::env::var("PIPE_TEST_DIE_AT").ok();
    if wanted.and_then(|text| text.parse().ok()) == Some(number) {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// The log of a stage, in the folder of the run; that of the handlers behind the last stage is
/// `handlers.log`.
#[must_use]
pub fn log_name(stage: &str) -> String {
    if stage.is_empty() { "handlers.log".to_owned() } else { format!("{stage}.log") }
}

/// Which step has written what of the log of a stage.
#[must_use]
pub fn index_name(stage: &str) -> String {
    format!("{}.steps", log_name(stage))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn skipped(stage: &str) -> EventKind {
        EventKind::StageSkipped { stage: stage.into(), reason: "x\ny".into() }
    }

    #[test]
    fn a_journal_keeps_git_out_and_events_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path(), "r1").unwrap();
        journal.write("t".into(), skipped("a")).unwrap();
        let piece =
            Piece { stage: "a", step: 3, stream: Stream::Stderr, bytes: b"line", complete: true };
        journal.log(piece).unwrap();
        journal.log(piece).unwrap();
        journal.log(Piece { stream: Stream::Stdout, ..piece }).unwrap();
        let run = folder.path().join(".pipe/runs/r1");
        let events = fs::read_to_string(run.join("events.jsonl")).unwrap();
        assert_eq!(events.lines().count(), 1);
        assert!(events.contains(r#""event":"stage_skipped""#));
        assert_eq!(fs::read_to_string(folder.path().join(".pipe/.gitignore")).unwrap(), "*\n");
        assert_eq!(fs::read_to_string(run.join("a.log")).unwrap(), "line\nline\nline\n");
        assert_eq!(fs::read_to_string(run.join("a.log.steps")).unwrap(), "0 3 err\n10 3 out\n");
        assert!(Journal::create(folder.path(), "r1").is_err());
    }

    #[test]
    fn a_resumed_journal_begins_a_line_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path(), "r1").unwrap();
        journal.write("t".into(), skipped("a")).unwrap();
        let run = folder.path().join(".pipe/runs/r1");
        let mut torn = OpenOptions::new().append(true).open(run.join("events.jsonl")).unwrap();
        torn.write_all(br#"{"n":2,"at":"#).unwrap();
        let mut journal = Journal::resume(run.clone(), 1, true).unwrap();
        journal.write("t".into(), skipped("b")).unwrap();
        let events = fs::read_to_string(run.join("events.jsonl")).unwrap();
        assert_eq!(events.lines().count(), 3);
        assert!(events.ends_with("}\n"));
    }
}
