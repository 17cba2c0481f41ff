//! What containers and networks of a run are called, and the labels that tell whose they are.

use std::{os::unix::fs::MetadataExt, path::Path, sync::OnceLock};

use crate::core::Call;

/// The run that made it.
pub(super) const RUN: &str = "pipe.run";
/// The stage that made it.
pub(super) const STAGE: &str = "pipe.stage";
/// The folder of its Pipelinefile.
pub(super) const WORKSPACE: &str = "pipe.workspace";
/// The process that made it: a run may go on in another one.
pub(super) const PROCESS: &str = "pipe.process";
/// The machine that `pipe` runs on.
pub(super) const HOST: &str = "pipe.host";
/// Device and inode of that folder: two tasks on one machine may both call theirs `/sandbox`.
pub(super) const FOLDER: &str = "pipe.folder";

/// A container's name that is longer is hard to read; a name in a network must not be longer.
const LONGEST: usize = 63;

/// The labels of everything that a stage makes.
pub(super) fn labels(call: &Call<'_>) -> Vec<(String, String)> {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    vec![
        pair(RUN, call.run.to_owned()),
        pair(STAGE, call.stage.to_owned()),
        pair(PROCESS, process().to_owned()),
        pair(WORKSPACE, call.world.root().display().to_string()),
        pair(HOST, host()),
        pair(FOLDER, folder(call.world.root())),
    ]
}

/// What tells this process from every other one.
pub(super) fn process() -> &'static str {
    static PROCESS: OnceLock<String> = OnceLock::new();
    PROCESS.get_or_init(|| {
        let now = jiff::Timestamp::now().as_nanosecond();
        format!("{}-{now}", std::process::id())
    })
}

/// What tells a folder from any other of this machine; empty when it is gone.
pub(super) fn folder(path: &Path) -> String {
    let found = std::fs::metadata(path);
    found.map(|found| format!("{}:{}", found.dev(), found.ino())).unwrap_or_default()
}

/// The name of this machine.
pub(super) fn host() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/hostname");
    read.map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// `pipe-RUN-STAGE`, and what follows: the network and the containers of a stage.
pub(super) fn name(run: &str, stage: &str, what: &str) -> String {
    let parts = ["pipe", run, stage, what];
    let parts: Vec<String> =
        parts.iter().map(|part| plain(part)).filter(|p| !p.is_empty()).collect();
    parts.join("-")
}

/// A text as a name in a network: lower case letters, digits and `-`.
pub(in crate::docker) fn plain(text: &str) -> String {
    let mut plain = String::new();
    for char in text.chars().flat_map(char::to_lowercase) {
        match char {
            'a'..='z' | '0'..='9' => plain.push(char),
            _ if !plain.is_empty() && !plain.ends_with('-') => plain.push('-'),
            _ => {}
        }
    }
    plain.truncate(LONGEST);
    plain.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        assert_eq!(name("20261125-1", "test (2)", "db"), "pipe-20261125-1-test-2-db");
        assert_eq!(name("1", "", ""), "pipe-1");
        assert_eq!(plain("Größe_x--"), "gr-e-x");
        assert_eq!(plain(&"x".repeat(100)).len(), 63);
    }
}
