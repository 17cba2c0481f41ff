//! [buildah](https://buildah.io), 1.24 and later: a builder that is a program, no daemon.

mod run;

use std::path::{Path, PathBuf};

use pipe_grammar::Code;
use pipe_oci::Reference;

use crate::core::{Failure, Stream, World};

/// The program, and what it is started with.
#[derive(Clone, Debug)]
pub struct Buildah {
    program: PathBuf,
    environment: Vec<(String, String)>,
}

/// What a run of it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its status; none: a signal ended it.
    pub status: Option<i32>,
    /// The last lines of its output.
    pub last: Vec<String>,
}

impl Buildah {
    /// The one on the user's `PATH`.
    #[must_use]
    pub fn find(world: &World) -> Option<Self> {
        let path = world.variable("PATH")?;
        let program = std::env::split_paths(path).map(|folder| folder.join("buildah"));
        let program = program.into_iter().find(|program| program.is_file())?;
        let environment = world.environment();
        let environment = environment.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        Some(Self { program, environment })
    }

    /// The same with another variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &Path) -> Self {
        self.environment.retain(|(key, _)| key != name);
        self.environment.push((name.to_owned(), value.display().to_string()));
        self
    }

    /// Runs it. It ends, with all that it started, when the future is dropped.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub async fn run(
        &self,
        arguments: &[String],
        said: impl FnMut(Stream, &str),
    ) -> Result<Ended, Failure> {
        run::run(self, arguments, said).await
    }

    /// The id of an image that it has; none: it has no such image.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub async fn image(&self, image: &Reference) -> Result<Option<String>, Failure> {
        let mut id = String::new();
        let name = image.to_string();
        let arguments = ["inspect", "--type", "image", "--format", "{{.FromImageID}}", &name];
        let ended = self
            .run(&arguments.map(str::to_owned), |stream, line| {
                if stream == Stream::Stdout {
                    id.push_str(line.trim());
                }
            })
            .await?;
        Ok((ended.status == Some(0) && !id.is_empty()).then(|| format!("sha256:{id}")))
    }

    /// Gives an image a further name.
    ///
    /// # Errors
    ///
    /// When it has no such image, or can't be started.
    pub async fn tag(&self, id: &str, name: &Reference) -> Result<(), Failure> {
        let arguments = ["tag".to_owned(), id.to_owned(), name.to_string()];
        let ended = self.run(&arguments, |_, _| {}).await?;
        if ended.status == Some(0) { Ok(()) } else { Err(self.failed("tag", ended)) }
    }

    /// It ended with another status than 0.
    pub fn failed(&self, what: &str, ended: Ended) -> Failure {
        let message = match ended.status {
            Some(status) => format!("`buildah {what}` ended with status {status}"),
            None => format!("`buildah {what}` was ended by a signal"),
        };
        Failure::new(Code::BUILD_FAILED, message)
            .evidence("the last lines of its output", ended.last)
    }
}
