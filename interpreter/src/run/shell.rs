//! The shell that runs commands on this machine.

use std::path::{Path, PathBuf};

use pipe_grammar::shell::Dialect;
use pipe_stdlib::core::World;

/// A shell: bash where there is one, else the machine's `sh`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    /// Its file.
    pub program: PathBuf,
    /// Whether it is bash.
    pub bash: bool,
    /// Whether it knows `set -o pipefail`.
    pub pipefail: bool,
}

impl Shell {
    /// Finds the shell, by looking at files only.
    #[must_use]
    pub fn find(world: &World) -> Self {
        if let Some(program) = program(world, "bash") {
            return Self { program, bash: true, pipefail: true };
        }
        let program = program(world, "sh").unwrap_or_else(|| PathBuf::from("/bin/sh"));
        // What `sh` really is: dash has no pipefail before 0.5.13, busybox and bash have it.
        let real = program.canonicalize().unwrap_or_else(|_| program.clone());
        let name = real.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let pipefail =
            ["busybox", "bash", "ksh", "zsh", "mksh"].iter().any(|s| name.starts_with(s));
        Self { program, bash: false, pipefail }
    }

    /// What it is called with, before `-c`.
    #[must_use]
    pub fn flags(&self) -> &'static [&'static str] {
        if self.pipefail { &["-eu", "-o", "pipefail"] } else { &["-eu"] }
    }

    /// How it reads quotes.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        if self.bash { Dialect::Bash } else { Dialect::Sh }
    }

    /// As people write it: `bash -eu -o pipefail`.
    #[must_use]
    pub fn shown(&self) -> String {
        let name = if self.bash { "bash" } else { "sh" };
        format!("{name} {}", self.flags().join(" "))
    }
}

/// Where PATH has a program.
pub(super) fn program(world: &World, name: &str) -> Option<PathBuf> {
    let path = world.variable("PATH").unwrap_or("/usr/bin:/bin");
    path.split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| Path::new(folder).join(name))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file)
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
