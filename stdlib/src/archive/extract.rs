//! `archive.extract(file)`

use std::{fs::File, io::BufReader, path::PathBuf};

use flate2::read::MultiGzDecoder;
use pipe_grammar::diagnostic::count;
use tokio_util::sync::CancellationToken;

use super::{format::Format, place::Place, stop::Stop, tar, zip};
use crate::core::{
    Arguments, Call, Failure, Outcome, Value, builtin, make_folder, missing, unreadable, written,
};

builtin! {
    step archive.extract, extract;
    "
    # Unpacks an archive.
    #
    # Never outside the folder `into`: a name with `..` or from the root, a link that leads out, a
    # name through a link, a device, each ends it with an error. Existing files are replaced. Files
    # get the time of now and belong to whoever runs this; of their modes it is kept whether they may
    # be executed.
    (
      # The archive. Its name tells what it is: `.tar`, `.tar.gz`, `.tar.zst` or `.zip`.
      file: path,
      # The folder; it is made if it is missing.
      into: path = \".\",
    )
    "
    examples: [r#"archive.extract("vendor.tar.gz", into: "vendor")"#]
}

async fn extract(call: Call<'_>, arguments: Arguments) -> Outcome {
    let (archive, shown): (String, String) = (arguments.get("file")?, arguments.get("into")?);
    let format = Format::of(&archive)?;
    let file = call.world.path(call.dir, &archive).map_err(|f| f.at_argument("file"))?;
    let into = call.world.path(call.dir, &shown).map_err(|f| f.at_argument("into"))?;
    let number = call
        .blocking(move |stop| {
            written(make_folder(&into), &shown, "into")?;
            unpack(format, file, into, archive, stop)
        })
        .await?;
    call.report.say(&format!("unpacked {}", count("file", number)));
    Ok(Value::Null)
}

fn unpack(
    format: Format,
    file: PathBuf,
    into: PathBuf,
    archive: String,
    stop: &CancellationToken,
) -> Result<usize, Failure> {
    let opened = File::open(&file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(&archive).at_argument("file"),
        _ => unreadable(&archive, &error).at_argument("file"),
    })?;
    let from = Stop { inner: BufReader::with_capacity(1 << 18, opened), stop };
    let mut place = Place { into, archive, count: 0, stop };
    match format {
        Format::Tar => tar::read(from, &mut place)?,
        Format::TarGz => tar::read(MultiGzDecoder::new(from), &mut place)?,
        Format::TarZst => {
            let unpacked = zstd::Decoder::new(from).map_err(|error| place.broken(&error))?;
            tar::read(unpacked, &mut place)?;
        }
        Format::Zip => zip::read(from, &mut place)?,
    }
    Ok(place.count)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, io::Write, os::unix::fs::symlink};

    use ::tar::{Builder, EntryType, Header};
    use ::zip::{ZipWriter, write::SimpleFileOptions};

    use crate::{
        core::{Outcome, Value},
        testing::Machine,
    };

    async fn extract(machine: &Machine, file: &str) -> Outcome {
        let given = [("file", Value::Path(file.into())), ("into", Value::Path("out".into()))];
        machine.step("archive.extract", &given).await
    }

    /// Names are written as they are, whatever they are: kind, name, target or content.
    fn tar(entries: &[(EntryType, &str, &str)]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (kind, name, text) in entries {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            let name = name.as_bytes();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name);
            let is_file = *kind == EntryType::Regular;
            if !is_file {
                let target = text.as_bytes();
                header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target);
            }
            header.set_size(if is_file { text.len() as u64 } else { 0 });
            header.set_cksum();
            builder.append(&header, if is_file { text.as_bytes() } else { &[] }).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[tokio::test]
    async fn nothing_reaches_another_place() {
        use EntryType::{Fifo, Link, Regular, Symlink};
        for (entries, why) in [
            (vec![(Regular, "../evil", "x")], "leads out of its folder"),
            (vec![(Regular, "a/../../evil", "x")], "leads out of its folder"),
            (vec![(Regular, "/tmp/evil", "x")], "leads out of its folder"),
            (vec![(Symlink, "l", "/etc")], "is a link to `/etc`, which leads out of its folder"),
            (vec![(Symlink, "l", "..")], "is a link to `..`, which leads out of its folder"),
            (
                vec![(Symlink, "d/l", "../../x")],
                "is a link to `../../x`, which leads out of its folder",
            ),
            (
                vec![(Symlink, "l", "."), (Symlink, "m", "l/..")],
                "is a link to `l/..`, which leads out of its folder",
            ),
            (vec![(Symlink, "l", "d"), (Regular, "l/x", "x")], "leads through a symbolic link"),
            (vec![(Link, "l", "../keep")], "leads out of its folder"),
            (vec![(Link, "l", "/etc/passwd")], "leads out of its folder"),
            (vec![(Fifo, "p", "")], "is a device, a pipe or something unknown"),
        ] {
            let machine = Machine::new();
            machine.write("keep", "x").write("x.tar", tar(&entries));
            let failure = extract(&machine, "x.tar").await.unwrap_err();
            assert!(failure.message.ends_with(why), "{entries:?}: {}", failure.message);
            assert!(!machine.path("evil").exists());
        }
    }

    #[tokio::test]
    async fn links_that_are_there_are_not_followed() {
        use EntryType::Regular;
        let (machine, outside) = (Machine::new(), Machine::new());
        outside.write("f", "old");
        fs::create_dir(machine.path("out")).unwrap();
        symlink(outside.folder.path(), machine.path("out/d")).unwrap();
        symlink(outside.path("f"), machine.path("out/f")).unwrap();
        machine.write("x.tar", tar(&[(Regular, "d/f", "new")]));
        assert!(extract(&machine, "x.tar").await.is_err());
        machine.write("x.tar", tar(&[(Regular, "f", "new")]));
        extract(&machine, "x.tar").await.unwrap();
        assert_eq!(machine.read("out/f"), "new");
        assert_eq!(outside.read("f"), "old");
    }

    #[tokio::test]
    async fn what_is_fine_is_unpacked() {
        use EntryType::{Directory, Link, Regular, Symlink, XGlobalHeader};
        let machine = Machine::new();
        machine.write(
            "x.tar",
            tar(&[
                (XGlobalHeader, "pax_global_header", ""),
                (Directory, "./", ""),
                (Regular, "./a", "one"),
                (Symlink, "d/l", "../a"),
                (Link, "b", "a"),
            ]),
        );
        extract(&machine, "x.tar").await.unwrap();
        extract(&machine, "x.tar").await.unwrap();
        assert_eq!(machine.read("out/d/l"), "one");
        assert_eq!(machine.read("out/b"), "one");
        assert_eq!(machine.said.lines(), ["unpacked 3 files", "unpacked 3 files"]);
    }

    #[tokio::test]
    async fn zips_are_watched_too() {
        let zip = |name: &str| {
            let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
            writer.start_file(name, SimpleFileOptions::default()).unwrap();
            writer.write_all(b"x").unwrap();
            writer.finish().unwrap().into_inner()
        };
        let machine = Machine::new();
        for name in ["../evil", "a\\..\\..\\evil", "/tmp/evil"] {
            machine.write("x.zip", zip(name));
            let failure = extract(&machine, "x.zip").await.unwrap_err();
            assert!(failure.message.ends_with("leads out of its folder"), "{}", failure.message);
        }
        machine.write("x.zip", zip("a\\b"));
        extract(&machine, "x.zip").await.unwrap();
        assert_eq!(machine.read("out/a/b"), "x");
    }

    #[tokio::test]
    async fn what_is_broken_is_told() {
        let machine = Machine::new();
        let message = |outcome: Outcome| outcome.unwrap_err().message;
        assert_eq!(message(extract(&machine, "x.tar").await), "`x.tar` does not exist");
        for name in ["x.tar.gz", "x.tar.zst", "x.zip"] {
            machine.write(name, "this is none");
            let failure = message(extract(&machine, name).await);
            assert!(failure.starts_with(&format!("`{name}` can't be unpacked: ")), "{failure}");
        }
        let whole = tar(&[(EntryType::Regular, "a", &"x".repeat(2000))]);
        machine.write("x.tar", &whole[..1500]);
        assert_eq!(
            message(extract(&machine, "x.tar").await),
            "`x.tar` can't be unpacked: it ends too early"
        );
    }
}
