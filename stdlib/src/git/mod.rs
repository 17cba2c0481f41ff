//! `git`: what the repository says of the commit, read by a library: no process, no hook. Only
//! `git.push` runs git, for the credentials that it finds.

mod clean;
mod repository;
mod state;

pub use clean::check_out;
pub use state::state;

use crate::core::module;

module! {
    "The commit that is built."
    git: author, branch, changed, commit, create_tag, describe, dirty, push, remote, short_commit, tag;
    types: &[("Author", "{ name: string, email: string }")]
}
