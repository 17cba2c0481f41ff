#![allow(clippy::unwrap_used)]
use super::*;
use crate::{Attributes, Content, Entry, Layer, LayerWriter, Node, Spool, Tree};
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
            header.as_gnu_mut().unwrap().linkname[..text.len()].copy_from_slice(text.as_bytes());
        }
        header.set_size(content.len() as u64);
        header.set_cksum();
        out.append(&header, content).unwrap();
    }
    out.into_inner().unwrap()
}

fn written(tree: &Tree, mtime: u64) -> (Layer, Vec<u8>) {
    let mut writer = LayerWriter::new(Vec::new(), mtime);
    writer.tree(tree, &Spool::default()).unwrap();
    writer.finish().unwrap()
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
    let file =
        |mode| Entry::new(Node::file(Content::Bytes(b"x"[..].into())), Attributes::root(mode));
    let mut tree = Tree::default();
    tree.insert(Path::new("ro"), Entry::folder(Attributes::root(0o555)));
    tree.insert(Path::new("ro/set"), file(0o4755));
    tree.insert(Path::new("tmp"), Entry::folder(Attributes::root(0o1777)));
    let (layer, bytes) = written(&tree, 77);
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
    tree.insert(Path::new("d"), Entry::folder(attributes));
    let node = Node::file(Content::Bytes(b"x"[..].into()));
    tree.insert(Path::new("d/f"), Entry::new(node, attributes));
    let (_, bytes) = written(&tree, 0);
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
fn a_pipe_is_made_and_a_device_is_left_out() {
    use std::os::unix::fs::FileTypeExt;
    let place = Place::new();
    place.unpack(&[&[(EntryType::Fifo, "pipe", ""), (EntryType::Char, "null", "")]]).unwrap();
    let found = fs::symlink_metadata(place.root.join("pipe")).map(|m| m.file_type().is_fifo());
    assert_eq!(found.ok(), cfg!(target_os = "linux").then_some(true));
    assert!(!place.root.join("null").exists());
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
    assert!(error(&[0x28, 0xb5, 0x2f, 0xfd, 0]).starts_with("the layer is damaged"));
    unpack([&zstd::encode_all(&archive(&[(FILE, "z", "1")])[..], 1).unwrap()[..]], &place.root)
        .unwrap();
    assert_eq!(place.read("z"), "1");
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
