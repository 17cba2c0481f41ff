//! `git.commit`

use super::repository;
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact git.commit, commit;
    "
    # The commit that is checked out, 40 digits.
    -> string
    "
    examples: ["git.commit"]
}

fn commit(world: &World, _: &Arguments) -> Result<Value, Failure> {
    let repository = repository::open(world)?;
    Ok(repository::head(&repository)?.id().to_string().into())
}
