//! A first Pipelinefile for a repository, from what lies in it.

mod app;
mod commands;
mod compose;
mod deploy;
mod docker;
mod git;
mod jenkinsfile;
mod name;
mod services;
mod survey;
mod work;
mod writer;

pub use compose::{Draft, draft};
pub use survey::Survey;
