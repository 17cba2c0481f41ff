//! Files that a task finds in its folder. Only those of this machine: whoever runs a cluster on
//! his own machine has what he needs there.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path};

use crate::marathon::app::App;

/// Copies what the app's `fetch` names; the error is for the task's `stderr`.
pub(super) fn fetch(app: &App, sandbox: &Path) -> Result<(), String> {
    for wanted in &app.fetch {
        let uri = &wanted.uri;
        let path = uri.strip_prefix("file://").unwrap_or(uri);
        if !path.starts_with('/') {
            return Err(format!(
                "can't fetch `{uri}`: the local cluster fetches files of this machine only"
            ));
        }
        let source = Path::new(path);
        let name = wanted.dest_path.as_deref().map(Path::new);
        let name = name.or_else(|| source.file_name().map(Path::new)).unwrap_or(source);
        let inside = name.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !inside {
            return Err(format!(
                "can't fetch `{uri}` to `{}`: it is not in the task's folder",
                name.display()
            ));
        }
        let target = sandbox.join(name);
        let copied = (|| -> io::Result<()> {
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::copy(source, &target)?;
            if wanted.executable {
                fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
            }
            Ok(())
        })();
        copied.map_err(|error| format!("can't fetch `{uri}`: {}", pipe_oci::plain(&error)))?;
        let is_tar = [".tar", ".tar.gz", ".tgz"].iter().any(|end| path.ends_with(end));
        if wanted.extract && is_tar {
            let unpacked = fs::File::open(&target)
                .map_err(|error| pipe_oci::plain(&error))
                .and_then(|archive| {
                    pipe_oci::unpack([archive], sandbox).map_err(|error| error.to_string())
                });
            unpacked.map_err(|error| format!("can't unpack `{uri}`: {error}"))?;
        }
    }
    Ok(())
}
