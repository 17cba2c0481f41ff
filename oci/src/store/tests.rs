#![allow(clippy::unwrap_used)]
use super::*;
use crate::{Format, Layer, Piece, media_type};

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("images")).unwrap();
    (folder, store)
}

#[test]
fn blobs_are_kept_by_digest() {
    let (_folder, store) = store();
    let (digest, size) = store.put(&b"abc"[..]).unwrap();
    assert_eq!((digest, size), (Digest::of(b"abc"), 3));
    assert_eq!(store.read(&digest).unwrap(), b"abc");
    assert_eq!(store.put(&b"abc"[..]).unwrap(), (digest, 3));
    drop(store.create().unwrap());
    assert_eq!(fs::read_dir(store.root().join("new")).unwrap().count(), 0);
    let missing = store.read(&Digest::of(b"x")).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    fs::write(store.path(&digest), "abd").unwrap();
    assert!(store.read(&digest).unwrap_err().to_string().ends_with("is damaged"));
}

#[test]
fn what_a_killed_process_left_is_removed_after_a_day() {
    let (_folder, store) = store();
    let (old, young) = (store.root().join("new/1-0"), store.root().join("new/1-1"));
    fs::write(&young, "half").unwrap();
    let day = SystemTime::now() - ABANDONED - Duration::from_secs(1);
    File::create(&old).unwrap().set_modified(day).unwrap();
    Store::open(store.root()).unwrap();
    assert!(!old.exists() && young.exists());
}

#[test]
fn names_lead_to_manifests() {
    let (_folder, store) = store();
    let config = Descriptor::new(media_type::DOCKER_CONFIG, 2, Digest::of(b"{}"));
    let manifest = Manifest::new(Format::Docker, config, Vec::new());
    let one = store.put_manifest(&manifest.to_bytes(), media_type::DOCKER_MANIFEST).unwrap();
    let name = |text: &str| text.parse::<Reference>().unwrap();
    for text in ["demo", "127.0.0.1:5000/a/b:1", "127.0.0.1:5000/a/b/c:1", "demo:2"] {
        store.name(&name(text), &one).unwrap();
    }
    assert_eq!(store.find(&name("demo:latest")).unwrap().unwrap().manifest, one);
    assert_eq!(store.find(&name("demo:3")).unwrap(), None);
    assert_eq!(store.find(&name("127.0.0.1:5000/a:1")).unwrap(), None);
    let by_digest = store.find(&name("demo").at(one.digest)).unwrap().unwrap();
    assert_eq!(by_digest.manifest, one);
    let names: Vec<String> =
        store.names().unwrap().iter().map(|n| n.reference.familiar()).collect();
    assert_eq!(names, ["127.0.0.1:5000/a/b:1", "127.0.0.1:5000/a/b/c:1", "demo:2", "demo:latest"]);
    assert_eq!(store.manifest(&one.digest).unwrap(), manifest);
    store.forget(&name("demo")).unwrap();
    store.forget(&name("demo")).unwrap();
    assert_eq!(store.find(&name("demo")).unwrap(), None);
}

#[test]
fn what_is_remembered_is_there_for_the_next_one() {
    let (_folder, store) = store();
    let (digest, size) = store.put(&b"layer"[..]).unwrap();
    let (key, layer) = (Digest::of(b"key"), Layer { diff_id: digest, digest, size });
    assert_eq!(store.layer(&key), None);
    store.remember(&key, &layer).unwrap();
    assert_eq!(store.layer(&key), Some(layer));

    let instruction = Digest::of(b"COPY . /");
    let piece = |byte| Piece { digest: Digest::of(&[byte]), offset: 0, length: 5, sum: 1 };
    assert!(store.last(&instruction).is_none());
    store.remember_last(&instruction, &layer, &[piece(1), piece(2)]).unwrap();
    let earlier = store.last(&instruction).unwrap();
    assert_eq!(earlier.pieces[&piece(1).digest], piece(1));
    fs::remove_file(store.path(&digest)).unwrap();
    assert!(store.last(&instruction).is_none());
    assert_eq!(store.layer(&key), None);

    let repository = |text: &str| text.parse::<Reference>().unwrap();
    for name in ["a.example.com/x:1", "docker.io/library/busybox", "a.example.com/x"] {
        store.remember_origin(&digest, &repository(name)).unwrap();
    }
    assert_eq!(store.origins(&digest), [repository("a.example.com/x"), repository("busybox")]);
    fs::write(store.root().join("origins").join(digest.hex()), "[").unwrap();
    assert_eq!(store.origins(&digest), []);
}

#[test]
fn many_writers_of_one_name_leave_a_whole_one() {
    let (_folder, store) = store();
    let name: Reference = "demo:1".parse().unwrap();
    std::thread::scope(|scope| {
        for number in 0..8_u64 {
            let (store, name) = (&store, &name);
            scope.spawn(move || {
                for _ in 0..20 {
                    let (digest, size) = store.put(&number.to_le_bytes()[..]).unwrap();
                    store.name(name, &Descriptor::new("x", size, digest)).unwrap();
                    assert!(store.find(name).unwrap().is_some());
                }
            });
        }
    });
    assert_eq!(store.names().unwrap().len(), 1);
}
