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

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use git2::{Repository, RepositoryInitOptions, Signature};

    use crate::testing::Machine;

    /// A machine whose folder is a repository.
    pub(in crate::git) fn repository() -> Machine {
        let machine = Machine::new();
        let mut options = RepositoryInitOptions::new();
        options.initial_head("main");
        let made = Repository::init_opts(machine.folder.path(), &options).unwrap();
        let mut config = made.config().unwrap();
        config.set_str("user.name", "A Developer").unwrap();
        config.set_str("user.email", "dev@example.com").unwrap();
        machine
    }

    /// Commits everything; gives the commit.
    pub(in crate::git) fn commit(machine: &Machine, message: &str) -> String {
        let repository = Repository::open(machine.folder.path()).unwrap();
        let mut index = repository.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let author = Signature::now("A Developer", "dev@example.com").unwrap();
        let parent = repository.head().ok().map(|head| head.peel_to_commit().unwrap());
        let parents: Vec<_> = parent.iter().collect();
        repository
            .commit(Some("HEAD"), &author, &author, message, &tree, &parents)
            .unwrap()
            .to_string()
    }
}
