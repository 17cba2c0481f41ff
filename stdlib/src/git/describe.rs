//! `git.describe`

use super::repository;
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact git.describe, describe;
    "
    # Nearest tag, distance and commit: `v1.2-3-gabc123`.
    #
    # The tag alone when the commit has it; the short commit when there is no tag.
    -> string
    "
    examples: ["git.describe"]
}

fn describe(world: &World, _: &Arguments) -> Result<Value, Failure> {
    let repository = repository::open(world)?;
    let head = repository::head(&repository)?;
    let mut options = git2::DescribeOptions::new();
    options.describe_tags();
    let described = head
        .as_object()
        .describe(&options)
        .and_then(|found| found.format(None));
    Ok(described.unwrap_or_else(|_| head.id().to_string()[..12].to_owned()).into())
}
