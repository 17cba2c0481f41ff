//! `git.dirty`

use super::repository;
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact git.dirty, dirty;
    "
    # Whether files that git tracks differ from the commit.
    -> bool
    "
    examples: ["not git.dirty"]
}

fn dirty(world: &World, _: &Arguments) -> Result<Value, Failure> {
    let repository = repository::open(world)?;
    let mut options = git2::StatusOptions::new();
    // The index is not refreshed: `check` and `plan` change no file.
    options.include_untracked(false).include_ignored(false).update_index(false).no_refresh(false);
    let statuses = repository.statuses(Some(&mut options)).map_err(Failure::internal)?;
    Ok((!statuses.is_empty()).into())
}
