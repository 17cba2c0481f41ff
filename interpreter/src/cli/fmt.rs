//! `pipe fmt`

use std::{
    io::{Read, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use pipe_grammar::{Source, Sources};
use similar::TextDiff;

use super::{Colour, load, look::look};
use crate::{exit, report::draw, run::plain};

/// Lay out a Pipelinefile the way all are
#[derive(clap::Args)]
pub(super) struct Args {
    /// Files, or folders with a Pipelinefile; `-` reads standard input and writes standard output
    /// [default: `Pipelinefile` here or in a folder above]
    files: Vec<PathBuf>,

    /// Write nothing: show the difference, and exit with 1 if there is one
    #[arg(long)]
    check: bool,
}

/// What standard input is called in messages.
const STDIN: &str = "standard input";
/// A difference that is not found in this time is shown coarser.
const DIFF_TIME: Duration = Duration::from_secs(2);

pub(super) fn main(args: &Args, colour: Colour) -> u8 {
    let found: Vec<Option<&Path>> = if args.files.is_empty() {
        vec![None]
    } else {
        args.files.iter().map(|path| Some(path.as_path())).collect()
    };
    let mut status = exit::SUCCESS;
    let mut different = 0;
    for path in found {
        match one(path, args.check, colour) {
            Ok(false) => {}
            Ok(true) => different += 1,
            Err(wrong) => status = status.max(wrong),
        }
    }
    if args.check && different > 0 {
        let files = if different == 1 { "1 file is" } else { &format!("{different} files are") };
        load::complain(&format!("pipe: {files} not formatted: run `pipe fmt`"));
        status = status.max(exit::NOT_FORMATTED);
    }
    status
}

/// Formats one file. Returns whether it was, or would be, changed. An error has been told.
fn one(path: Option<&Path>, check: bool, colour: Colour) -> Result<bool, u8> {
    if path.is_some_and(|path| path.as_os_str() == "-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().read_to_end(&mut bytes).map(|_| bytes);
        let before = load::text(STDIN, read)?;
        let after = formatted(STDIN, &before, colour)?;
        if check {
            return compare(STDIN, &before, &after, colour);
        }
        write_out(&after)?;
        return Ok(before != after);
    }
    let path = load::find(path)?;
    let name = path.strip_prefix("./").unwrap_or(&path).display().to_string();
    let before = load::text(&name, std::fs::read(&path))?;
    let after = formatted(&name, &before, colour)?;
    if check {
        return compare(&name, &before, &after, colour);
    }
    if before == after {
        return Ok(false);
    }
    replace(&path, &after).map_err(|error| {
        load::complain(&format!("pipe: `{name}` can't be written: {}", plain(&error)));
        exit::WRONG_INPUT
    })?;
    write_out(&format!("{name}\n"))?;
    Ok(true)
}

fn formatted(name: &str, text: &str, colour: Colour) -> Result<String, u8> {
    let mut sources = Sources::default();
    let id = sources.add(Source::new(name, text));
    pipe_grammar::format(id, text).map_err(|problems| {
        let drawn = draw::problems(&problems, &sources, look(&std::io::stderr(), colour));
        let _ = std::io::stderr().write_all(drawn.as_bytes());
        exit::WRONG_INPUT
    })
}

/// Shows what would change. Returns whether anything would.
fn compare(name: &str, before: &str, after: &str, colour: Colour) -> Result<bool, u8> {
    if before == after {
        return Ok(false);
    }
    write_out(&difference(name, before, after, look(&std::io::stdout(), colour).colour))?;
    Ok(true)
}

fn write_out(text: &str) -> Result<(), u8> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| {
        load::complain(&format!("pipe: standard output can't be written: {}", plain(&error)));
        exit::WRONG_INPUT
    })
}

/// A unified diff. What a terminal would obey or not show is written as its escape.
fn difference(name: &str, before: &str, after: &str, colour: bool) -> String {
    let diff = TextDiff::configure().timeout(DIFF_TIME).diff_lines(before, after);
    let unified = diff
        .unified_diff()
        .context_radius(3)
        .header(name, &format!("{name}, formatted"))
        .to_string();
    let mut out = String::new();
    for line in unified.split_inclusive('\n') {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let visible: String = line
            .chars()
            .map(|c| match c {
                '\t' => c.to_string(),
                '\u{feff}' => c.escape_unicode().to_string(),
                _ if c.is_control() => c.escape_default().to_string(),
                _ => c.to_string(),
            })
            .collect();
        let code = match line.as_bytes().first() {
            Some(b'+') => "32",
            Some(b'-') => "31",
            Some(b'@') => "36",
            _ => "",
        };
        if colour && !code.is_empty() {
            out.push_str(&format!("\u{1b}[{code}m{visible}\u{1b}[0m\n"));
        } else {
            out.push_str(&visible);
            out.push('\n');
        }
    }
    out
}

/// Writes a file all at once: whoever reads it sees the old text or the new one.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // The file that a link leads to is written, not the link.
    let path = path.canonicalize()?;
    let metadata = path.metadata()?;
    if metadata.permissions().readonly() {
        return Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, "it is read-only"));
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new().prefix(".pipe-fmt-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    // Only root may give a file away; for others it is theirs already, or becomes so.
    let _ = std::os::unix::fs::fchown(file.as_file(), Some(metadata.uid()), Some(metadata.gid()));
    file.as_file().set_permissions(metadata.permissions())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_difference_shows_what_can_not_be_seen() {
        let shown = difference("a", "\u{feff}x\r\ny\n", "x\ny\n", false);
        assert_eq!(shown, "--- a\n+++ a, formatted\n@@ -1,2 +1,2 @@\n-\\u{feff}x\\r\n+x\n y\n");
        let coloured = difference("a", "\u{1b}[2J\n", "x\n", true);
        assert!(coloured.contains("\u{1b}[31m-\\u{1b}[2J\u{1b}[0m\n"), "{coloured:?}");
    }

    #[test]
    fn what_can_not_be_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Pipelinefile");
        std::fs::write(&path, "old").unwrap();
        let mut permissions = path.metadata().unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&path, permissions).unwrap();
        assert_eq!(replace(&path, "new").unwrap_err().to_string(), "it is read-only");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
