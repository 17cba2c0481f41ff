//! Texts of files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use pipe_grammar::Code;

use super::{Failure, World, files::unreadable};

/// No text that a person wrote is longer; a value is kept in memory.
const LONGEST: u64 = 10 << 20;

/// The text of a file that an argument names, and where it lies.
///
/// # Errors
///
/// When there is none, or it can't be read, is longer than 10 MiB or is no UTF-8.
pub fn read_text(
    world: &World,
    dir: &Path,
    written: &str,
    argument: &'static str,
) -> Result<(PathBuf, String), Failure> {
    let path = world.path(dir, written).map_err(|failure| failure.at_argument(argument))?;
    let text = text_of_file(&path, written, argument, LONGEST)?;
    Ok((path, text))
}

/// The text of a file of at most so many bytes.
pub(crate) fn text_of_file(
    path: &Path,
    written: &str,
    argument: &'static str,
    most: u64,
) -> Result<String, Failure> {
    let failed = |failure: Failure| failure.at_argument(argument);
    let found = fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => failed(missing(written)),
        _ => failed(unreadable(written, &error)),
    })?;
    let bad = |what: &str| failed(Failure::new(Code::BAD_FILE, format!("`{written}` {what}")));
    if found.is_dir() {
        return Err(bad("is a folder"));
    }
    if found.len() > most {
        let size = pipe_grammar::size_text(most);
        return Err(
            bad(&format!("is longer than {size}")).help("read a part of it by a command: `$(…)`")
        );
    }
    let bytes = fs::read(path).map_err(|error| failed(unreadable(written, &error)))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(bad(&format!("is no UTF-8 text: see line {line}")))
        }
    }
}

/// A file that should be there.
pub(crate) fn missing(written: &str) -> Failure {
    Failure::new(Code::MISSING_FILE, format!("`{written}` does not exist"))
        .help("paths start in the folder of the Pipelinefile, or in that of the `cd` around")
}
