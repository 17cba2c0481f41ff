//! The events of a journal, each verified.

use std::{fs, io, path::Path};

use super::{EVENTS, open};
use crate::event::{Event, EventKind, SCHEMA};

/// The events of a run that can be read.
#[derive(Debug, Default)]
pub struct Ledger {
    /// In the order in which they happened.
    pub events: Vec<Event>,
    /// What can't be read.
    pub damage: Vec<Damage>,
    /// The last line has no end.
    pub torn: bool,
    /// The number of the last event, also when it can't be read.
    pub last: u64,
}

/// A part of a journal that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The last line was not written to its end: the run was interrupted there.
    Torn,
    /// This line is not what was written.
    Line(usize),
    /// So many events are missing before this line.
    Missing(u64, usize),
    /// The journal was written by a newer `pipe`: its version of the shape of events.
    Newer(u64),
}

impl Damage {
    /// In words.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Torn => "its last record was not written to the end".to_owned(),
            Self::Line(line) => format!("line {line} of it is damaged"),
            Self::Missing(count, line) => {
                let records =
                    pipe_grammar::diagnostic::count("record", usize::try_from(*count).unwrap_or(0));
                format!("{records} before line {line} of it are missing")
            }
            Self::Newer(_) => "it was written by a newer version of `pipe`".to_owned(),
        }
    }
}

impl Ledger {
    /// Reads the journal in the folder of a run.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        Ok(Self::of(&fs::read(folder.join(EVENTS))?))
    }

    /// Reads the text of a journal.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut ledger =
            Self { torn: !bytes.is_empty() && !bytes.ends_with(b"\n"), ..Self::default() };
        let text = String::from_utf8_lossy(bytes);
        let count = text.lines().count();
        // A damaged line stands for one event: it is not missing too.
        let mut damaged = 0;
        for (number, line) in text.lines().enumerate() {
            // A new line begins behind one that was torn.
            if line.is_empty() {
                continue;
            }
            let value = open(line);
            if let Some(schema) = value.as_ref().and_then(|value| value.get("schema")?.as_u64())
                && schema > u64::from(SCHEMA)
            {
                ledger.damage.push(Damage::Newer(schema));
                return ledger;
            }
            let event = value.and_then(|value| serde_json::from_value::<Event>(value).ok());
            match event {
                Some(event) => {
                    let missing = event.n.saturating_sub(ledger.last + 1 + damaged);
                    if missing > 0 {
                        ledger.damage.push(Damage::Missing(missing, number + 1));
                    }
                    // A record that was torn was told of when the run was resumed.
                    let resumed = matches!(event.kind, EventKind::RunResumed { .. });
                    if resumed && ledger.damage.last() == Some(&Damage::Line(number)) {
                        ledger.damage.pop();
                    }
                    ledger.last = event.n;
                    damaged = 0;
                    ledger.events.push(event);
                }
                None if ledger.torn && number + 1 == count => ledger.damage.push(Damage::Torn),
                None => {
                    damaged += 1;
                    ledger.damage.push(Damage::Line(number + 1));
                }
            }
        }
        ledger.last += damaged;
        ledger
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::seal;

    fn text(numbers: &[u64]) -> Vec<u8> {
        let line = |n: &u64| {
            let kind = EventKind::StageSkipped { stage: "a".into(), reason: String::new() };
            let event = Event { n: *n, at: "t".into(), kind };
            seal(&serde_json::to_vec(&event).unwrap_or_default())
        };
        numbers.iter().flat_map(line).collect()
    }

    #[test]
    fn what_was_written_is_read() {
        let ledger = Ledger::of(&text(&[1, 2, 3]));
        assert_eq!((ledger.events.len(), ledger.last, ledger.torn), (3, 3, false));
        assert_eq!(ledger.damage, []);
    }

    #[test]
    fn a_torn_record_is_told_and_nothing_before_it_lost() {
        let mut bytes = text(&[1, 2]);
        bytes.truncate(bytes.len() - 5);
        let ledger = Ledger::of(&bytes);
        assert_eq!((ledger.events.len(), ledger.last, ledger.torn), (1, 1, true));
        assert_eq!(ledger.damage, [Damage::Torn]);
    }

    #[test]
    fn a_flipped_byte_costs_one_record() {
        let mut bytes = text(&[1, 2, 3]);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let ledger = Ledger::of(&bytes);
        assert_eq!((ledger.events.len(), ledger.last), (2, 3));
        assert_eq!(ledger.damage, [Damage::Line(2)]);
    }

    #[test]
    fn a_lost_record_is_missed() {
        assert_eq!(Ledger::of(&text(&[1, 4])).damage, [Damage::Missing(2, 2)]);
    }

    #[test]
    fn a_record_behind_a_torn_one_is_read() {
        let mut bytes = text(&[1]);
        bytes.extend_from_slice(b"{\"n\":2,\n");
        bytes.extend(text(&[2]));
        let ledger = Ledger::of(&bytes);
        assert_eq!((ledger.events.len(), ledger.last), (2, 2));
        assert_eq!(ledger.damage, [Damage::Line(2)]);
    }
}
