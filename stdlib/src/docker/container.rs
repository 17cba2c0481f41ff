//! `using docker.container("image", …)`: a stage's commands run in a container.

use std::{path::Path, sync::Arc};

use super::containers::{ContainerSession, Made, Place, home, image, user, volumes, workspace};
use crate::{
    client::engine::{Mount, Source},
    core::{
        Arguments, Call, Failure, Holding, Runner, Session, World, builtin,
    },
};

builtin! {
    runner docker.container, container;
    "
    # Runs the commands of the stage in a container.
    #
    # The image's entrypoint is left out; it needs a shell (bash where it has one, else sh). The
    # repository is there under the same path as here, so built-ins, which run where `pipe` runs, and
    # commands see the same files. Of the environment the commands get `CI` and what `env` gives;
    # values and secrets are handed to each command alone, and stand nowhere in the container's
    # configuration. Every try of the stage has a container of its own, which is removed whatever
    # ends the stage.
    #
    # It needs a Docker Engine (see `connect docker(engine: …)`); without one the stage fails.
    (
      # The image. One that the engine lacks is pulled, with the login of `connect docker(…)`.
      image: string,
      # Who runs the commands, a name or `UID:GID`; without it the user of `pipe`, so that the files
      # that they write are the user's; their home is then `/home/pipe`.
      user: string?,
      # What else is mounted: `FOLDER:TARGET`, `NAME:TARGET` for a volume that stays (a cache), or
      # `TARGET` alone; `:ro` behind it for reading only.
      volumes: list<string> = [],
      # A network of the engine, `host` or `none`; without it the stage has one of its own, in which
      # services are known by their names.
      network: string?,
      # Such as `linux/arm64`; without it that of the image.
      platform: string?,
      # All rights on the engine's machine: for Docker in Docker.
      privileged: bool = false,
      # Processors at most.
      cpus: float?,
      # Memory at most.
      mem: size?,
      # `\"always\"` asks the registry for a newer image even if the engine has one.
      pull: \"always\" | \"missing\" = \"missing\",
    )
    "
    examples: [
        r#"docker.container("rust:1.95")"#,
        r#"docker.container("node:22", volumes: ["npm:/home/pipe/.npm"], mem: 2GiB)"#,
    ]
}

struct Container {
    image: String,
    user: Option<String>,
    volumes: Vec<String>,
    network: Option<String>,
    platform: Option<String>,
    privileged: bool,
    cpus: Option<f64>,
    memory: Option<u64>,
    always: bool,
}

fn container(world: &World, a: &Arguments) -> Result<Arc<dyn Runner>, Failure> {
    let container = Container {
        image: a.get("image")?,
        user: a.get("user")?,
        volumes: a.get("volumes")?,
        network: a.get("network")?,
        platform: a.get("platform")?,
        privileged: a.get("privileged")?,
        cpus: a.get("cpus")?,
        memory: a.get("mem")?,
        always: a.get::<String>("pull")? == "always",
    };
    // What is wrong with them is told by the plan.
    super::image::exactly("image", &container.image)?;
    volumes(world, world.dir(), &container.volumes)?;
    Ok(Arc::new(container))
}

impl Runner for Container {
    fn shown(&self) -> String {
        format!("container of {}", self.image)
    }

    fn start<'a>(
        &'a self,
        call: Call<'a>,
        folder: &'a Path,
    ) -> Holding<'a, Arc<dyn Session>> {
        Box::pin(async move {
            let session = self.session(&call, folder).await?;
            Ok(Arc::new(session) as Arc<dyn Session>)
        })
    }
}

impl Container {
    async fn session(&self, call: &Call<'_>, folder: &Path) -> Result<ContainerSession, Failure> {
        let place = Place::find(call).await?;
        let platform = self.platform.as_deref();
        let (image, _) = image(call, &place.engine, &self.image, platform, self.always).await?;
        let user = match &self.user {
            Some(user) => user.clone(),
            None => call.unless_cancelled(user(&place.engine)).await??,
        };
        let network = match &self.network {
            Some(network) => network.clone(),
            None => call.unless_cancelled(place.network()).await??,
        };
        let mut new = place.container("");
        new.mounts = self.mounts(call, folder)?;
        new.image = image.clone();
        new.platform.clone_from(&self.platform);
        new.entrypoint = Some(ContainerSession::command(&user, &new.mounts));
        new.user = Some("0:0".to_owned());
        new.network = network.clone();
        new.privileged = self.privileged;
        new.cpus = self.cpus;
        new.memory = self.memory;
        new.stdin = true;
        new.auto_remove = true;
        new.unchecked = true;
        let started = match place.start(&new).await? {
            Some(started) => started,
            // That of an earlier try, which could not be removed.
            None => {
                place.engine.remove(&new.name).await?;
                let again = place.start(&new).await?;
                again.ok_or_else(|| place.engine.failed_inside("a container does not go away"))?
            }
        };
        let made = Made {
            engine: place.engine,
            image: self.image.clone(),
            user,
            is_given: self.user.is_some(),
            memory: self.memory,
            network: Some(network),
        };
        ContainerSession::begin(call, started, made).await
    }

    fn mounts(&self, call: &Call<'_>, folder: &Path) -> Result<Vec<Mount>, Failure> {
        let mut mounts = vec![workspace(call.world, folder), home(Source::Nameless)];
        mounts.extend(volumes(call.world, call.world.root(), &self.volumes)?);
        Ok(mounts)
    }
}
