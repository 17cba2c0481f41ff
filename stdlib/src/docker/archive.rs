//! The build context as a tar archive on its way to an engine.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use pipe_oci::{Entry, Node};
use tar::{EntryType, Header};
use tokio::sync::mpsc;

use super::context::Context;
use crate::core::Failure;

/// How much is sent at once, in bytes.
const PIECE: usize = 128 << 10;

/// The name of a Dockerfile in the archive that lies outside the context.
const OUTSIDE: &str = ".pipe.Dockerfile";

/// A context in pieces, as they are asked for; no file is held in memory. Answers the path of the
/// Dockerfile inside it, too.
pub(super) fn stream(
    context: &Arc<Context>,
) -> (String, impl Stream<Item = Result<Bytes, io::Error>> + Send + 'static) {
    // Docker's own client sends both even when `.dockerignore` leaves them out; the engine takes
    // them away again before it copies.
    let inside = context.inside.clone();
    let name = inside.as_ref().map_or(OUTSIDE.to_owned(), |path| path.display().to_string());
    let extra = (name.clone(), inside.is_none());
    let context = context.clone();
    let (sender, receiver) = mpsc::channel(4);
    // Ends by itself when the receiver is gone.
    tokio::task::spawn_blocking(move || {
        let pieces = Pieces { sender: sender.clone(), buffer: Vec::with_capacity(PIECE) };
        if let Err(error) = write(&context, extra, pieces) {
            let _ = sender.blocking_send(Err(error));
        }
    });
    let pieces = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    (name, pieces)
}

fn write(context: &Context, (dockerfile, hide): (String, bool), pieces: Pieces) -> io::Result<()> {
    let mut archive = tar::Builder::new(pieces);
    let (mut has_dockerfile, mut has_ignore) = (false, false);
    let mut names = BTreeMap::new();
    let mut failed = None;
    let walked = context.walk(Path::new(""), &mut |path, entry| {
        let is_ignore = path == Path::new(".dockerignore");
        if hide && is_ignore {
            return Ok(());
        }
        has_dockerfile |= path == Path::new(&dockerfile);
        has_ignore |= is_ignore;
        put(&mut archive, &context.root, path, &entry, &mut names).map_err(|error| {
            let failure = Failure::internal(&error);
            failed = Some(error);
            failure
        })
    });
    match (failed, walked) {
        (Some(error), _) => return Err(error),
        (None, Err(failure)) => return Err(io::Error::other(failure.message)),
        (None, Ok(())) => {}
    }
    let own = |archive: &mut tar::Builder<Pieces>, name: &str, text: &[u8]| {
        let mut header = header(EntryType::Regular, 0o644, 0);
        header.set_size(text.len() as u64);
        archive.append_data(&mut header, name, text)
    };
    if !has_dockerfile {
        own(&mut archive, &dockerfile, context.text.as_bytes())?;
    }
    let ignore = fs::read_to_string(context.root.join(".dockerignore")).unwrap_or_default();
    if hide {
        // A Dockerfile from elsewhere is not part of the context: the engine takes it away, and
        // with it an ignore file that nobody wrote.
        let own_rules = if ignore.is_empty() { ".dockerignore" } else { &ignore };
        own(&mut archive, ".dockerignore", format!("{own_rules}\n{dockerfile}\n").as_bytes())?;
    } else if !ignore.is_empty() && !has_ignore {
        own(&mut archive, ".dockerignore", ignore.as_bytes())?;
    }
    archive.into_inner()?.finish()
}

fn put(
    archive: &mut tar::Builder<Pieces>,
    root: &Path,
    path: &Path,
    entry: &Entry,
    names: &mut BTreeMap<u64, PathBuf>,
) -> io::Result<()> {
    let mtime = fs::symlink_metadata(root.join(path))?.mtime();
    let mtime = u64::try_from(mtime).unwrap_or(0);
    let mode = entry.attributes.mode;
    match &entry.node {
        Node::Special(_) => Ok(()),
        Node::Folder => {
            let mut header = header(EntryType::Directory, mode, mtime);
            archive.append_data(&mut header, path.join(""), io::empty())
        }
        Node::Symlink(target) => {
            archive.append_link(&mut header(EntryType::Symlink, 0o777, mtime), path, target)
        }
        Node::File { inode, .. } if *inode != 0 && names.contains_key(inode) => {
            let mut header = header(EntryType::Link, mode, mtime);
            archive.append_link(&mut header, path, &names[inode])
        }
        Node::File { content, inode } => {
            if *inode != 0 {
                names.insert(*inode, path.to_owned());
            }
            let mut header = header(EntryType::Regular, mode, mtime);
            header.set_size(content.size());
            let mut left = io::Read::take(content.open()?, content.size());
            archive.append_data(&mut header, path, &mut left)?;
            if left.limit() > 0 {
                let path = path.display();
                return Err(io::Error::other(format!("`{path}` became shorter while it was read")));
            }
            Ok(())
        }
    }
}

fn header(kind: EntryType, mode: u32, mtime: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(mtime);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    header
}

/// A writer whose bytes come out of a channel.
struct Pieces {
    sender: mpsc::Sender<Result<Bytes, io::Error>>,
    buffer: Vec<u8>,
}

impl Pieces {
    fn send(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE));
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads the context");
        self.sender.blocking_send(Ok(piece.into())).map_err(gone)
    }

    fn finish(mut self) -> io::Result<()> {
        self.send()
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
