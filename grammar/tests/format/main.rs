//! The formatter: what it writes, that it writes the same again, and that it keeps the tree and
//! every comment.
#![allow(clippy::unwrap_used, clippy::print_stderr, unreachable_pub)]

mod bytes;
mod cases;
mod generate;
mod generated;
mod limits;
mod meaning;
mod repository;
