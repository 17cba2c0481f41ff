//! What every built-in stands on: values, failures, the world outside, and the declaration itself.
//!
//! Nothing here knows any built-in.

mod arguments;
mod brought;
mod builtin;
mod call;
mod connection;
mod convert;
mod failure;
mod files;
mod glob;
mod held;
mod literal;
mod method;
mod problem;
mod read;
mod report;
mod runner;
mod save;
mod secret;
mod signature;
mod sum;
mod types;
mod value;
mod world;
mod write;
pub(crate) mod yaml;

pub use arguments::{Arguments, FromValue};
pub use brought::Brought;
pub use builtin::{Builtin, Implementation, Kind, MakeRunner, Module};
pub use call::{Call, Outcome, Running};
pub use connection::{
    Connections, DockerConnection, LocalCluster, MarathonConnection, MesosConnection,
};
pub use convert::{Misfit, convert, describe};
pub use failure::{Failure, FailureKind, Problem, Spot};
pub use files::{Entry, Found, entries, find, find_some};
pub use glob::Glob;
pub use held::{Held, HeldType, HeldValue, Holding};
pub use literal::evaluate as literal_value;
pub use method::{Method, method, methods};
pub use problem::{TextProblem, json_problem, yaml_problem};
pub use read::read_text;
pub use report::{Intent, Report, Stream, TestOutcome, TestResult};
pub use runner::{Ended, INTERPRETERS, Interpreter, Output, Runner, Session, ShellCommand};
pub use save::{beside, copy, keep, link, make_folder, save, written};
pub use secret::Secret;
pub use signature::{Parameter, Signature};
pub use sum::{add_file, hexadecimal};
pub use types::{FieldType, Literal, RecordType, TYPE_NAMES, Type, TypeProblem, lower_type};
pub use value::{Record, Str, Value, float_text, set_path, text_of};
pub use world::World;
pub use write::{quote, write_value};

pub(crate) use builtin::{builtin, module};
pub(crate) use files::unreadable;
pub(crate) use problem::of_json;
pub(crate) use read::{missing, text_of_file};
