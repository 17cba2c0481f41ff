//! Values that are undone when their block ends: a service beside the stage, a green version.

use std::{any::Any, fmt, future::Future, pin::Pin, sync::Arc};

use super::{Arguments, Call, Failure, Running, Value};

/// Making a held value, or undoing one.
pub type Holding<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// Something that is up, and is undone when its block ends unless it was kept.
pub trait Held: Any + Send + Sync {
    /// Its fields, as its type declares them.
    fn fields(&self) -> Value;

    /// What the commands of the block get in their environment as long as it is up.
    fn environment(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Calls one of the methods that its type declares.
    fn call<'a>(&'a self, call: Call<'a>, method: &'a str, arguments: Arguments) -> Running<'a>;

    /// Undoes it; nothing when it was kept or is undone already.
    fn undo<'a>(&'a self, call: Call<'a>) -> Holding<'a, ()>;
}

/// A held value as a value of the language.
#[derive(Clone)]
pub struct HeldValue(pub Arc<dyn Held>);

impl PartialEq for HeldValue {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for HeldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

/// The type of a held value.
pub struct HeldType {
    /// Its name: `Green`.
    pub name: &'static str,
    /// Its fields, as a record type in the language's own syntax.
    pub fields: &'static str,
    /// Its methods: a name, and a declaration as of a built-in. All are steps.
    pub methods: &'static [(&'static str, &'static str)],
}

impl PartialEq for HeldType {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for HeldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
