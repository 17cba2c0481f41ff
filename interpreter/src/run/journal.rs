//! What a run leaves in `.pipe/runs/ID`: its events, one a line, and the output of each stage.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::event::{Event, EventKind};

/// The folder of all runs beside a Pipelinefile.
pub const FOLDER: &str = ".pipe";

/// The journal of one run.
pub struct Journal {
    folder: PathBuf,
    events: File,
    logs: HashMap<String, File>,
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
        let events =
            OpenOptions::new().create_new(true).append(true).open(folder.join("events.jsonl"))?;
        Ok(Self { folder, events, logs: HashMap::new() })
    }

    /// Appends an event with one write(2), so that it survives the death of `pipe`; what an effect
    /// outside this machine relies on is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// When it can't be written: then what it announces must not happen.
    pub fn write(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.events.write_all(&line)?;
        match event.kind {
            EventKind::Intent { .. }
            | EventKind::StageFinished { .. }
            | EventKind::RunFinished { .. } => self.events.sync_data(),
            _ => Ok(()),
        }
    }

    /// Appends to the log of a stage.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn log(&mut self, stage: &str, bytes: &[u8], complete: bool) -> io::Result<()> {
        if !self.logs.contains_key(stage) {
            let path = self.folder.join(log_name(stage));
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            self.logs.insert(stage.to_owned(), file);
        }
        let Some(file) = self.logs.get_mut(stage) else { return Ok(()) };
        if !complete {
            return file.write_all(bytes);
        }
        let mut line = Vec::with_capacity(bytes.len() + 1);
        line.extend_from_slice(bytes);
        line.push(b'\n');
        file.write_all(&line)
    }

    /// The folder of the run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The log of a stage, in the folder of the run; that of the handlers behind the last stage is
/// `handlers.log`.
#[must_use]
pub fn log_name(stage: &str) -> String {
    if stage.is_empty() { "handlers.log".to_owned() } else { format!("{stage}.log") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_journal_keeps_git_out_and_events_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path(), "r1").unwrap();
        let kind = EventKind::StageSkipped { stage: "a".into(), reason: "x\ny".into() };
        journal.write(&Event { at: "t".into(), kind }).unwrap();
        journal.log("a", b"line", true).unwrap();
        let events = fs::read_to_string(folder.path().join(".pipe/runs/r1/events.jsonl")).unwrap();
        assert_eq!(events.lines().count(), 1);
        assert!(events.contains(r#""event":"stage_skipped""#));
        assert_eq!(fs::read_to_string(folder.path().join(".pipe/.gitignore")).unwrap(), "*\n");
        assert_eq!(
            fs::read_to_string(folder.path().join(".pipe/runs/r1/a.log")).unwrap(),
            "line\n"
        );
        assert!(Journal::create(folder.path(), "r1").is_err());
    }
}
