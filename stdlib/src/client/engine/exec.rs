//! Commands in a running container, and the streams of its main process.

use std::pin::Pin;

use bollard::{
    Docker,
    container::LogOutput,
    errors::Error,
    exec::{CreateExecOptions, StartExecOptions, StartExecResults},
    query_parameters::AttachContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::io::AsyncWrite;

use super::{Engine, Refusal, UNBOUNDED};
use crate::core::{self, Failure};

/// Bytes that a process wrote, as they came.
pub type Chunks = Pin<Box<dyn Stream<Item = Result<(core::Stream, Bytes), Failure>> + Send>>;

/// What a process reads; it sees the end when this is shut down or dropped.
pub type Input = Pin<Box<dyn AsyncWrite + Send>>;

/// The streams of a process.
pub struct Attached {
    /// What it writes.
    pub output: Chunks,
    /// What it reads.
    pub input: Input,
}

/// A command that is to be run in a container. Its environment is seen by nobody who asks the
/// engine about the container or the command.
#[derive(Clone, Debug, Default)]
pub struct NewExec {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// As whom: a name, or `UID:GID`; none: as the container.
    pub user: Option<String>,
    /// `NAME=value`, besides the container's.
    pub environment: Vec<String>,
    /// The folder it starts in.
    pub dir: Option<String>,
    /// Whether it reads something.
    pub stdin: bool,
}

impl Engine {
    /// Starts a command in a running container; answers its id.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn exec(
        &self,
        container: &str,
        new: NewExec,
    ) -> Result<Result<(String, Attached), Refusal>, Failure> {
        let options = CreateExecOptions {
            attach_stdin: Some(new.stdin),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            env: Some(new.environment),
            cmd: Some(new.command),
            user: new.user,
            working_dir: new.dir,
            ..CreateExecOptions::default()
        };
        let id = match self.answer(self.docker.create_exec(container, options).await)? {
            Ok(made) => made.id,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let started = self.unhurried().start_exec(&id, None::<StartExecOptions>).await;
        match self.answer(started)? {
            Ok(StartExecResults::Attached { output, input }) => {
                Ok(Ok((id, Attached { output: self.chunks(output), input })))
            }
            Ok(StartExecResults::Detached) => Err(Failure::internal("a command is not attached")),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// The status of a command that has ended; none: it still runs.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn exec_status(&self, id: &str) -> Result<Result<Option<i64>, Refusal>, Failure> {
        let found = self.answer(self.docker.inspect_exec(id).await)?;
        Ok(found.map(|found| match found.running {
            Some(true) => None,
            _ => found.exit_code,
        }))
    }

    /// The streams of a container's main process, from here on. With `stdin` whoever is attached
    /// holds its standard input open.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn attach(
        &self,
        id: &str,
        stdin: bool,
    ) -> Result<Result<Attached, Refusal>, Failure> {
        let options = AttachContainerOptionsBuilder::new()
            .stream(true)
            .stdin(stdin)
            .stdout(true)
            .stderr(true)
            .build();
        let attached = self.unhurried().attach_container(id, Some(options)).await;
        Ok(self.answer(attached)?.map(|attached| Attached {
            output: self.chunks(attached.output),
            input: attached.input,
        }))
    }

    /// A client that waits as long as a command takes.
    fn unhurried(&self) -> Docker {
        self.docker.clone().with_timeout(UNBOUNDED)
    }

    fn chunks(
        &self,
        output: Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>,
    ) -> Chunks {
        let engine = self.clone();
        Box::pin(output.map(move |chunk| match chunk {
            Ok(LogOutput::StdErr { message }) => Ok((core::Stream::Stderr, message)),
            Ok(other) => Ok((core::Stream::Stdout, other.into_bytes())),
            Err(error) => Err(engine.broken(&error)),
        }))
    }
}
