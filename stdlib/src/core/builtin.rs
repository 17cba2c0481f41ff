//! The declaration of a built-in.

use std::sync::{Arc, OnceLock};

use super::{
    Arguments, Call, Failure, Held, HeldType, Holding, Runner, Running, Signature, Value, World,
};

/// What a built-in is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A value, or a function without an effect.
    Fact,
    /// It acts; only in blocks.
    Step,
    /// Where commands run; only behind `using`.
    Runner,
    /// A step whose value is undone at the end of its block.
    Held,
}

/// Makes a runner of its arguments.
pub type MakeRunner = fn(&World, &Arguments) -> Result<Arc<dyn Runner>, Failure>;

/// What it does.
pub enum Implementation {
    /// A fact.
    Fact(fn(&World, &Arguments) -> Result<Value, Failure>),
    /// A step.
    Step(for<'a> fn(Call<'a>, Arguments) -> Running<'a>),
    /// A runner whose commands see the files of this machine.
    Runner(MakeRunner),
    /// A runner elsewhere: its commands have a copy of the workspace.
    RemoteRunner(MakeRunner),
    /// A held value.
    Held(for<'a> fn(Call<'a>, Arguments) -> Holding<'a, Arc<dyn Held>>),
    /// A step that the interpreter runs itself, because it runs a command: `sh`.
    Command,
}

/// One built-in: everything there is to know about it, declared once, in one file.
pub struct Builtin {
    /// `docker`; empty for a function of its own, like `env`.
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
    /// A step that makes a difference each time it is done: one that was interrupted is asked about
    /// before it is done again.
    pub once: bool,
    /// The declaration as read; see [`Library::signature`](crate::Library::signature).
    pub signature: OnceLock<Signature>,
}

impl Builtin {
    /// As it is called: `docker.push`, `env`.
    #[must_use]
    pub fn full_name(&self) -> String {
        if self.module.is_empty() {
            self.name.to_owned()
        } else {
            format!("{}.{}", self.module, self.name)
        }
    }

    /// Fact or step.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.implementation {
            Implementation::Fact(_) => Kind::Fact,
            Implementation::Step(_) | Implementation::Command => Kind::Step,
            Implementation::Runner(_) | Implementation::RemoteRunner(_) => Kind::Runner,
            Implementation::Held(_) => Kind::Held,
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
    /// The types that it declares: a name, and the type in the language's own syntax.
    pub types: &'static [(&'static str, &'static str)],
    /// The types of its held values.
    pub held: &'static [&'static HeldType],
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
///
/// `once` instead of `step` says that it makes a difference each time it is done.
macro_rules! builtin {
    (@implementation step $body:path) => {
        $crate::core::Implementation::Step(|call, arguments| Box::pin($body(call, arguments)))
    };
    (@implementation once $body:path) => { $crate::core::builtin!(@implementation step $body) };
    (@once once) => { true };
    (@once $other:ident) => { false };
    (@implementation fact $body:path) => { $crate::core::Implementation::Fact($body) };
    (@implementation runner $body:path) => { $crate::core::Implementation::Runner($body) };
    (@implementation held $body:path) => {
        $crate::core::Implementation::Held(|call, arguments| Box::pin($body(call, arguments)))
    };
    (@implementation remote_runner $body:path) => {
        $crate::core::Implementation::RemoteRunner($body)
    };
    (@implementation command $none:path) => { $crate::core::Implementation::Command };
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
            once: $crate::core::builtin!(@once $kind),
            signature: ::std::sync::OnceLock::new(),
        };
    };
    (
        $kind:ident $name:ident, $body:path;
        $declaration:literal
        examples: [$($example:literal),* $(,)?]
    ) => {
        /// The declaration.
        pub(crate) static BUILTIN: $crate::core::Builtin = $crate::core::Builtin {
            module: "",
            name: stringify!($name),
            declaration: $declaration,
            examples: &[$($example),*],
            implementation: $crate::core::builtin!(@implementation $kind $body),
            once: $crate::core::builtin!(@once $kind),
            signature: ::std::sync::OnceLock::new(),
        };
    };
}
pub(crate) use builtin;

/// Declares a module: its documentation and its files, one for each built-in.
macro_rules! module {
    ($docs:literal $name:ident: $($file:ident),* $(,)?) => {
        $crate::core::module! { $docs $name: $($file),*; types: &[] }
    };
    ($docs:literal $name:ident: $($file:ident),* $(,)?; types: $types:expr) => {
        $crate::core::module! { $docs $name: $($file),*; types: $types; held: &[] }
    };
    ($docs:literal $name:ident: $($file:ident),* $(,)?; types: $types:expr; held: $held:expr) => {
        $(mod $file;)*

        /// The module.
        pub(crate) static MODULE: $crate::core::Module = $crate::core::Module {
            name: stringify!($name),
            docs: $docs,
            builtins: &[$(&$file::BUILTIN),*],
            types: $types,
            held: $held,
        };
    };
}
pub(crate) use module;
