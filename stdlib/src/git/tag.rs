//! `git.tag`

use super::repository;
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact git.tag, tag;
    "
    # The tag of the commit that is checked out; null when it has none.
    #
    # From the CI where it says (Jenkins: `TAG_NAME`), else the tag that points at the commit; of
    # several the last by name.
    -> string?
    "
    examples: [r#"git.tag matches "v*""#]
}

fn tag(world: &World, _: &Arguments) -> Result<Value, Failure> {
    if let Some(found) = repository::from_ci(world, &["TAG_NAME"]) {
        return Ok(found.into());
    }
    let repository = repository::open(world)?;
    let head = repository::head(&repository)?.id();
    let mut found: Option<String> = None;
    let names = repository.tag_names(None).ok();
    for name in names.iter().flat_map(|names| names.iter()).filter_map(|name| name.ok().flatten()) {
        let reference = repository.find_reference(&format!("refs/tags/{name}"));
        let commit = reference.and_then(|reference| reference.peel_to_commit());
        if commit.is_ok_and(|commit| commit.id() == head) && found.as_deref() < Some(name) {
            found = Some(name.to_owned());
        }
    }
    Ok(found.into())
}
