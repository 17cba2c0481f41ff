//! Commands on this machine.

use std::path::{Path, PathBuf};

use pipe_grammar::{Code, shell::LONGEST_SCRIPT};
use pipe_stdlib::core::{Ended, Failure, Interpreter, Output, ShellCommand, World};
use tokio_util::sync::CancellationToken;

use super::{Shell, plain, process};

/// What runs commands on this machine.
#[derive(Clone, Copy)]
pub(crate) struct Machine<'a> {
    /// The shell for those that name no other interpreter.
    pub(crate) shell: &'a Shell,
    /// Where programs are looked for.
    pub(crate) world: &'a World,
    /// A folder for scripts that are too long for a command line.
    pub(crate) scratch: &'a Path,
}

/// Runs a command to its end.
pub(crate) async fn run(
    machine: Machine<'_>,
    mut command: ShellCommand,
    output: Output<'_>,
    cancel: &CancellationToken,
) -> Result<Ended, Failure> {
    let (program, mut flags) = interpreter(machine, command.interpreter)?;
    let long = source_file(machine.scratch, &command.script)?;
    let mut process = tokio::process::Command::new(&program);
    match &long {
        Some(file) => {
            // What reads a script from its command line reads one from a file without that flag.
            flags.pop();
            process.args(flags).arg(file.path());
        }
        None => {
            process.args(flags).arg(&command.script);
        }
    }
    process.current_dir(&command.dir).env_clear().envs(command.environment.drain(..));
    let stdin = command.stdin.take();
    process::run(process, stdin, &command.mark, cancel, output).await.map_err(|error| {
        let shown = program.display();
        let why = plain(&error);
        if error.kind() == std::io::ErrorKind::ArgumentListTooLong {
            let what = "the values of this command are too long together";
            return Failure::new(Code::COMMAND_FAILED, what)
                .help("write them to a file, or hand them over by `stdin:` of `sh(…)`");
        }
        if !command.dir.is_dir() {
            let dir = machine.world.display(&command.dir);
            let what = format!("the folder `{dir}` does not exist");
            return Failure::new(Code::MISSING_FILE, what);
        }
        let what = format!("the command could not be started by `{shown}`: {why}");
        Failure::infrastructure(Code::COMMAND_FAILED, what)
    })
}

/// The program that reads the script, and what stands before the script.
fn interpreter(
    machine: Machine<'_>,
    wanted: Option<&Interpreter>,
) -> Result<(PathBuf, Vec<&'static str>), Failure> {
    let shell = machine.shell;
    let Some(wanted) = wanted else {
        return Ok((shell.program.clone(), [shell.flags(), &["-c"]].concat()));
    };
    let found = wanted.programs.iter().find_map(|name| super::shell::program(machine.world, name));
    match found {
        Some(program) => Ok((program, wanted.flags.to_vec())),
        None => {
            let what = format!("`{}` is not installed here", wanted.name);
            Err(Failure::new(Code::COMMAND_FAILED, what)
                .help(format!("looked in PATH for: {}", wanted.programs.join(", "))))
        }
    }
}

/// A file for a script that is too long for a command line. It holds no value.
fn source_file(folder: &Path, script: &str) -> Result<Option<tempfile::NamedTempFile>, Failure> {
    if script.len() <= LONGEST_SCRIPT {
        return Ok(None);
    }
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        std::io::Write::write_all(&mut file, script.as_bytes())?;
        Ok(file)
    });
    written.map(Some).map_err(|error| {
        let what = format!("the script can't be written to a file: {}", plain(&error));
        Failure::infrastructure(Code::COMMAND_FAILED, what)
    })
}
