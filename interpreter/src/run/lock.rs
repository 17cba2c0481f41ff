//! Locks between runs on this machine, by flock(2): they go with the process that holds them.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    path::Path,
};

use rustix::fs::{FlockOperation, flock};

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// The answer of a try.
#[derive(Debug)]
pub enum Locked {
    /// It is ours.
    Yes(Lock),
    /// Somebody else has it: what they wrote into it.
    By(String),
}

impl Lock {
    /// Tries to take a lock; `note` tells others who has it.
    ///
    /// # Errors
    ///
    /// When the file can't be made or locked.
    pub fn take(file: &Path, note: &str) -> io::Result<Locked> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut opened =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(file)?;
        // Somebody who only looks at it holds it for a moment.
        let mut tries = 0;
        let answer = loop {
            match flock(&opened, FlockOperation::NonBlockingLockExclusive) {
                Err(rustix::io::Errno::WOULDBLOCK) if tries < 3 => {
                    tries += 1;
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                answer => break answer,
            }
        };
        match answer {
            Ok(()) => {
                opened.set_len(0)?;
                opened.rewind()?;
                opened.write_all(note.as_bytes())?;
                Ok(Locked::Yes(Self { _file: opened }))
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut note = String::new();
                opened.read_to_string(&mut note)?;
                Ok(Locked::By(note))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the one who holds a lock has written into it. None: nobody holds it.
    #[must_use]
    pub fn holder(file: &Path) -> Option<String> {
        let mut opened = File::open(file).ok()?;
        match flock(&opened, FlockOperation::NonBlockingLockShared) {
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut note = String::new();
                opened.read_to_string(&mut note).ok()?;
                Some(note)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_second_is_told_who_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/lock");
        let Locked::Yes(first) = Lock::take(&file, "run 1").unwrap() else { panic!("not free") };
        assert!(matches!(Lock::take(&file, "run 2").unwrap(), Locked::By(note) if note == "run 1"));
        assert_eq!(Lock::holder(&file).as_deref(), Some("run 1"));
        drop(first);
        assert_eq!(Lock::holder(&file), None);
        assert!(matches!(Lock::take(&file, "run 2").unwrap(), Locked::Yes(_)));
    }
}
