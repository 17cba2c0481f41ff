//! The repository around the Pipelinefile, opened without running anything that its
//! configuration names.

use git2::{Commit, Repository};
use pipe_grammar::Code;

use crate::core::{Failure, World};

/// Opens the repository that holds the folder of the Pipelinefile.
///
/// libgit2 runs no hook, no pager, no `core.fsmonitor` and no filter program; the check of the
/// folder's owner is switched off, because containers and CI check out as one user and build as
/// another, and nothing here runs what the repository configures.
pub(super) fn open(world: &World) -> Result<Repository, Failure> {
    unowned();
    Repository::discover(world.root()).map_err(|_| {
        let folder = world.root().display();
        Failure::new(Code::NO_REPOSITORY, format!("`{folder}` is in no git repository"))
            .help("`git init`, or check the sources out with git")
    })
}

fn unowned() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        #[expect(
            unsafe_code,
            reason = "a setting of libgit2, made once before any repository is open"
        )]
        // SAFETY: no other thread uses libgit2 before this `Once` is done.
        let set = unsafe { git2::opts::set_verify_owner_validation(false) };
        // Without it, a repository of another owner is refused: a message, no wrong answer.
        set.ok();
    });
}

/// The commit that is checked out.
pub(super) fn head(repository: &Repository) -> Result<Commit<'_>, Failure> {
    repository.head().and_then(|head| head.peel_to_commit()).map_err(|_| {
        Failure::new(Code::NO_REPOSITORY, "the git repository has no commit yet")
            .help("commit something: `git add . && git commit`")
    })
}

/// The branch or tag that the CI says it builds: its own variables are right where a detached
/// checkout knows none.
pub(super) fn from_ci(world: &World, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| world.variable(name)).filter(|v| !v.is_empty()).map(str::to_owned)
}
