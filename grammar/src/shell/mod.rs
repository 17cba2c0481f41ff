//! Values in a shell command, without the shell ever parsing one.
//!
//! A command is written with holes: `docker build --tag=#{image} .`. [`scan`] follows the
//! shell's quoting and says for every hole in which [`Context`] it stands; [`lower`] writes the
//! script, in which each hole has become a reference to a variable in the form that its context
//! needs. The script is a constant of the file; the values go by the environment.
//!
//! What may differ between shells, or would make a value code, is a [`Refusal`]. What depends on
//! the value itself (a leading `-`, an empty word) is for [`guard`]. Nothing here reads a file,
//! the environment or a clock.

mod command;
mod expansion;
pub mod guard;
mod heredoc;
mod hole;
mod lint;
mod list;
mod lower;
mod machine;
mod operator;
mod program;
mod quotes;
mod redirect;
mod refusal;
mod role;
mod scan;
mod template;
mod word;

pub use guard::{Guard, Value, Violation};
pub use lint::{Lint, LintKind};
pub use lower::{LONGEST_SCRIPT, Script, Variable, lower};
pub use refusal::{Construct, Refusal, RefusalKind};
pub use scan::{Context, Dialect, HoleKind, HoleUse, Leads, Role, Scan, VariableUse, scan};
pub use template::{Part, Place};
