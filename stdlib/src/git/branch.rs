//! `git.branch`

use super::repository;
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact git.branch, branch;
    "
    # The branch that is built; null when none is known.
    #
    # From the CI where it says (Jenkins: `BRANCH_NAME`, `GIT_LOCAL_BRANCH`, `GIT_BRANCH` without
    # its remote), else from the repository. A detached checkout without a CI has none.
    -> string?
    "
    examples: [r#"git.branch == "main""#]
}

fn branch(world: &World, _: &Arguments) -> Result<Value, Failure> {
    of(world).map(Value::from)
}

/// The branch that is built.
pub(super) fn of(world: &World) -> Result<Option<String>, Failure> {
    // A tag build of a multibranch job sets both; it builds a tag, not a branch.
    if repository::from_ci(world, &["TAG_NAME"]).is_some() {
        return Ok(None);
    }
    if let Some(found) = repository::from_ci(world, &["BRANCH_NAME", "GIT_LOCAL_BRANCH"]) {
        return Ok(Some(found));
    }
    if let Some(found) = repository::from_ci(world, &["GIT_BRANCH"]) {
        let plain = found.strip_prefix("refs/heads/").unwrap_or(&found);
        return Ok(Some(plain.strip_prefix("origin/").unwrap_or(plain).to_owned()));
    }
    let repository = repository::open(world)?;
    let head = repository.find_reference("HEAD").ok();
    let target = head.as_ref().and_then(|head| head.symbolic_target().ok().flatten());
    let name = target.and_then(|name| name.strip_prefix("refs/heads/"));
    Ok(name.map(str::to_owned))
}
