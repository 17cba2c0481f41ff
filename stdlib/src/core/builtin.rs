//! The declaration of a built-in.

use super::{Arguments, Call, Failure, Running, Value, World};

/// What a built-in is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A value, or a function without an effect.
    Fact,
    /// It acts; only in blocks.
    Step,
}

/// What it does.
pub enum Implementation {
    /// A fact.
    Fact(fn(&World, &Arguments) -> Result<Value, Failure>),
    /// A step.
    Step(for<'a> fn(Call<'a>, Arguments) -> Running<'a>),
}

/// One built-in: everything there is to know about it, declared once, in one file.
pub struct Builtin {
    /// `docker`.
    pub module: &'static str,
    /// `push`.
    pub name: &'static str,
    /// Documentation and signature, in the language's own syntax: comment lines, then
    /// `(parameter: type = default, …) -> type`, with comment lines above each parameter. A fact
    /// without parameters has no parentheses.
    pub declaration: &'static str,
    /// Calls that a person would write; each is checked by a test.
    pub examples: &'static [&'static str],
    /// What it does.
    pub implementation: Implementation,
}

impl Builtin {
    /// Fact or step.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.implementation {
            Implementation::Fact(_) => Kind::Fact,
            Implementation::Step(_) => Kind::Step,
        }
    }
}

/// Built-ins that share a first name.
pub struct Module {
    /// `docker`.
    pub name: &'static str,
    /// What it is for, one line.
    pub docs: &'static str,
    /// Its functions and values.
    pub builtins: &'static [&'static Builtin],
}

/// Declares one built-in; stands at the top of the file that is named after it.
///
/// ```text
/// builtin! {
///     step docker.push, push;
///     "
///     # Pushes an image to its registry.
///     (
///       # The image, with its tag.
///       image: string,
///     ) -> Image
///     "
///     examples: [r#"docker.push("ssk2/demo:1")"#]
/// }
/// ```
macro_rules! builtin {
    (@implementation step $body:path) => {
        $crate::core::Implementation::Step(|call, arguments| Box::pin($body(call, arguments)))
    };
    (@implementation fact $body:path) => { $crate::core::Implementation::Fact($body) };
    (
        $kind:ident $module:ident . $name:ident, $body:path;
        $declaration:literal
        examples: [$($example:literal),* $(,)?]
    ) => {
        /// The declaration.
        pub(crate) static BUILTIN: $crate::core::Builtin = $crate::core::Builtin {
            module: stringify!($module),
            name: stringify!($name),
            declaration: $declaration,
            examples: &[$($example),*],
            implementation: $crate::core::builtin!(@implementation $kind $body),
        };
    };
}
pub(crate) use builtin;

/// Declares a module: its documentation and its files, one for each built-in.
macro_rules! module {
    ($docs:literal $name:ident: $($file:ident),* $(,)?) => {
        $(mod $file;)*

        /// The module.
        pub(crate) static MODULE: $crate::core::Module = $crate::core::Module {
            name: stringify!($name),
            docs: $docs,
            builtins: &[$(&$file::BUILTIN),*],
        };
    };
}
pub(crate) use module;
