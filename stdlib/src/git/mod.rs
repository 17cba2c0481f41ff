//! `git`: what the repository says of the commit, read by a library: no process, no hook.

mod repository;

use crate::core::module;

module! {
    "The commit that is built."
    git: author, branch, commit, describe, dirty, short_commit, tag;
    types: &[("Author", "{ name: string, email: string }")]
}
