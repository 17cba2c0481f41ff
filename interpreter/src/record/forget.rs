//! Records are not kept for ever.

use std::{fs, path::Path};

use jiff::{SignedDuration, Timestamp};

use super::{Ledger, Past, runs};
use crate::event::Outcome;

/// So many of the newest runs are kept, however old they are.
const KEPT: usize = 50;
/// Older ones are kept for so long.
const DAYS: i64 = 30;

/// Removes the records of runs that are neither among the newest 50 nor of the last 30 days.
/// A run that waits for an answer is kept. What can't be removed stays: it does no harm.
pub fn forget(root: &Path, now: Timestamp) {
    let Ok(runs) = runs(root) else { return };
    let old = &runs[..runs.len().saturating_sub(KEPT)];
    let Ok(limit) = now.checked_sub(SignedDuration::from_hours(24 * DAYS)) else { return };
    for run in old {
        let changed = fs::metadata(run.folder.join(super::EVENTS)).and_then(|m| m.modified());
        let changed = changed.ok().and_then(|time| Timestamp::try_from(time).ok());
        if changed.is_none_or(|changed| changed > limit) {
            continue;
        }
        let waits = Ledger::read(&run.folder)
            .is_ok_and(|ledger| matches!(Past::of(&ledger).ended, Some((Outcome::Waiting, _))));
        if !waits {
            let _ = fs::remove_dir_all(&run.folder);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn old_ones_go_and_new_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..KEPT + 3 {
            let run = folder.path().join(".pipe/runs").join(format!("{number:03}"));
            fs::create_dir_all(&run).unwrap();
            fs::write(run.join(super::super::EVENTS), "").unwrap();
        }
        let now = Timestamp::now();
        forget(folder.path(), now);
        assert_eq!(runs(folder.path()).unwrap().len(), KEPT + 3);
        forget(folder.path(), now.checked_add(SignedDuration::from_hours(24 * 31)).unwrap());
        let left = runs(folder.path()).unwrap();
        assert_eq!((left.len(), left[0].run.as_str()), (KEPT, "003"));
    }
}
