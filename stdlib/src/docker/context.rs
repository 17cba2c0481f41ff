//! The build context: the files that a Dockerfile may use.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use pipe_grammar::Code;
use pipe_oci::{Entry, Node, Tree};

use super::ignore::Ignore;
use crate::core::{Failure, Spot, World};

/// What `pipe` itself writes beside a Pipelinefile; never part of an image.
const OWN_FOLDER: &str = ".pipe";

/// The files of a build.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// The folder.
    pub(super) root: PathBuf,
    /// The Dockerfile.
    pub(super) dockerfile: PathBuf,
    /// The Dockerfile's text.
    pub(super) text: String,
    /// The Dockerfile's path inside the context; none when it lies elsewhere.
    pub(super) inside: Option<PathBuf>,
    ignore: Ignore,
}

impl Context {
    /// Finds and reads the Dockerfile (`Dockerfile` in the context, if none is named) and the
    /// `.dockerignore`: the one beside the Dockerfile with its name, else the context's.
    pub(super) fn open(
        world: &World,
        root: PathBuf,
        dockerfile: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let shown = world.display(&root);
        match fs::metadata(&root) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => {
                return Err(Failure::new(Code::BAD_FILE, format!("`{shown}` is no folder"))
                    .at_argument("context")
                    .help(
                        "the build context is the folder that holds the Dockerfile and its files",
                    ));
            }
            Err(error) => return Err(unreadable(&shown, &error).at_argument("context")),
        }
        let named = dockerfile.is_some();
        let dockerfile = dockerfile.unwrap_or_else(|| root.join("Dockerfile"));
        let text = fs::read(&dockerfile).map_err(|error| {
            let failure = unreadable(&world.display(&dockerfile), &error);
            if named {
                failure.at_argument("dockerfile")
            } else {
                failure.at_argument("context").help("name another file with `dockerfile: \"…\"`")
            }
        })?;
        let text = String::from_utf8(text).map_err(|_| {
            let shown = world.display(&dockerfile);
            Failure::new(Code::DOCKERFILE, format!("`{shown}` is not in UTF-8"))
        })?;
        let mut beside = dockerfile.clone().into_os_string();
        beside.push(".dockerignore");
        let ignore = match read_ignore(world, Path::new(&beside))? {
            Some(ignore) => ignore,
            None => read_ignore(world, &root.join(".dockerignore"))?.unwrap_or_default(),
        };
        let inside = dockerfile.strip_prefix(&root).ok().map(Path::to_owned);
        Ok(Self { root, dockerfile, text, inside, ignore })
    }

    /// All files of the context with their modes, root as owner. Reads folders, no files.
    pub(super) fn tree(&self) -> Result<Tree, Failure> {
        let mut tree = Tree::default();
        self.walk(Path::new(""), &mut tree)?;
        Ok(tree)
    }

    /// Whether a path is left out by `.dockerignore`.
    pub(super) fn is_ignored(&self, path: &Path) -> bool {
        self.ignore.is_ignored(path)
    }

    fn walk(&self, folder: &Path, tree: &mut Tree) -> Result<(), Failure> {
        let source = self.root.join(folder);
        let failed = |error: &io::Error| unreadable(&source.display().to_string(), error);
        for item in fs::read_dir(&source).map_err(|e| failed(&e))? {
            let name = item.map_err(|e| failed(&e))?.file_name();
            if name == OWN_FOLDER {
                continue;
            }
            let path = folder.join(&name);
            let ignored = self.ignore.is_ignored(&path);
            if ignored && !self.ignore.takes_back() {
                continue;
            }
            let entry = Entry::of(&self.root.join(&path))
                .map_err(|e| Failure::new(Code::BAD_FILE, e.to_string()))?;
            let Some(entry) = entry else { continue };
            let is_folder = entry.node == Node::Folder;
            if !ignored {
                tree.insert(&*path, entry.clone());
            }
            if is_folder {
                let inserted = tree.len();
                self.walk(&path, tree)?;
                // A folder is there when something below it was taken back.
                if ignored && tree.len() > inserted {
                    tree.insert(&*path, entry);
                }
            }
        }
        Ok(())
    }
}

fn read_ignore(world: &World, path: &Path) -> Result<Option<Ignore>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&world.display(path), &error)),
    };
    Ignore::parse(&text).map(Some).map_err(|(line, pattern)| {
        let start = text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
        let length = text[start..].lines().next().map_or(0, str::len);
        let message = format!("`{pattern}` is no pattern of `.dockerignore`");
        Failure::new(Code::BAD_FILE, message)
            .at(Spot::File { path: path.to_owned(), bytes: start..start + length })
            .help("a `[` needs a `]`, a `\\` a letter behind it, a `!` a pattern")
    })
}

fn unreadable(shown: &str, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::NotFound {
        return Failure::new(Code::MISSING_FILE, format!("`{shown}` does not exist"));
    }
    Failure::new(Code::BAD_FILE, format!("`{shown}` can't be read: {}", pipe_oci::plain(error)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn context(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Context, Failure>) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = folder.path().to_owned();
        let world = World::new(root.clone(), root.clone(), [].into());
        let context = Context::open(&world, root, None);
        (folder, context)
    }

    fn paths(context: &Context) -> Vec<String> {
        context.tree().unwrap().iter().map(|(p, _)| p.display().to_string()).collect()
    }

    #[test]
    fn ignored_files_and_our_own_folder_are_left_out() {
        let (_folder, context) = context(&[
            ("Dockerfile", "FROM scratch"),
            (".dockerignore", "a\n!a/b/keep\n*.log"),
            (".pipe/runs/1", ""),
            ("sub/.pipe/x", ""),
            ("a/b/keep", ""),
            ("a/b/drop", ""),
            ("a/c/drop", ""),
            ("x.log", ""),
        ]);
        let context = context.unwrap();
        assert_eq!(paths(&context), [".dockerignore", "Dockerfile", "a", "a/b", "a/b/keep", "sub"]);
        assert_eq!(context.inside.as_deref(), Some(Path::new("Dockerfile")));
    }

    #[test]
    fn the_ignore_file_of_a_dockerfile_goes_first() {
        let (_folder, context) = context(&[
            ("Dockerfile", ""),
            ("Dockerfile.dockerignore", "*\n!x"),
            (".dockerignore", "x"),
            ("x", ""),
        ]);
        assert_eq!(paths(&context.unwrap()), ["x"]);
    }

    #[test]
    fn mistakes_are_named() {
        let (_folder, missing) = context(&[("x", "")]);
        let failure = missing.unwrap_err();
        assert_eq!(failure.message, "`Dockerfile` does not exist");
        assert_eq!(failure.spot, Spot::Argument("context"));
        let (_folder, broken) = context(&[("Dockerfile", ""), (".dockerignore", "a\n[b\n")]);
        let failure = broken.unwrap_err();
        assert_eq!(failure.message, "`[b` is no pattern of `.dockerignore`");
        assert!(matches!(&failure.spot, Spot::File { bytes, .. } if *bytes == (2..4)));
    }
}
