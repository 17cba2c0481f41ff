//! What the registry says of the image of an app, before the app is deployed.

use pipe_grammar::Code;
use pipe_oci::{Descriptor, Reference, media_type};
use serde_json::Value as Json;

use super::advice::{image, is_mutable};
use crate::{
    client::registry::glance,
    core::{Call, Failure},
};

/// Looks at the image of a definition where that matters: for the Mesos containerizer, which pulls
/// nothing but Docker's version 2, schema 2
/// ([its fetcher](https://github.com/apache/mesos/blob/1.11.x/src/uri/fetchers/docker.cpp)), and for
/// a tag that may mean another image tomorrow. Answers what to say. A registry that does not answer
/// at once, or lets nobody look, is not waited for.
pub(super) async fn look(call: &Call<'_>, normal: &Json) -> Result<Option<String>, Failure> {
    let Some(name) = image(normal) else { return Ok(None) };
    let for_mesos = normal.pointer("/container/type").is_some_and(|kind| kind == "MESOS");
    let Ok(reference) = name.parse::<Reference>() else { return Ok(None) };
    if !for_mesos && !is_mutable(name) {
        return Ok(None);
    }
    let found = glance(&reference, call.world, call.connections);
    let Some(found) = call.unless_cancelled(found).await? else { return Ok(None) };
    if for_mesos {
        check(&reference, &found)?;
    }
    Ok(is_mutable(name)
        .then(|| format!("  today it is `{}`", reference.at(found.digest).familiar())))
}

fn check(reference: &Reference, found: &Descriptor) -> Result<(), Failure> {
    let name = reference.familiar();
    let what = match found.media_type.as_str() {
        media_type::OCI_MANIFEST => "in OCI's format",
        media_type::OCI_INDEX | media_type::DOCKER_INDEX => "a list for several platforms",
        _ => return Ok(()),
    };
    let message = format!("the Mesos containerizer can't pull `{name}`: it is {what}");
    let failure = Failure::new(Code::INVALID_IMAGE, message);
    Err(if found.media_type == media_type::OCI_MANIFEST {
        failure.help("push it in Docker's format: `docker.build(…, push: true)` does, unless `format: \"oci\"` is said")
    } else {
        failure.help("name the image for one platform: `docker.copy(…, platforms: [\"linux/amd64\"])` makes one")
    }
    .help("or run it with the Docker containerizer: `\"type\": \"DOCKER\"` in `container`"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pipe_oci::Digest;

    use super::*;

    #[test]
    fn only_what_mesos_pulls_passes() {
        let reference: Reference = "r.example.com/demo:1".parse().unwrap();
        let with = |kind: &str| {
            let found = Descriptor::new(kind, 1, Digest::of(b""));
            check(&reference, &found).map_err(|failure| failure.message)
        };
        assert_eq!(with(media_type::DOCKER_MANIFEST), Ok(()));
        // Nobody knows what it is.
        assert_eq!(with("application/json"), Ok(()));
        let cant = "the Mesos containerizer can't pull `r.example.com/demo:1`: it is";
        assert_eq!(with(media_type::OCI_MANIFEST), Err(format!("{cant} in OCI's format")));
        let list = format!("{cant} a list for several platforms");
        assert_eq!(with(media_type::OCI_INDEX), Err(list.clone()));
        assert_eq!(with(media_type::DOCKER_INDEX), Err(list));
    }
}
