//! The image store of this machine, for images that no engine holds.

use std::path::PathBuf;

use pipe_grammar::Code;
use pipe_oci::Store;

use crate::core::{Failure, World};

/// The store: `PIPE_STATE_DIR/images`, else `$XDG_STATE_HOME/pipe/images`, else
/// `~/.local/state/pipe/images`.
pub(super) fn store(world: &World) -> Result<Store, Failure> {
    let set = |name: &str| world.variable(name).filter(|text| !text.is_empty()).map(PathBuf::from);
    let folder = set("PIPE_STATE_DIR")
        .or_else(|| set("XDG_STATE_HOME").map(|folder| folder.join("pipe")))
        .or_else(|| world.home().map(|home| home.join(".local/state/pipe")));
    let Some(folder) = folder else {
        return Err(Failure::new(Code::BAD_PATH, "there is no folder to keep images in")
            .help("set `HOME`, or `PIPE_STATE_DIR` to a folder that may be written"));
    };
    Store::open(folder.join("images")).map_err(|error| {
        Failure::new(Code::BAD_FILE, error.to_string())
            .help("set `PIPE_STATE_DIR` to a folder that may be written")
    })
}
