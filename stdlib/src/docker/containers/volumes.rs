//! What is mounted into a container: the workspace, and what `volumes:` names.

use std::path::Path;

use pipe_grammar::Code;

use crate::{
    client::engine::{Mount, Source},
    core::{Failure, World},
};

/// The workspace at its own path. In a part of a repository that is the whole repository, because
/// commands may read all of it.
pub(in crate::docker) fn workspace(world: &World, folder: &Path) -> Mount {
    let repository = world.repository();
    let shown = if folder.starts_with(repository) { repository } else { folder };
    Mount {
        source: Source::Path(shown.to_owned()),
        target: shown.display().to_string(),
        read_only: false,
    }
}

/// The home of a user whom the image does not know.
pub(in crate::docker) const HOME: &str = "/home/pipe";

/// That home: on disk, or for one command in memory.
pub(in crate::docker) fn home(source: Source) -> Mount {
    Mount { source, target: HOME.to_owned(), read_only: false }
}

/// Reads `SOURCE:TARGET`, `SOURCE:TARGET:ro` and `TARGET`. A relative path starts in `dir`.
pub(in crate::docker) fn volumes(
    world: &World,
    dir: &Path,
    written: &[String],
) -> Result<Vec<Mount>, Failure> {
    let all = written.iter().map(|text| one(world, dir, text));
    all.map(|mount| mount.map_err(|failure| failure.at_argument("volumes"))).collect()
}

fn one(world: &World, dir: &Path, written: &str) -> Result<Mount, Failure> {
    let bad = |why: &str| {
        Failure::new(Code::EVALUATION, format!("`{written}` is no volume: {why}")).help(
            "write `FOLDER:TARGET`, `NAME:TARGET`, or `TARGET` alone, and `:ro` behind it for \
             reading only",
        )
    };
    let mut parts: Vec<&str> = written.split(':').collect();
    let read_only = match parts.last() {
        Some(&"ro") => true,
        Some(&("rw" | "z" | "Z")) => false,
        _ => {
            parts.push("");
            false
        }
    };
    parts.pop();
    let (source, target) = match parts[..] {
        [target] => (Source::Nameless, target),
        ["", _] => return Err(bad("nothing stands before the `:`")),
        [name, target] if !name.contains('/') && !name.starts_with('.') => {
            let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            if name.len() < 2 || !name.chars().all(fits) {
                return Err(bad(&format!(
                    "`{name}` is no name, which has letters, digits, `_`, `.` or `-`"
                )));
            }
            (Source::Volume(name.to_owned()), target)
        }
        [path, target] => {
            let path = world.path(dir, path)?;
            (Source::Path(path), target)
        }
        _ => return Err(bad("it has too many `:`")),
    };
    if !target.starts_with('/') {
        let why = format!("`{target}` must be an absolute path in the container");
        return Err(bad(&why));
    }
    Ok(Mount { source, target: target.to_owned(), read_only })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(text: &str) -> Result<Mount, String> {
        let world = World::new("/w/app".into(), "/w".into(), std::collections::BTreeMap::new());
        let found = volumes(&world, Path::new("/w/app"), &[text.to_owned()]);
        found.map(|all| all[0].clone()).map_err(|failure| failure.message)
    }

    #[test]
    fn each_form_is_read() {
        let mount = |source, target: &str, read_only| Mount {
            source,
            target: target.to_owned(),
            read_only,
        };
        let volume = Source::Volume("maven".into());
        assert_eq!(read("maven:/root/.m2").unwrap(), mount(volume, "/root/.m2", false));
        let path = Source::Path("/w/app/etc".into());
        assert_eq!(read("./etc:/etc/x:ro").unwrap(), mount(path, "/etc/x", true));
        let path = Source::Path("/w/lib".into());
        assert_eq!(read("../lib:/lib:rw").unwrap(), mount(path, "/lib", false));
        let path = Source::Path("/var/run/docker.sock".into());
        let docker = read("/var/run/docker.sock:/var/run/docker.sock").unwrap();
        assert_eq!(docker, mount(path, "/var/run/docker.sock", false));
        assert_eq!(read("/data").unwrap(), mount(Source::Nameless, "/data", false));
    }

    #[test]
    fn what_is_none_is_told() {
        for (text, message) in [
            ("x", "`x` is no volume: `x` must be an absolute path in the container"),
            (
                "a b:/c",
                "`a b:/c` is no volume: `a b` is no name, which has letters, digits, `_`, `.` or `-`",
            ),
            (":/c", "`:/c` is no volume: nothing stands before the `:`"),
            ("a:/b:/c", "`a:/b:/c` is no volume: it has too many `:`"),
            ("../../x:/c", "`../../x` leaves the repository"),
        ] {
            assert_eq!(read(text).unwrap_err(), message);
        }
    }

    #[test]
    fn the_whole_repository_is_the_workspace() {
        let world = World::new("/w/app".into(), "/w".into(), std::collections::BTreeMap::new());
        assert_eq!(workspace(&world, Path::new("/w/app")).target, "/w");
        assert_eq!(workspace(&world, Path::new("/copy")).target, "/copy");
    }
}
