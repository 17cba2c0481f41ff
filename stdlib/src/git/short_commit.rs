//! `git.short_commit`

use super::repository;
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact git.short_commit, short_commit;
    "
    # The commit that is checked out, its first 12 digits.
    -> string
    "
    examples: ["git.short_commit"]
}

fn short_commit(world: &World, _: &Arguments) -> Result<Value, Failure> {
    let repository = repository::open(world)?;
    let id = repository::head(&repository)?.id().to_string();
    Ok(id[..12].into())
}
