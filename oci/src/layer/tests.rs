#![allow(clippy::unwrap_used)]
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use proptest::prelude::*;

use super::*;
use crate::{Digest, Hashing};

fn file(bytes: &[u8]) -> Entry {
    Entry::new(Node::file(Content::Bytes(bytes.into())), Attributes::root(0o644))
}

fn link(to: &str) -> Entry {
    Entry::new(Node::Symlink(Path::new(to).into()), Attributes::root(0o777))
}

fn put(tree: &mut Tree, path: &str, entry: Entry) {
    tree.insert(Path::new(path), entry);
}

fn written(tree: &Tree) -> (Layer, Vec<u8>) {
    let spool = Spool::of(tree, || Ok(tempfile::tempfile().unwrap())).unwrap();
    let mut writer = LayerWriter::new(Vec::new(), 0);
    writer.tree(tree, &spool).unwrap();
    writer.finish().unwrap()
}

fn key(tree: &Tree, mtime: u64) -> Digest {
    tree.key(mtime, Content::digest).unwrap()
}

/// Path, kind, mode, content of each entry.
fn listed(bytes: &[u8]) -> Vec<(String, u8, u32, String)> {
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(bytes));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        let link = entry.link_name().unwrap().map(|l| l.display().to_string());
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.mtime().unwrap()), (0, 0));
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        (name, header.entry_type().as_byte(), header.mode().unwrap(), link.unwrap_or(text))
    });
    entries.collect()
}

/// An archive on the disk, as the contents of its files need it.
struct Packed {
    _folder: tempfile::TempDir,
    path: Arc<Path>,
    listing: Listing,
}

fn packed(bytes: &[u8]) -> Packed {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("layer");
    fs::write(&path, bytes).unwrap();
    let (listing, _) = Listing::read(bytes).unwrap();
    // As a store keeps it.
    let text = serde_json::to_vec(&listing).unwrap();
    assert_eq!(serde_json::from_slice::<Listing>(&text).unwrap(), listing);
    Packed { _folder: folder, path: path.into(), listing }
}

#[test]
fn a_layer_holds_its_entries_in_order() {
    let long = "x/".repeat(80) + "file";
    let mut tree = Tree::default();
    put(&mut tree, "b", file(b"hello"));
    put(&mut tree, "a", Entry::folder(Attributes::FOLDER));
    put(&mut tree, &long, file(b"deep"));
    put(&mut tree, "a/link", link("../../etc"));
    let mut program = file(b"#!");
    program.attributes.mode = 0o4755;
    put(&mut tree, "a/program", program);
    let (layer, bytes) = written(&tree);
    assert_eq!(
        listed(&bytes),
        [
            ("a/".to_owned(), b'5', 0o755, String::new()),
            ("a/link".to_owned(), b'2', 0o777, "../../etc".to_owned()),
            ("a/program".to_owned(), b'0', 0o4755, "#!".to_owned()),
            ("b".to_owned(), b'0', 0o644, "hello".to_owned()),
            (long, b'0', 0o644, "deep".to_owned()),
        ]
    );
    assert_eq!((layer.digest, layer.size), (Digest::of(&bytes), bytes.len() as u64));
    let (diff_id, _) = Digest::of_reader(flate2::read::MultiGzDecoder::new(&bytes[..])).unwrap();
    assert_eq!(layer.diff_id, diff_id);
}

#[test]
fn a_file_in_the_place_of_a_folder_takes_it_all() {
    let mut tree = Tree::default();
    put(&mut tree, "a", Entry::folder(Attributes::FOLDER));
    put(&mut tree, "a/b", file(b""));
    put(&mut tree, "ab", file(b""));
    put(&mut tree, "a", file(b""));
    assert_eq!(tree.iter().map(|(p, _)| p.to_str().unwrap()).collect::<Vec<_>>(), ["a", "ab"]);
}

#[test]
fn a_folder_of_the_machine_is_taken_with_its_modes_and_further_names() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("d")).unwrap();
    fs::write(at("d/f"), "x").unwrap();
    fs::hard_link(at("d/f"), at("d/g")).unwrap();
    fs::set_permissions(at("d/f"), PermissionsExt::from_mode(0o600)).unwrap();
    symlink("/etc/passwd", at("l")).unwrap();
    let mut tree = Tree::default();
    tree.insert_folder(Path::new("srv"), folder.path()).unwrap();
    let found = listed(&written(&tree).1);
    let names: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["srv/d/", "srv/d/f", "srv/d/g", "srv/l"]);
    assert_eq!((found[1].2, found[1].3.as_str()), (0o600, "x"));
    assert_eq!((found[2].1, found[2].3.as_str()), (b'1', "srv/d/f"));
    assert_eq!(found[3].3, "/etc/passwd");

    let before = key(&tree, 0);
    assert_eq!(key(&tree, 0), before);
    assert_ne!(key(&tree, 1), before);
    fs::write(at("d/f"), "longer").unwrap();
    let mut writer = LayerWriter::new(Vec::new(), 0);
    let error = writer.tree(&tree, &Spool::default()).unwrap_err().to_string();
    assert!(error.ends_with("d/f` changed while the image was built"), "{error}");
}

#[test]
fn a_path_out_of_the_layer_is_refused() {
    let mut writer = LayerWriter::new(Vec::new(), 0);
    let error = writer.folder(Path::new("../x"), Attributes::FOLDER).unwrap_err();
    assert_eq!(error.to_string(), "`../x` leaves the layer");
    let error = writer.file(Path::new("x"), Attributes::FOLDER, 2, &b"1"[..]).unwrap_err();
    assert!(error.to_string().contains("became shorter"), "{error}");
}

#[test]
fn devices_and_extended_attributes_travel() {
    let mut tree = Tree::default();
    let special = |special| Entry::new(Node::Special(special), Attributes::root(0o620));
    put(&mut tree, "console", special(Special::Char(5, 1)));
    put(&mut tree, "disk", special(Special::Block(8, 300)));
    put(&mut tree, "pipe", special(Special::Pipe));
    let mut ping = file(b"ping");
    // So long that the length of its record has one digit more than what it counts.
    let capability = ("security.capability".to_owned(), vec![1, 0, 0xff, b'=']);
    let long = ("user.long".to_owned(), vec![b'x'; 73]);
    ping.xattrs = Some(Arc::new([capability, long].into()));
    put(&mut tree, "ping", ping);
    let (_, bytes) = written(&tree);
    let again = packed(&bytes);
    let mut read = Tree::default();
    again.listing.apply(&mut read, &again.path).unwrap();
    let same = |path: &str| assert_eq!(read.get(Path::new(path)), tree.get(Path::new(path)));
    for path in ["console", "disk", "pipe"] {
        same(path);
    }
    let (before, after) = (tree.get(Path::new("ping")).unwrap(), read.get(Path::new("ping")));
    assert_eq!(before.xattrs, after.unwrap().xattrs);
    assert_eq!(written(&read).1, bytes);
}

/// A layer by hand, in any order.
fn layer(write: impl FnOnce(&mut LayerWriter<Vec<u8>>)) -> Vec<u8> {
    let mut writer = LayerWriter::new(Vec::new(), 0);
    write(&mut writer);
    writer.finish().unwrap().1
}

fn empty(writer: &mut LayerWriter<Vec<u8>>, path: &str) {
    writer.file(Path::new(path), Attributes::root(0o644), 0, &b""[..]).unwrap();
}

#[test]
fn layers_are_merged_as_they_are_unpacked() {
    let base = packed(&layer(|w| {
        w.folder(Path::new("tmp"), Attributes::root(0o1777)).unwrap();
        w.symlink(Path::new("lib"), Attributes::FOLDER, Path::new("usr/lib")).unwrap();
        for path in ["usr/lib/a", "gone/x", "gone-not", "opaque/old"] {
            empty(w, path);
        }
    }));
    let upper = packed(&layer(|w| {
        for path in ["lib/b", ".wh.gone", "opaque/new", "opaque/.wh..wh..opq"] {
            empty(w, path);
        }
        for nothing in ["usr/.wh.", "usr/.wh..", "usr/.wh..."] {
            empty(w, nothing);
        }
    }));
    let mut tree = Tree::default();
    base.listing.apply(&mut tree, &base.path).unwrap();
    upper.listing.apply(&mut tree, &upper.path).unwrap();
    let paths: Vec<&str> = tree.iter().map(|(p, _)| p.to_str().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "gone-not",
            "lib",
            "opaque",
            "opaque/new",
            "tmp",
            "usr",
            "usr/lib",
            "usr/lib/a",
            "usr/lib/b"
        ]
    );
    let tmp = tree.get(Path::new("tmp")).unwrap();
    assert_eq!(*tmp, Entry::folder(Attributes::root(0o1777)));
    let resolved = |path: &str| tree.resolve(Path::new(path)).unwrap();
    assert_eq!(resolved("/lib/../lib/a"), Path::new("usr/lib/a"));
    assert_eq!(resolved("../../new"), Path::new("new"));
    let below: Vec<_> = tree.below(Path::new("usr")).map(|(p, _)| p.to_str().unwrap()).collect();
    assert_eq!(below, ["usr/lib", "usr/lib/a", "usr/lib/b"]);
}

#[test]
fn circles_are_named() {
    let mut tree = Tree::default();
    put(&mut tree, "a", link("/b"));
    put(&mut tree, "b", link("a"));
    let error = tree.resolve(Path::new("a/x")).unwrap_err().to_string();
    assert!(error.contains("leads in a circle"), "{error}");
}

#[test]
fn files_come_out_of_archives_whole_and_once() {
    let mut source = Tree::default();
    for (path, text) in [("a", "one"), ("b", "two"), ("c/d", "three")] {
        put(&mut source, path, file(text.as_bytes()));
    }
    let mut first = source.get(Path::new("a")).unwrap().clone();
    first.node = Node::File { content: Content::Bytes(b"one"[..].into()), inode: 7 };
    put(&mut source, "a", first.clone());
    put(&mut source, "a2", first);
    let bytes = written(&source).1;
    let archive = packed(&bytes);
    put(&mut source, "c", Entry::folder(Attributes::FOLDER));
    // As a layer, and as an archive that is unpacked.
    let (mut layer, mut unpacked) = (Tree::default(), Tree::default());
    archive.listing.apply(&mut layer, &archive.path).unwrap();
    archive
        .listing
        .unpack(&archive.path, |path, entry| {
            unpacked.put(path, entry);
            Ok::<_, ()>(())
        })
        .unwrap();
    for tree in [layer, unpacked] {
        let found = listed(&written(&tree).1);
        let found: Vec<(&str, &str)> =
            found.iter().map(|(name, _, _, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(found, [("a", "one"), ("a2", "a"), ("b", "two"), ("c/", ""), ("c/d", "three")]);
        // The place of the content does not matter, nor the number of the file.
        assert_eq!(key(&tree, 5), key(&source, 5));
        fs::write(&archive.path, written(&Tree::default()).1).unwrap();
        let error = Spool::of(&tree, || Ok(tempfile::tempfile().unwrap())).unwrap_err().to_string();
        assert!(error.ends_with("changed while the image was built"), "{error}");
        fs::write(&archive.path, &bytes).unwrap();
    }
}

#[test]
fn archives_are_read_however_they_are_compressed() {
    use std::io::Write;
    let mut tree = Tree::default();
    put(&mut tree, "f", file(b"hello"));
    let (_, gzip) = written(&tree);
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(&gzip[..]).read_to_end(&mut plain).unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&plain).unwrap();
    let zstd = zstd::encode_all(&plain[..], 1).unwrap();
    for bytes in [plain.clone(), bzip2.finish().unwrap(), zstd, gzip] {
        let (listing, digest) = Listing::read(&bytes[..]).unwrap();
        assert_eq!((listing.len(), digest), (1, Digest::of(&plain)));
        let half = &bytes[..bytes.len() / 3];
        assert!(Listing::read(half).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_same_entries_make_the_same_bytes_in_any_order(
        entries in prop::collection::btree_map("[a-c]{1,3}(/[a-c]{1,3}){0,3}", prop::collection::vec(any::<u8>(), 0..200), 0..12),
        seed in any::<u64>(),
    ) {
        let mut shuffled: Vec<_> = entries.iter().collect();
        shuffled.sort_by_key(|(path, _)| Digest::of(format!("{seed}{path}").as_bytes()));
        let (mut one, mut other) = (Tree::default(), Tree::default());
        for (path, bytes) in &entries { put(&mut one, path, file(bytes)); }
        for (path, bytes) in shuffled { put(&mut other, path, file(bytes)); }
        prop_assert_eq!(key(&one, 0), key(&other, 0));
        prop_assert_eq!(written(&one), written(&other));
    }

    #[test]
    fn any_tree_is_the_one_that_was_written(
        paths in prop::collection::btree_set("[a-c]{1,2}(/[a-c]{1,2}){0,2}", 0..10),
    ) {
        let mut tree = Tree::default();
        for path in &paths { tree.put(Path::new(path), file(path.as_bytes())); }
        let archive = packed(&written(&tree).1);
        let mut read = Tree::default();
        archive.listing.apply(&mut read, &archive.path).unwrap();
        prop_assert_eq!(key(&read, 0), key(&tree, 0));
        let hashed = Hashing::new(std::io::sink()).finish().0;
        prop_assert_ne!(key(&read, 0), hashed);
        let paths: Vec<PathBuf> = read.iter().map(|(path, _)| path.to_path_buf()).collect();
        prop_assert!(paths.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
