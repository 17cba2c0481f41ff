//! The files of the commit, for a stage that works in a tree of its own.

use git2::build::CheckoutBuilder;

use super::repository;
use crate::core::{Failure, World};

/// Writes the files of the commit that is checked out into a repository that holds none: the
/// world's, a copy of its `.git` folder only. No hook and no filter program is run.
///
/// # Errors
///
/// When there is no repository or no commit, or a file can't be written.
pub fn check_out(world: &World) -> Result<(), Failure> {
    let repository = repository::open(world)?;
    repository::head(&repository)?;
    let mut options = CheckoutBuilder::new();
    repository.checkout_head(Some(options.force())).map_err(|error| {
        let what = format!("the files of the commit can't be written: {}", error.message());
        Failure::infrastructure(pipe_grammar::Code::NO_REPOSITORY, what)
    })
}
