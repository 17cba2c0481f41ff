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
    // A tag build of a multibranch job sets both; it builds a tag, not a branch.
    if repository::from_ci(world, &["TAG_NAME"]).is_some() {
        return Ok(Value::Null);
    }
    if let Some(found) = repository::from_ci(world, &["BRANCH_NAME", "GIT_LOCAL_BRANCH"]) {
        return Ok(found.into());
    }
    if let Some(found) = repository::from_ci(world, &["GIT_BRANCH"]) {
        let plain = found.strip_prefix("refs/heads/").unwrap_or(&found);
        return Ok(plain.strip_prefix("origin/").unwrap_or(plain).into());
    }
    let repository = repository::open(world)?;
    let head = repository.find_reference("HEAD").ok();
    let target = head.as_ref().and_then(|head| head.symbolic_target().ok().flatten());
    let name = target.and_then(|name| name.strip_prefix("refs/heads/"));
    Ok(name.map(str::to_owned).into())
}
