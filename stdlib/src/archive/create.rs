//! `archive.create(file, from)`

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use flate2::{Compression, GzBuilder};
use pipe_grammar::Code;
use tokio_util::sync::CancellationToken;

use super::{format::Format, stop::Stop, tar, zip};
use crate::core::{
    Arguments, Call, Failure, Outcome, Value, builtin, entries, find_some, save, written,
};

builtin! {
    step archive.create, create;
    "
    # Packs files into an archive.
    #
    # The same files give the same bytes: names are in order, times, owners and groups are left out,
    # of the mode only remains whether a file may be executed. Symbolic links stay links. `.git` and
    # `.pipe` are left out, and the archive itself.
    (
      # The archive. Its name tells what it is: `.tar`, `.tar.gz`, `.tar.zst` or `.zip`.
      file: path,
      # A file, a folder, a pattern, or a list of them.
      from: globs,
      # The folder that the names in the archive start in.
      root: path = \".\",
    ) -> path
    "
    examples: [
        r#"archive.create("dist/site.tar.gz", from: "_site", root: "_site")"#,
        r#"archive.create("sources.zip", from: ["src/**/*.rs", "Cargo.toml"])"#,
    ]
}

/// A file, link or folder that goes into an archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Item {
    /// Its length and whether it may be executed.
    File(u64, bool),
    /// Where it points.
    Link(PathBuf),
    /// An empty one.
    Folder,
}

async fn create(call: Call<'_>, arguments: Arguments) -> Outcome {
    let (shown, root): (String, String) = (arguments.get("file")?, arguments.get("root")?);
    let from: Vec<String> = arguments.get("from")?;
    let format = Format::of(&shown)?;
    let file = call.world.path(call.dir, &shown).map_err(|f| f.at_argument("file"))?;
    let folder = call.world.path(call.dir, &root).map_err(|f| f.at_argument("root"))?;
    let found = find_some(call.world, call.dir, &from, "from")?;
    let name = shown.clone();
    let count = call
        .blocking(move |stop| {
            let mut items = BTreeMap::new();
            for found in &found {
                for entry in entries(found).map_err(|failure| failure.at_argument("from"))? {
                    if entry.path == file {
                        continue;
                    }
                    let Ok(below) = entry.path.strip_prefix(&folder) else {
                        return Err(outside(&found.written, &root));
                    };
                    // What is named may itself be the root, and an empty folder.
                    if let Some(below) = below.to_str().filter(|below| !below.is_empty()) {
                        items.insert(below.to_owned(), entry.path);
                    }
                }
            }
            if items.is_empty() {
                let what = format!("there is nothing to pack into `{name}`");
                return Err(Failure::new(Code::BAD_ARCHIVE, what).at_argument("from"));
            }
            let packed = save(&file, false, |file| pack(format, file, &items, stop));
            written(packed, &name, "file")?;
            Ok(items.len())
        })
        .await?;
    call.report.say(&format!("packed {}", pipe_grammar::diagnostic::count("file", count)));
    Ok(Value::Path(shown.into()))
}

fn pack(
    format: Format,
    file: &mut File,
    items: &BTreeMap<String, PathBuf>,
    stop: &CancellationToken,
) -> io::Result<()> {
    let mut out = Stop { inner: BufWriter::with_capacity(1 << 18, file), stop };
    match format {
        Format::Tar => drop(tar::write(&mut out, items)?),
        Format::TarGz => {
            // A time of 0 stands for none (RFC 1952, section 2.3.1).
            let packer = GzBuilder::new().mtime(0).write(&mut out, Compression::default());
            tar::write(packer, items)?.finish()?;
        }
        Format::TarZst => {
            let packer = zstd::Encoder::new(&mut out, zstd::DEFAULT_COMPRESSION_LEVEL)?;
            tar::write(packer, items)?.finish()?;
        }
        Format::Zip => zip::write(&mut out, items)?,
    }
    out.flush()
}

/// What is under a path.
pub(super) fn item(path: &Path) -> io::Result<Item> {
    let found = std::fs::symlink_metadata(path)?;
    Ok(if found.is_symlink() {
        Item::Link(std::fs::read_link(path)?)
    } else if found.is_dir() {
        Item::Folder
    } else {
        Item::File(found.len(), found.permissions().mode() & 0o100 != 0)
    })
}

fn outside(written: &str, root: &str) -> Failure {
    Failure::new(Code::BAD_ARCHIVE, format!("`{written}` does not lie in `{root}`"))
        .at_argument("from")
        .help("names in the archive start in the folder `root`")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{
        fs::{self, File},
        os::unix::fs::{PermissionsExt, symlink},
    };

    use crate::{
        core::{FailureKind, Outcome, Value},
        testing::Machine,
    };

    async fn create(machine: &Machine, file: &str, from: &[&str], root: &str) -> Outcome {
        let given = [
            ("file", Value::Path(file.into())),
            ("from", Value::list(from.iter().map(|path| Value::Path((*path).into())))),
            ("root", Value::Path(root.into())),
        ];
        machine.step("archive.create", &given).await
    }

    fn tree() -> Machine {
        let machine = Machine::new();
        machine.write("d/b", "two").write("d/a", "one").write("d/sub/x.sh", "#!/bin/sh\n");
        fs::set_permissions(machine.path("d/sub/x.sh"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::create_dir(machine.path("d/empty")).unwrap();
        symlink("a", machine.path("d/link")).unwrap();
        machine.write(format!("d/{}", "long/".repeat(40) + "name").as_str(), "deep");
        machine
    }

    #[tokio::test]
    async fn the_same_files_give_the_same_bytes() {
        for name in ["x.tar", "x.tar.gz", "x.tar.zst", "x.zip"] {
            let (one, two) = (tree(), tree());
            let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1 << 30);
            File::options().append(true).open(two.path("d/a")).unwrap().set_modified(old).unwrap();
            fs::set_permissions(two.path("d/a"), fs::Permissions::from_mode(0o600)).unwrap();
            create(&one, name, &["d"], ".").await.unwrap();
            create(&two, name, &["d/b", "d/[ael]*", "d/sub"], ".").await.unwrap();
            assert!(
                fs::read(one.path(name)).unwrap() == fs::read(two.path(name)).unwrap(),
                "{name}"
            );
            // Once more, with the archive beside the files.
            create(&one, name, &["d"], ".").await.unwrap();
            assert!(
                fs::read(one.path(name)).unwrap() == fs::read(two.path(name)).unwrap(),
                "{name}"
            );
        }
    }

    #[tokio::test]
    async fn what_goes_in_comes_out() {
        for name in ["x.tar", "x.tgz", "x.tar.zst", "x.zip"] {
            let machine = tree();
            create(&machine, name, &["d"], "d").await.unwrap();
            let given = [("file", Value::Path(name.into())), ("into", Value::Path("out".into()))];
            machine.step("archive.extract", &given).await.unwrap();
            assert_eq!(machine.read("out/a"), "one");
            assert_eq!(machine.read(&format!("out/{}", "long/".repeat(40) + "name")), "deep");
            assert!(machine.path("out/empty").is_dir());
            assert_eq!(fs::read_link(machine.path("out/link")).unwrap().to_str(), Some("a"));
            let mode = |path: &str| fs::metadata(machine.path(path)).unwrap().permissions().mode();
            assert_eq!(mode("out/sub/x.sh") & 0o100, 0o100, "{name}");
            assert_eq!(mode("out/a") & 0o111, 0, "{name}");
        }
    }

    #[tokio::test]
    async fn what_can_t_be_packed_is_told() {
        let machine = tree();
        let message = |outcome: Outcome| outcome.unwrap_err().message;
        assert_eq!(
            message(create(&machine, "x.rar", &["d"], ".").await),
            "`x.rar` does not tell what archive it is"
        );
        assert_eq!(message(create(&machine, "x.tar", &["no"], ".").await), "`no` does not exist");
        machine.write("e", "");
        assert_eq!(
            message(create(&machine, "x.tar", &["e"], "d").await),
            "`e` does not lie in `d`"
        );
        assert!(!machine.path("x.tar").exists());
    }

    #[tokio::test]
    async fn a_cancelled_one_leaves_nothing() {
        let machine = Machine::new();
        machine.write("d/a", "x");
        machine.cancel.cancel();
        let failure = create(&machine, "out/x.tar.gz", &["d"], ".").await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Cancelled);
        assert_eq!(fs::read_dir(machine.path("out")).unwrap().count(), 0);
    }
}
