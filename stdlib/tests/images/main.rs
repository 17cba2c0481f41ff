//! Images through real tools: what is built and pushed here, `skopeo` and a Docker Engine must
//! agree with.

#![allow(clippy::unwrap_used)]

mod between;
mod buildah;
mod call;
mod cases;
mod compare;
mod engine;
mod ignore;
mod layers;
mod registry;
mod store;
mod token;
mod tools;
mod trouble;
