//! The Pipelinefile language: text to tree, tree to text, and the common coin of all crates:
//! places, texts and diagnostics.
//!
//! This crate is pure. It knows no file system, no clock, no environment and no built-in; pest
//! is known only inside `parser`.

pub mod diagnostic;
mod format;
mod parser;
pub mod shell;
mod source;
mod span;
pub mod tree;

pub use diagnostic::{Code, Diagnostic, Label, Severity};
pub use format::format;
pub use parser::{
    Parsed, Signature, comments, duration_text, parse, parse_into, parse_signature, parse_type,
    size_text,
};
pub use source::{Source, Sources};
pub use span::{SourceId, Span, Spanned};
