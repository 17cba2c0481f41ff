//! Unpacks layers into a folder.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ffi::{OsStr, OsString},
    fs::{self, File, Permissions},
    io::{self, BufRead, BufReader, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, PermissionsExt, lchown, symlink},
    },
    path::{Component, Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, mknodat, utimensat};
use tar::{Archive, EntryType, Header};

use crate::{Digest, Error, Hashing, Result};

/// As many links a path may lead over; Linux has the same bound.
const MOST_LINKS: usize = 40;

/// Unpacks the layers of an image, lowest first, into an empty folder.
///
/// # Errors
///
/// See [`Unpacker::layer`].
pub fn unpack<R: Read>(layers: impl IntoIterator<Item = R>, root: &Path) -> Result<()> {
    let mut unpacker = Unpacker::new(root)?;
    for layer in layers {
        unpacker.layer(layer)?;
    }
    unpacker.finish()
}

/// Unpacks layers one after the other, as
/// [OCI's layer specification](https://github.com/opencontainers/image-spec/blob/main/layer.md) says.
///
/// Whatever the archives hold, nothing outside the folder is touched: names with `..` are refused,
/// and links are followed as a process sees them whose root the folder is. Owners are kept for
/// root, otherwise all is the caller's own. Device nodes are left out (whoever runs the image gives
/// it a `/dev`), and so are extended attributes.
pub struct Unpacker {
    root: PathBuf,
    is_root: bool,
    /// Modes and times of folders, set at the end: until then they must be writable, and every
    /// entry below changes their time.
    folders: BTreeMap<PathBuf, (u32, u64)>,
}

impl Unpacker {
    /// Begins in a folder; makes it when there is none.
    ///
    /// # Errors
    ///
    /// When the folder can't be made.
    pub fn new(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).map_err(|e| Error::at("make", root, &e))?;
        let root = root.canonicalize().map_err(|e| Error::at("read", root, &e))?;
        let is_root = rustix::process::geteuid().is_root();
        Ok(Self { root, is_root, folders: BTreeMap::new() })
    }

    /// Unpacks one layer, a tar archive as it is or in gzip, and answers the digest of the archive
    /// before compression.
    ///
    /// # Errors
    ///
    /// When the archive is damaged, of an unknown format or wants to leave the folder, or the
    /// folder can't be written.
    pub fn layer(&mut self, blob: impl Read) -> Result<Digest> {
        let mut archive = Archive::new(Hashing::new(opened(blob)?));
        let mut written = BTreeSet::new();
        for entry in archive.entries().map_err(|e| damaged(&e))? {
            let mut entry = entry.map_err(|e| damaged(&e))?;
            let name = PathBuf::from(OsStr::from_bytes(&entry.path_bytes()));
            let parts = inside(&name)?;
            self.entry(&mut entry, &name, parts, &mut written)?;
        }
        // The archive ends before its last, empty blocks; the digest covers them.
        let mut rest = archive.into_inner();
        io::copy(&mut rest, &mut io::sink()).map_err(|e| damaged(&e))?;
        Ok(rest.finish().0)
    }

    /// Sets the modes and times of the folders.
    ///
    /// # Errors
    ///
    /// When one of them can't be changed.
    pub fn finish(self) -> Result<()> {
        // Deepest first: a folder without write permission shuts off those below.
        for (path, (mode, mtime)) in self.folders.iter().rev() {
            set_mode(path, *mode)?;
            set_time(path, *mtime)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &mut tar::Entry<'_, impl Read>,
        name: &Path,
        mut parts: Vec<OsString>,
        written: &mut BTreeSet<PathBuf>,
    ) -> Result<()> {
        let header = entry.header().clone();
        let kind = header.entry_type();
        if kind.is_pax_global_extensions() {
            return Ok(());
        }
        let Some(last) = parts.pop() else {
            // The root itself.
            return if kind.is_dir() { self.folder(&self.root.clone(), &header) } else { Ok(()) };
        };
        let folder = self.parent(parts, written)?;
        if let Some(hidden) = last.as_bytes().strip_prefix(b".wh.") {
            return self.whiteout(&folder, OsStr::from_bytes(hidden), written);
        }
        let path = folder.join(&last);
        let there = fs::symlink_metadata(&path).ok();
        let failed =
            |e: io::Error| Error::io(format_args!("can't unpack `{}`", name.display()), &e);
        if there.as_ref().is_some_and(|there| !(there.is_dir() && kind.is_dir())) {
            self.remove(&path)?;
        }
        match kind {
            EntryType::Directory => {
                if !there.is_some_and(|there| there.is_dir()) {
                    fs::create_dir(&path).map_err(failed)?;
                }
                self.own(&path, &header)?;
                self.folder(&path, &header)?;
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let mut file = File::create_new(&path).map_err(failed)?;
                io::copy(entry, &mut file).map_err(failed)?;
                drop(file);
                self.own(&path, &header)?;
                // After the owner: a change of the owner takes setuid away.
                set_mode(&path, header.mode().map_err(|e| damaged(&e))?)?;
                set_time(&path, header.mtime().unwrap_or(0))?;
            }
            EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default();
                symlink(OsStr::from_bytes(&target), &path).map_err(failed)?;
                self.own(&path, &header)?;
            }
            EntryType::Link => {
                let target = entry.link_name_bytes().unwrap_or_default();
                let mut parts = inside(Path::new(OsStr::from_bytes(&target)))?;
                let last = parts.pop().unwrap_or_default();
                let target = self.resolve(parts)?.join(last);
                fs::hard_link(&target, &path).map_err(failed)?;
            }
            EntryType::Fifo => {
                mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
                    .map_err(|e| failed(e.into()))?;
                self.own(&path, &header)?;
                set_mode(&path, header.mode().map_err(|e| damaged(&e))?)?;
            }
            _ => return Ok(()),
        }
        written.insert(path);
        Ok(())
    }

    /// The folder with these parts, made where it is missing.
    fn parent(&mut self, parts: Vec<OsString>, written: &mut BTreeSet<PathBuf>) -> Result<PathBuf> {
        let folder = self.resolve(parts)?;
        let mut path = self.root.clone();
        for part in folder.strip_prefix(&self.root).unwrap_or(Path::new("")) {
            path.push(part);
            if !path.is_dir() {
                fs::create_dir(&path).map_err(|e| Error::at("make", &path, &e))?;
                set_mode(&path, 0o755)?;
            }
            // What a layer puts something into is not removed by a whiteout of the same layer.
            if !written.contains(&path) {
                written.insert(path.clone());
            }
        }
        Ok(folder)
    }

    /// Where a path leads for a process whose root is the folder: links are followed, absolute
    /// ones from the folder, and `..` ends there.
    fn resolve(&self, parts: Vec<OsString>) -> Result<PathBuf> {
        let mut path = self.root.clone();
        let mut todo = VecDeque::from(parts);
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            if part == ".." {
                if path != self.root {
                    path.pop();
                }
                continue;
            }
            path.push(&part);
            if !fs::symlink_metadata(&path).is_ok_and(|m| m.is_symlink()) {
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(Error::invalid(format!(
                    "the link `{}` leads in a circle",
                    Path::new("/").join(path.strip_prefix(&self.root).unwrap_or(&path)).display()
                )));
            }
            let target = fs::read_link(&path).map_err(|e| Error::at("read", &path, &e))?;
            if target.is_absolute() {
                path.clone_from(&self.root);
            } else {
                path.pop();
            }
            for component in target.components().rev() {
                match component {
                    Component::Normal(name) => todo.push_front(name.to_owned()),
                    Component::ParentDir => todo.push_front("..".into()),
                    _ => {}
                }
            }
        }
        Ok(path)
    }

    /// `.wh.NAME` removes what lower layers have under that name, `.wh..wh..opq` all that they
    /// have in the folder.
    fn whiteout(
        &mut self,
        folder: &Path,
        hidden: &OsStr,
        written: &BTreeSet<PathBuf>,
    ) -> Result<()> {
        if hidden == ".wh..opq" {
            return self.remove_lower_in(folder, written);
        }
        // Other names with two marks were aufs's own; `.` and `..` name nothing in the folder.
        if hidden.as_bytes().starts_with(b".wh.") || matches!(hidden.as_bytes(), b"" | b"." | b"..")
        {
            return Ok(());
        }
        let path = folder.join(hidden);
        if !written.contains(&path) {
            self.remove(&path)
        } else if fs::symlink_metadata(&path).is_ok_and(|m| m.is_dir()) {
            self.remove_lower_in(&path, written)
        } else {
            Ok(())
        }
    }

    fn remove_lower_in(&mut self, folder: &Path, written: &BTreeSet<PathBuf>) -> Result<()> {
        let failed = |e: io::Error| Error::at("read", folder, &e);
        for item in fs::read_dir(folder).map_err(failed)? {
            let path = item.map_err(failed)?.path();
            if !written.contains(&path) {
                self.remove(&path)?;
            } else if fs::symlink_metadata(&path).is_ok_and(|m| m.is_dir()) {
                self.remove_lower_in(&path, written)?;
            }
        }
        Ok(())
    }

    /// Removes whatever is at a path, never following a link.
    fn remove(&mut self, path: &Path) -> Result<()> {
        self.folders.retain(|folder, _| !folder.starts_with(path));
        let removed = match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(_) => return Ok(()),
        };
        removed.map_err(|e| Error::at("remove", path, &e))
    }

    fn folder(&mut self, path: &Path, header: &Header) -> Result<()> {
        let mode = header.mode().map_err(|e| damaged(&e))?;
        self.folders.insert(path.to_owned(), (mode, header.mtime().unwrap_or(0)));
        Ok(())
    }

    /// Gives an entry its owner. In a user namespace numbers that are not mapped are refused; then
    /// it stays the caller's own, as without root.
    fn own(&self, path: &Path, header: &Header) -> Result<()> {
        if !self.is_root {
            return Ok(());
        }
        let number = |n: io::Result<u64>| n.ok().and_then(|n| u32::try_from(n).ok());
        let (uid, gid) = (number(header.uid()), number(header.gid()));
        let metadata = fs::symlink_metadata(path).map_err(|e| Error::at("read", path, &e))?;
        if (uid, gid) == (Some(metadata.uid()), Some(metadata.gid())) {
            return Ok(());
        }
        match lchown(path, uid, gid) {
            Err(e)
                if !matches!(
                    e.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::PermissionDenied
                ) =>
            {
                Err(Error::at("change the owner of", path, &e))
            }
            _ => Ok(()),
        }
    }
}

/// The parts of an archive's path. A leading `/` is passed over, as tar does.
fn inside(name: &Path) -> Result<Vec<OsString>> {
    let mut parts = Vec::new();
    for component in name.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_owned()),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(Error::invalid(format!(
                    "the layer holds `{}`, which leaves the image",
                    name.display()
                )));
            }
        }
    }
    Ok(parts)
}

/// The archive in a blob, by its first bytes.
fn opened<'a>(blob: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
    let mut blob = BufReader::with_capacity(64 << 10, blob);
    let head = blob.fill_buf().map_err(|e| damaged(&e))?;
    match head {
        [0x1f, 0x8b, ..] => Ok(Box::new(MultiGzDecoder::new(blob))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Err(Error::invalid("the layer is compressed with zstd; push the image with gzip"))
        }
        _ => Ok(Box::new(blob)),
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode & 0o7777))
        .map_err(|e| Error::at("change the mode of", path, &e))
}

fn set_time(path: &Path, mtime: u64) -> Result<()> {
    let time = Timespec { tv_sec: i64::try_from(mtime).unwrap_or(0), tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|e| Error::at("change the time of", path, &e.into()))
}

fn damaged(error: &io::Error) -> Error {
    Error::io("the layer is damaged", error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Attributes, Content, Entry, Node, Tree};
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    /// An archive entry: kind, name, link target or content.
    type Item<'a> = (EntryType, &'a str, &'a str);
    const DIR: EntryType = EntryType::Directory;
    const FILE: EntryType = EntryType::Regular;
    const LINK: EntryType = EntryType::Symlink;
    const HARD: EntryType = EntryType::Link;

    /// A tar archive with names as they are, however wicked.
    fn archive(items: &[Item<'_>]) -> Vec<u8> {
        let mut out = tar::Builder::new(Vec::new());
        for (kind, name, text) in items {
            let mut header = Header::new_gnu();
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(if *kind == DIR { 0o755 } else { 0o644 });
            header.set_uid(u64::from(rustix::process::getuid().as_raw()));
            header.set_gid(u64::from(rustix::process::getgid().as_raw()));
            header.set_mtime(1_000_000_000);
            let content = if *kind == FILE { text.as_bytes() } else { b"" };
            if matches!(*kind, LINK | HARD) {
                header.as_gnu_mut().unwrap().linkname[..text.len()]
                    .copy_from_slice(text.as_bytes());
            }
            header.set_size(content.len() as u64);
            header.set_cksum();
            out.append(&header, content).unwrap();
        }
        out.into_inner().unwrap()
    }

    struct Place {
        outside: tempfile::TempDir,
        root: PathBuf,
    }

    impl Place {
        fn new() -> Self {
            let outside = tempfile::tempdir().unwrap();
            let root = outside.path().join("root");
            Self { outside, root }
        }

        fn unpack(&self, layers: &[&[Item<'_>]]) -> Result<()> {
            let layers: Vec<Vec<u8>> = layers.iter().map(|l| archive(l)).collect();
            unpack(layers.iter().map(Vec::as_slice), &self.root)
        }

        fn read(&self, path: &str) -> String {
            fs::read_to_string(self.root.join(path)).unwrap()
        }

        /// Every path, sorted.
        fn paths(&self) -> Vec<String> {
            let (mut found, mut folders) = (Vec::new(), vec![self.root.clone()]);
            while let Some(folder) = folders.pop() {
                for item in fs::read_dir(folder).unwrap() {
                    let path = item.unwrap().path();
                    found.push(path.strip_prefix(&self.root).unwrap().display().to_string());
                    if fs::symlink_metadata(&path).unwrap().is_dir() {
                        folders.push(path);
                    }
                }
            }
            found.sort();
            found
        }

        /// Whether nothing stands beside the root.
        fn is_clean(&self) -> bool {
            fs::read_dir(self.outside.path()).unwrap().all(|item| item.unwrap().path() == self.root)
        }
    }

    #[test]
    fn later_layers_win_and_whiteouts_remove() {
        let place = Place::new();
        place
            .unpack(&[
                &[
                    (DIR, "a/", ""),
                    (FILE, "a/x", "1"),
                    (FILE, "a/y", "1"),
                    (FILE, "z", "1"),
                    (DIR, "d", ""),
                    (FILE, "d/e", ""),
                ],
                &[
                    (FILE, "a/x", "2"),
                    (FILE, "a/.wh.y", ""),
                    (FILE, ".wh.z", ""),
                    (FILE, "d", "file"),
                    (FILE, ".wh.none", ""),
                ],
            ])
            .unwrap();
        assert_eq!(place.paths(), ["a", "a/x", "d"]);
        assert_eq!((place.read("a/x"), place.read("d")), ("2".into(), "file".into()));
    }

    #[test]
    fn an_opaque_folder_hides_lower_layers_only() {
        let place = Place::new();
        place
            .unpack(&[
                &[(DIR, "a", ""), (FILE, "a/old", ""), (DIR, "a/sub", ""), (FILE, "a/sub/old", "")],
                &[(FILE, "a/new", ""), (FILE, "a/sub/new", ""), (FILE, "a/.wh..wh..opq", "")],
            ])
            .unwrap();
        assert_eq!(place.paths(), ["a", "a/new", "a/sub", "a/sub/new"]);
        let place = Place::new();
        place
            .unpack(&[
                &[(FILE, "a/old", "")],
                &[(FILE, "a/new", ""), (FILE, ".wh.a", ""), (FILE, ".wh..wh.plnk", "")],
            ])
            .unwrap();
        assert_eq!(place.paths(), ["a", "a/new"]);
    }

    #[test]
    fn links_are_followed_inside_the_root_only() {
        let place = Place::new();
        let outside = place.outside.path().join("secret");
        fs::write(&outside, "untouched").unwrap();
        let absolute = outside.to_str().unwrap();
        place
            .unpack(&[
                &[
                    (LINK, "lib", "usr/lib"),
                    (LINK, "up", "../.."),
                    (LINK, "abs", "/usr/lib"),
                    (LINK, "file", absolute),
                    (FILE, "usr/lib/a", "a"),
                ],
                &[
                    (FILE, "lib/b", "b"),
                    (FILE, "up/c", "c"),
                    (FILE, "abs/d", "d"),
                    (FILE, "file", "mine"),
                    (HARD, "hard", "lib/b"),
                    (FILE, "up/.wh.secret", ""),
                ],
            ])
            .unwrap();
        assert_eq!(
            place.paths(),
            [
                "abs",
                "c",
                "file",
                "hard",
                "lib",
                "up",
                "usr",
                "usr/lib",
                "usr/lib/a",
                "usr/lib/b",
                "usr/lib/d"
            ]
        );
        assert_eq!((place.read("hard"), place.read("file")), ("b".into(), "mine".into()));
        assert_eq!(fs::read_to_string(&outside).unwrap(), "untouched");
    }

    #[test]
    fn wicked_names_are_refused() {
        for (items, message) in [
            (&[(FILE, "../x", "")][..], "the layer holds `../x`, which leaves the image"),
            (&[(FILE, "a/../../x", "")], "the layer holds `a/../../x`, which leaves the image"),
            (&[(HARD, "x", "../secret")], "the layer holds `../secret`, which leaves the image"),
            (
                &[(LINK, "a", "b"), (LINK, "b", "a"), (FILE, "a/x", "")],
                "the link `/a` leads in a circle",
            ),
        ] {
            let place = Place::new();
            let error = place.unpack(&[items]).unwrap_err().to_string();
            assert_eq!(error, message);
            assert!(place.is_clean());
        }
        let place = Place::new();
        fs::write(place.outside.path().join("secret"), "").unwrap();
        let link = [(LINK, "s", "../secret"), (HARD, "x", "s")];
        // A hard link to a symbolic link names the link itself.
        place.unpack(&[&link]).unwrap();
        assert!(fs::symlink_metadata(place.root.join("x")).unwrap().is_symlink());
        place.unpack(&[&[(FILE, "/abs", "1"), (FILE, ".wh...", ""), (FILE, ".wh..", "")]]).unwrap();
        assert_eq!(place.read("abs"), "1");
    }

    #[test]
    fn modes_and_times_are_kept() {
        let place = Place::new();
        let file = |mode| Entry {
            node: Node::File(Content::Bytes(b"x"[..].into())),
            attributes: Attributes::root(mode),
        };
        let mut tree = Tree::default();
        tree.insert("ro", Entry::folder(Attributes::root(0o555)));
        tree.insert("ro/set", file(0o4755));
        tree.insert("tmp", Entry::folder(Attributes::root(0o1777)));
        let (layer, bytes) = tree.write(Vec::new(), 77).unwrap();
        let mut unpacker = Unpacker::new(&place.root).unwrap();
        assert_eq!(unpacker.layer(&bytes[..]).unwrap(), layer.diff_id);
        unpacker.finish().unwrap();
        let metadata = |path| fs::metadata(place.root.join(path)).unwrap();
        assert_eq!(metadata("ro").mode() & 0o7777, 0o555);
        assert_eq!(metadata("ro/set").mode() & 0o7777, 0o4755);
        assert_eq!(metadata("tmp").mode() & 0o7777, 0o1777);
        assert_eq!((metadata("ro").mtime(), metadata("ro/set").mtime()), (77, 77));
        // So that the folder can be removed without root.
        set_mode(&place.root.join("ro"), 0o755).unwrap();
    }

    #[test]
    fn owners_are_kept_for_root() {
        let place = Place::new();
        let mut tree = Tree::default();
        let attributes = Attributes { mode: 0o6755, uid: 1234, gid: 567 };
        tree.insert("d", Entry::folder(attributes));
        let node = Node::File(Content::Bytes(b"x"[..].into()));
        tree.insert("d/f", Entry { node, attributes });
        let (_, bytes) = tree.write(Vec::new(), 0).unwrap();
        unpack([&bytes[..]], &place.root).unwrap();
        let metadata = fs::metadata(place.root.join("d/f")).unwrap();
        assert_eq!(metadata.mode() & 0o7777, 0o6755);
        let own = (metadata.uid(), metadata.gid());
        if rustix::process::geteuid().is_root() && own != (0, 0) {
            assert_eq!(own, (1234, 567));
        } else {
            assert_eq!(own.0, rustix::process::geteuid().as_raw());
        }
    }

    #[test]
    fn damaged_and_unknown_layers_are_named() {
        let place = Place::new();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&archive(&[(FILE, "a", "1")])).unwrap();
        let bytes = gzip.finish().unwrap();
        unpack([&bytes[..]], &place.root).unwrap();
        let error = |bytes: &[u8]| unpack([bytes], &place.root).unwrap_err().to_string();
        assert!(error(&bytes[..bytes.len() - 12]).starts_with("the layer is damaged"));
        assert!(error(&[7; 600]).starts_with("the layer is damaged"));
        assert!(error(&[0x28, 0xb5, 0x2f, 0xfd, 0]).contains("zstd"));
        unpack([&b""[..]], &place.root).unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn nothing_outside_the_root_is_touched(items in prop::collection::vec(
            (
                prop::sample::select(vec![DIR, FILE, LINK, HARD]),
                "(/|\\.\\./)?(a|b|\\.\\.|\\.wh\\.a|secret|\\.wh\\.secret|\\.wh\\.\\.wh\\.\\.opq)(/(a|b|\\.\\.|secret|\\.wh\\.b)){0,2}/?",
                "(/|\\.\\./)?(a|b|\\.\\.|secret|\\.\\./secret|\\.\\./\\.\\./secret|\\.)(/(a|b|\\.\\.)){0,2}",
            ),
            1..10,
        )) {
            let place = Place::new();
            let secret = place.outside.path().join("secret");
            fs::create_dir(&secret).unwrap();
            fs::write(secret.join("b"), "untouched").unwrap();
            let items: Vec<Item<'_>> =
                items.iter().map(|(kind, name, text)| (*kind, name.as_str(), text.as_str())).collect();
            let split = items.len() / 2;
            let _ = place.unpack(&[&items[..split], &items[split..]]);
            let mut beside: Vec<_> =
                fs::read_dir(place.outside.path()).unwrap().map(|i| i.unwrap().file_name()).collect();
            beside.sort();
            prop_assert_eq!(beside, ["root", "secret"]);
            prop_assert_eq!(fs::read_dir(&secret).unwrap().count(), 1);
            prop_assert_eq!(fs::read_to_string(secret.join("b")).unwrap(), "untouched");
            prop_assert_eq!(fs::metadata(secret.join("b")).unwrap().nlink(), 1);
        }
    }
}
