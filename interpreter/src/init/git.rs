//! What the repository itself says: its name and its main branch. Plain files, no process.

use std::path::Path;

use super::survey::read;

/// What git knows.
#[derive(Debug)]
pub(super) struct Git {
    /// The last part of the URL it was cloned from.
    pub(super) name: Option<String>,
    /// The branch that things are deployed from.
    pub(super) main: String,
}

/// Looks at the repository around a folder; none outside one.
pub(super) fn look(folder: &Path) -> Option<Git> {
    let top = folder.ancestors().find(|folder| folder.join(".git").exists())?;
    let git = folder_of(top);
    let name = read(&git.join("config")).as_deref().and_then(origin);
    // Further down it is a part of the repository, which has a name of its own.
    let name = name.filter(|_| top == folder);
    Some(Git { name, main: main_branch(&git) })
}

/// The folder with git's own files: `.git`, or where a worktree's `.git` leads.
fn folder_of(top: &Path) -> std::path::PathBuf {
    let git = top.join(".git");
    let Some(text) = read(&git) else { return git };
    let Some(leads_to) = text.trim().strip_prefix("gitdir: ") else { return git };
    let own = top.join(leads_to);
    match read(&own.join("commondir")) {
        Some(common) => own.join(common.trim()),
        None => own,
    }
}

/// The last part of the URL of `origin`.
fn origin(config: &str) -> Option<String> {
    let section = config.split("[remote \"origin\"]").nth(1)?;
    let lines = section.lines().take_while(|line| !line.trim_start().starts_with('['));
    let url = lines.filter_map(|line| line.trim().strip_prefix("url")).next()?;
    let url = url.trim_start().strip_prefix('=')?.trim().trim_end_matches('/');
    let last = url.rsplit(['/', ':']).next()?;
    let last = last.strip_suffix(".git").unwrap_or(last);
    (!last.is_empty()).then(|| last.to_owned())
}

fn main_branch(git: &Path) -> String {
    let head = read(&git.join("refs/remotes/origin/HEAD"));
    let remote =
        head.as_deref().and_then(|text| text.trim().strip_prefix("ref: refs/remotes/origin/"));
    if let Some(branch) = remote {
        return branch.to_owned();
    }
    let packed = read(&git.join("packed-refs")).unwrap_or_default();
    let exists = |branch: &&str| {
        git.join("refs/heads").join(branch).is_file()
            || packed.lines().any(|line| line.ends_with(&format!(" refs/heads/{branch}")))
    };
    if let Some(branch) = ["main", "master", "trunk"].iter().find(|branch| exists(branch)) {
        return (*branch).to_owned();
    }
    // Before the first commit no branch has a file; `HEAD` says what it will be.
    let head = read(&git.join("HEAD")).unwrap_or_default();
    let own = head.trim().strip_prefix("ref: refs/heads/").filter(|own| !own.is_empty());
    own.unwrap_or("main").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_that_of_the_origin() {
        let config =
            "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = git@github.com:acme/shop.git\n";
        assert_eq!(origin(config).as_deref(), Some("shop"));
        assert_eq!(origin("[remote \"origin\"]\nurl = https://x.org/a/b/").as_deref(), Some("b"));
        assert_eq!(origin("[remote \"other\"]\nurl = https://x.org/a"), None);
    }
}
