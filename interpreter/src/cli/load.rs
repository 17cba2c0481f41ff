//! Finds the Pipelinefile, reads it, and looks at the machine around it.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use pipe_stdlib::core::World;

use super::{Colour, look::look};
use crate::{check::Files, exit, program::Program, report::draw, run::plain};

/// A file that was found and read, and the machine around it.
pub(super) struct Loaded {
    pub(super) program: Arc<Program>,
    pub(super) world: Arc<World>,
}

impl Loaded {
    /// The name of the file's folder: what a pipeline is called that has no name.
    pub(super) fn folder(&self) -> String {
        let name = self.world.root().file_name();
        name.map_or("pipeline".to_owned(), |name| name.to_string_lossy().into_owned())
    }
}

/// Says something to the person.
pub(super) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Finds and reads a file without mistakes. What is wrong has been told; an error is the exit
/// status.
pub(super) fn load_clean(file: Option<&Path>, colour: Colour) -> Result<Loaded, u8> {
    let loaded = load(file)?;
    require_clean(&loaded.program, colour)?;
    Ok(loaded)
}

/// Finds and reads the file, and checks it. An error has been told; it is the exit status.
pub(super) fn load(file: Option<&Path>) -> Result<Loaded, u8> {
    let path = find(file)?;
    let text = text(&path.display().to_string(), std::fs::read(&path))?;
    let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
    let root = absolute.parent().map_or_else(|| PathBuf::from("/"), Path::to_path_buf);
    let world = Arc::new(World::new(root.clone(), repository(&root), environment()));
    let files = Disk { world: world.clone() };
    let name = path.strip_prefix("./").unwrap_or(&path).display().to_string();
    Ok(Loaded { program: Arc::new(Program::new(&name, text, &files).in_folder(&root)), world })
}

/// What was read as a text. An error has been told; it is the exit status.
pub(super) fn text(name: &str, bytes: std::io::Result<Vec<u8>>) -> Result<String, u8> {
    let bytes = bytes.map_err(|error| {
        complain(&format!("pipe: `{name}` can't be read: {}", plain(&error)));
        exit::WRONG_INPUT
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        complain(&format!("pipe: `{name}` is no UTF-8 text: see line {line}"));
        exit::WRONG_INPUT
    })
}

/// Shows what is wrong with a file, if anything is. An error is the exit status.
fn require_clean(program: &Program, colour: Colour) -> Result<(), u8> {
    if !program.problems.is_empty() {
        let look = look(&std::io::stderr(), colour);
        let drawn = program.sources(|sources| draw::problems(&program.problems, sources, look));
        let _ = write!(std::io::stderr(), "{drawn}");
    }
    if program.has_errors() { Err(exit::WRONG_INPUT) } else { Ok(()) }
}

/// The file that is meant. An error has been told; it is the exit status.
pub(super) fn find(file: Option<&Path>) -> Result<PathBuf, u8> {
    const NAME: &str = "Pipelinefile";
    if let Some(file) = file {
        let path = if file.is_dir() { file.join(NAME) } else { file.to_path_buf() };
        if path.is_file() {
            return Ok(path);
        }
        complain(&format!("pipe: `{}` does not exist", path.display()));
        return Err(exit::WRONG_INPUT);
    }
    let here = std::env::current_dir().unwrap_or_default();
    for (up, folder) in here.ancestors().enumerate() {
        if folder.join(NAME).is_file() {
            let mut path = PathBuf::new();
            path.extend(std::iter::repeat_n("..", up));
            return Ok(path.join(NAME));
        }
    }
    complain("pipe: there is no Pipelinefile here, nor in a folder above");
    complain("  write one, or name it: `pipe run --file FILE`");
    Err(exit::WRONG_INPUT)
}

/// The top of the repository around a folder; the folder itself outside one.
fn repository(root: &Path) -> PathBuf {
    let top = root.ancestors().find(|folder| folder.join(".git").exists());
    top.unwrap_or(root).to_path_buf()
}

/// The variables of this process; those that are not UTF-8 are left out.
pub(super) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The files on the disk.
struct Disk {
    world: Arc<World>,
}

impl Files for Disk {
    fn is_inside(&self, path: &str) -> bool {
        self.world.path(self.world.root(), path).is_ok()
    }

    fn exists(&self, path: &str) -> bool {
        self.world.path(self.world.root(), path).is_ok_and(|path| path.exists())
    }

    fn read(&self, path: &str) -> Result<String, String> {
        /// No definition that a person wrote is longer.
        const LONGEST: u64 = 10 << 20;
        let path = self.world.path(self.world.root(), path).map_err(|failure| failure.message)?;
        let length = path.metadata().map_err(|error| plain(&error))?.len();
        if length > LONGEST {
            return Err("is longer than 10 MiB".to_owned());
        }
        let bytes =
            std::fs::read(&path).map_err(|error| format!("can't be read: {}", plain(&error)))?;
        String::from_utf8(bytes).map_err(|_| "is no UTF-8 text".to_owned())
    }
}
