//! The registry half: images as `docker push`, skopeo and `pipe` send and fetch them, by the [OCI
//! distribution specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md).
//!
//! Names of repositories are those of the specification; in addition the first part may be the
//! address of another registry with its port, so that `registry.example.com:5000/web` can keep its
//! whole name here. All repositories share their blobs: there is one user.

mod blob;
mod error;
mod manifest;
mod name;
mod route;
mod store;
mod sweep;
mod tags;
#[cfg(test)]
mod tests;
mod upload;

pub(crate) use route::router;
pub(crate) use store::Store;
pub(crate) use sweep::sweep_images;
