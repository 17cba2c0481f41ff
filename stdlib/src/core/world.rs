//! The machine that a run sees: its folders, environment and clock.
//!
//! Built-ins reach the machine only through this, so that a test can give them another one.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::Failure;
use pipe_grammar::Code;

/// The machine that a run sees.
#[derive(Clone, Debug)]
pub struct World {
    /// The folder of the Pipelinefile, absolute.
    root: PathBuf,
    /// The top of the repository that holds it, absolute; the root itself outside a repository.
    repository: PathBuf,
    /// The folder that the paths of facts start in, absolute.
    dir: PathBuf,
    environment: Arc<BTreeMap<String, String>>,
    clock: fn() -> jiff::Timestamp,
    notes: Arc<Mutex<BTreeSet<String>>>,
}

impl World {
    /// A world around a folder, with an environment. Variables that are not UTF-8 are left out.
    #[must_use]
    pub fn new(root: PathBuf, repository: PathBuf, environment: BTreeMap<String, String>) -> Self {
        let dir = root.clone();
        Self {
            root,
            repository,
            dir,
            environment: environment.into(),
            clock: jiff::Timestamp::now,
            notes: Arc::default(),
        }
    }

    /// The same world with a clock of its own.
    #[must_use]
    pub fn with_clock(self, clock: fn() -> jiff::Timestamp) -> Self {
        Self { clock, ..self }
    }

    /// The same world, seen from a folder (absolute): the one of the enclosing `cd`.
    #[must_use]
    pub fn at(&self, dir: &Path) -> Self {
        Self { dir: dir.to_path_buf(), ..self.clone() }
    }

    /// The same world in a copy of the repository, whose top is `top` (absolute).
    #[must_use]
    pub fn moved(&self, top: &Path) -> Self {
        let root = top.join(self.root.strip_prefix(&self.repository).unwrap_or(Path::new("")));
        let (dir, repository) = (root.clone(), top.to_path_buf());
        Self { root, repository, dir, ..self.clone() }
    }

    /// The folder that the paths of facts start in: the Pipelinefile's or the enclosing `cd`.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The folder of the Pipelinefile.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The top of the repository.
    #[must_use]
    pub fn repository(&self) -> &Path {
        &self.repository
    }

    /// The time, UTC.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        (self.clock)()
    }

    /// Says on what a fact was decided, where its value alone does not tell; the plan shows it.
    pub fn note(&self, text: impl Into<String>) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).insert(text.into());
    }

    /// What facts have said so far, in the order of the texts.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// An environment variable of `pipe` itself.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    /// All of them, by name.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// The user's home folder.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
    }

    /// Where `pipe` keeps what outlives a run: `$PIPE_STATE_DIR`, else `$XDG_STATE_HOME/pipe`, else
    /// `~/.local/state/pipe` (XDG Base Directory Specification 0.8), else below the temporary folder.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        let set = |name: &str| {
            self.variable(name).filter(|path| path.starts_with('/')).map(PathBuf::from)
        };
        set("PIPE_STATE_DIR")
            .or_else(|| set("XDG_STATE_HOME").map(|folder| folder.join("pipe")))
            .or_else(|| self.home().map(|home| home.join(".local/state/pipe")))
            .unwrap_or_else(|| {
                let temporary = set("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
                temporary.join(format!("pipe-{}", rustix::process::getuid().as_raw()))
            })
    }

    /// A path as it is written in a Pipelinefile, made absolute: relative ones start in `dir`
    /// (absolute, inside the repository), and may not leave the repository.
    ///
    /// # Errors
    ///
    /// When the path leaves the repository without being written as an absolute one.
    pub fn path(&self, dir: &Path, written: &str) -> Result<PathBuf, Failure> {
        if written.starts_with('/') {
            return Ok(PathBuf::from(written));
        }
        let mut path = dir.to_path_buf();
        for part in Path::new(written).components() {
            match part {
                Component::ParentDir => {
                    path.pop();
                }
                Component::Normal(name) => path.push(name),
                _ => {}
            }
        }
        if path.starts_with(&self.repository) {
            return Ok(path);
        }
        Err(Failure::new(Code::BAD_PATH, format!("`{written}` leaves the repository"))
            .help("paths stay inside the repository unless they are written as absolute ones"))
    }

    /// A path for people: relative to the folder of the Pipelinefile where it lies below it.
    #[must_use]
    pub fn display(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}
