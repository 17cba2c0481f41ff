//! The build context: the files that a Dockerfile may use.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use pipe_grammar::Code;
use pipe_oci::{Attributes, Entry};

use super::ignore::{Ignore, Matched};
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
    /// The text of its ignore file.
    pub(super) rules: String,
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
        is_folder(world, &root).map_err(|failure| failure.at_argument("context"))?;
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
        let (rules, ignore) = match read_ignore(world, Path::new(&beside))? {
            Some(found) => found,
            None => read_ignore(world, &root.join(".dockerignore"))?.unwrap_or_default(),
        };
        let inside = dockerfile.strip_prefix(&root).ok().map(Path::to_owned);
        Ok(Self { root, dockerfile, text, inside, rules, ignore })
    }

    /// A folder whose files `COPY --from` takes; it has no Dockerfile.
    pub(super) fn folder(world: &World, root: PathBuf) -> Result<Self, Failure> {
        is_folder(world, &root)?;
        let found = read_ignore(world, &root.join(".dockerignore"))?;
        let (rules, ignore) = found.unwrap_or_default();
        let (dockerfile, text) = (PathBuf::new(), String::new());
        Ok(Self { root, dockerfile, text, inside: None, rules, ignore })
    }

    /// Whether a path is left out by `.dockerignore`.
    pub(super) fn is_ignored(&self, path: &Path) -> bool {
        self.ignore.is_ignored(path)
    }

    /// What stands at a path of the context, links not followed; the root is a folder.
    pub(super) fn look(&self, path: &Path) -> Result<Option<Entry>, Failure> {
        if path.as_os_str().is_empty() {
            return Ok(Some(Entry::folder(Attributes::FOLDER)));
        }
        let source = self.root.join(path);
        if path.components().any(|part| part.as_os_str() == OWN_FOLDER)
            || fs::symlink_metadata(&source).is_err()
        {
            return Ok(None);
        }
        let entry = of(&source)?;
        if !self.ignore.is_ignored(path) {
            return Ok(entry);
        }
        // A folder is there when something below it was taken back.
        let mut found = false;
        if self.ignore.takes_back() && entry.as_ref().is_some_and(Entry::is_folder) {
            self.walk(path, &mut |_, _| {
                found = true;
                Ok(())
            })?;
        }
        Ok(entry.filter(|_| found))
    }

    /// The names in a folder of the context, sorted; some of them may be left out.
    pub(super) fn names(&self, folder: &Path) -> Result<Vec<OsString>, Failure> {
        let source = self.root.join(folder);
        let failed = |error: &io::Error| unreadable(&source.display().to_string(), error);
        let mut names = Vec::new();
        for item in fs::read_dir(&source).map_err(|e| failed(&e))? {
            names.push(item.map_err(|e| failed(&e))?.file_name());
        }
        names.retain(|name| name != OWN_FOLDER);
        names.sort_unstable();
        Ok(names)
    }

    /// Visits everything below a folder with the modes that it has and root as owner: paths from
    /// the context on, folders before what they hold, each folder in the order of its names. Reads
    /// no files.
    pub(super) fn walk(
        &self,
        folder: &Path,
        visit: &mut dyn FnMut(&Path, Entry) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut above = Matched::default();
        let folders: Vec<&Path> = folder.ancestors().collect();
        for folder in folders.into_iter().rev().skip(1) {
            above = self.ignore.folder(&above, folder);
        }
        self.walk_below(folder, &above, &mut Vec::new(), visit)
    }

    /// `waiting`: folders that are left out, until something below them is not.
    fn walk_below(
        &self,
        folder: &Path,
        above: &Matched,
        waiting: &mut Vec<(PathBuf, Entry)>,
        visit: &mut dyn FnMut(&Path, Entry) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        for name in self.names(folder)? {
            let path = folder.join(&name);
            let ignored = self.ignore.is_ignored_below(above, &path);
            if ignored && !self.ignore.takes_back() {
                continue;
            }
            let Some(entry) = of(&self.root.join(&path))? else { continue };
            let is_folder = entry.is_folder();
            if ignored {
                if is_folder {
                    waiting.push((path.clone(), entry));
                }
            } else {
                for (path, entry) in waiting.drain(..) {
                    visit(&path, entry)?;
                }
                visit(&path, entry)?;
            }
            if is_folder {
                let waited = waiting.len();
                let here = self.ignore.folder(above, &path);
                self.walk_below(&path, &here, waiting, visit)?;
                // Nothing below it is there.
                if ignored && waiting.len() == waited {
                    waiting.pop();
                }
            }
        }
        Ok(())
    }
}

fn is_folder(world: &World, path: &Path) -> Result<(), Failure> {
    let shown = world.display(path);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(Failure::new(Code::BAD_FILE, format!("`{shown}` is no folder"))
            .help("a build context is a folder, whose files the Dockerfile may copy")),
        Err(error) => Err(unreadable(&shown, &error)),
    }
}

fn of(path: &Path) -> Result<Option<Entry>, Failure> {
    Entry::of(path).map_err(|e| Failure::new(Code::BAD_FILE, e.to_string()))
}

/// The text of an ignore file, and what it says.
fn read_ignore(world: &World, path: &Path) -> Result<Option<(String, Ignore)>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&world.display(path), &error)),
    };
    let ignore = Ignore::parse(&text).map_err(|(line, pattern)| {
        let start = text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
        let length = text[start..].lines().next().map_or(0, str::len);
        let message = format!("`{pattern}` is no pattern of `.dockerignore`");
        Failure::new(Code::BAD_FILE, message)
            .at(Spot::File { path: path.to_owned(), bytes: start..start + length })
            .help("a `[` needs a `]`, a `\\` a letter behind it, a `!` a pattern")
    })?;
    Ok(Some((text, ignore)))
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
        let mut found = Vec::new();
        let mut visit = |path: &Path, _| {
            found.push(path.display().to_string());
            assert!(context.look(path).unwrap().is_some());
            Ok(())
        };
        context.walk(Path::new(""), &mut visit).unwrap();
        found
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
        for path in ["a/b/drop", "a/c", "x.log", ".pipe", "sub/.pipe/x", "none"] {
            assert_eq!(context.look(Path::new(path)).unwrap(), None, "{path}");
        }
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
