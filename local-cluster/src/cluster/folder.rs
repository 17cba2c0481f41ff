//! The folder of a cluster.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

use crate::{Error, files};

/// Makes the folder, entered by its owner only. One that somebody else made in a place where all
/// may make folders is refused.
pub(super) fn make(folder: &Path) -> Result<(), Error> {
    let failed = |error: io::Error| Error::at("make", folder, &error);
    files::make_folder(folder).map_err(failed)?;
    let owner = fs::metadata(folder).map_err(failed)?.uid();
    if owner != rustix::process::geteuid().as_raw() {
        let text = format!(
            "`{}` belongs to another user; set PIPE_CLUSTER_DIR to a folder of your own",
            folder.display()
        );
        return Err(Error::new(text));
    }
    Ok(())
}
