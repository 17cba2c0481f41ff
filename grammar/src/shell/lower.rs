//! The script: holes become references to variables.
//!
//! Each value goes into the environment of the one shell process, and the script's first words
//! move it from there into a variable that is not exported: `__pipe_1=${PIPE_1}; unset PIPE_1`.
//! The shell sees the exact bytes, and no process that it starts sees the value.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::scan::{Context, HoleKind, HoleUse, Scan};
use super::template::Part;

/// How long [`Script::source`] may be in bytes, as one argument of the shell (Linux'
/// `MAX_ARG_STRLEN` is 128 KiB with the NUL, execve(2)). A list of some thousand elements gets
/// there: what is longer is for a file, or for several commands.
pub const LONGEST_SCRIPT: usize = 128 * 1024 - 1;

/// A lowered command.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Script {
    /// What the shell runs, with references instead of holes.
    pub text: String,
    /// The variables it refers to, each once, in order.
    pub variables: Vec<Variable>,
}

/// The variable that holds a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Variable {
    /// Number of the hole.
    pub hole: usize,
    /// Which element of the list, from 0; none if the value is no list.
    pub element: Option<usize>,
}

impl Variable {
    /// The environment variable that carries the value into the shell: `PIPE_1`, and `PIPE_1_1`
    /// for the first element of a list.
    #[must_use]
    pub fn environment(self) -> String {
        match self.element {
            Some(element) => format!("PIPE_{}_{}", self.hole + 1, element + 1),
            None => format!("PIPE_{}", self.hole + 1),
        }
    }

    /// The shell's own variable that the script refers to: `__pipe_1`.
    #[must_use]
    pub fn name(self) -> String {
        format!("__pipe_{}", &self.environment()["PIPE_".len()..])
    }
}

impl Script {
    /// What must stand in front of [`text`](Self::text): it ends with `; `, so that the lines
    /// keep their numbers. Empty when no value is used.
    ///
    /// The caller sets [`Variable::environment`] for each variable and takes care that no
    /// `__pipe_…` is in the environment, as the shell would export that again.
    #[must_use]
    pub fn prelude(&self) -> String {
        let mut prelude = String::new();
        for variable in &self.variables {
            let _ = write!(prelude, "{}=${{{}}}; ", variable.name(), variable.environment());
        }
        if !self.variables.is_empty() {
            prelude.push_str("unset");
            for variable in &self.variables {
                let _ = write!(prelude, " {}", variable.environment());
            }
            prelude.push_str("; ");
        }
        prelude
    }

    /// The prelude and the text: the argument of `sh -c`, which can't be longer than
    /// [`LONGEST_SCRIPT`].
    #[must_use]
    pub fn source(&self) -> String {
        self.prelude() + &self.text
    }
}

/// Writes the script of a command that was scanned without refusals. `counts`, by the holes'
/// numbers, says how many elements each list has; an empty list becomes no word.
///
/// `parts` and `scan` belong together. The text is exact whatever the values are; a hole that
/// the scan did not reach, because of a refusal, is written as a quoted word.
#[must_use]
pub fn lower(parts: &[Part<'_>], scan: &Scan, counts: &[Option<usize>]) -> Script {
    let mut text = String::new();
    let mut variables = BTreeSet::new();
    let mut uses = scan.holes.iter().peekable();
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Text(literal) => text.push_str(literal),
            Part::Hole(number) => {
                let hole = uses.next_if(|hole| hole.part == index);
                write_hole(&mut text, &mut variables, *number, hole, counts);
            }
        }
    }
    Script { text, variables: variables.into_iter().collect() }
}

fn write_hole(
    text: &mut String,
    variables: &mut BTreeSet<Variable>,
    number: usize,
    hole: Option<&HoleUse>,
    counts: &[Option<usize>],
) {
    let context = hole.map_or(Context::Word, |hole| hole.context);
    if context == Context::Comment {
        return;
    }
    if hole.is_some_and(|hole| hole.kind == HoleKind::List) {
        let count = counts.get(number).copied().flatten().unwrap_or(0);
        for element in 0..count {
            let variable = Variable { hole: number, element: Some(element) };
            let blank = if element == 0 { "" } else { " " };
            let _ = write!(text, "{blank}\"${{{}}}\"", variable.name());
            variables.insert(variable);
        }
        return;
    }
    let variable = Variable { hole: number, element: None };
    let name = variable.name();
    variables.insert(variable);
    let reference = match hole {
        Some(HoleUse { parenthesised: true, .. }) => format!("(${{{name}}})"),
        _ => format!("${{{name}}}"),
    };
    let _ = match context {
        Context::Word | Context::Parameter => write!(text, "\"{reference}\""),
        Context::Single => write!(text, "'\"{reference}\"'"),
        Context::Arithmetic { alone: false } => write!(text, "({reference})"),
        Context::Double
        | Context::HereDocument
        | Context::Arithmetic { alone: true }
        | Context::Comment => write!(text, "{reference}"),
    };
}
