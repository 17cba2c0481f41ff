//! What a value of a definition may be.

use crate::client::marathon::ServerVersion;

/// What a value may be.
pub(super) enum Shape {
    /// Any text.
    Text,
    /// A text that something is asked of.
    Texts(&'static Rule),
    /// One of some words.
    OneOf(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// A number without a fraction, from here to there.
    Whole(i64, i64),
    /// A number, from here to there.
    Number(f64, f64),
    /// A list of such values.
    List(&'static Shape),
    /// An object with any keys.
    Map(&'static Shape),
    /// An object with these fields.
    Object(&'static [Field]),
    /// The first, if it is a text, else the second.
    Either(&'static Shape, &'static Shape),
    /// Whatever Marathon hands on without a look at it.
    Anything,
}

/// What is asked of a text.
pub(super) struct Rule {
    /// Whether it will do.
    pub(super) takes: fn(&str) -> bool,
    /// What it is, with its article: `a name of a port`.
    pub(super) what: &'static str,
    /// What a right one looks like.
    pub(super) help: &'static str,
}

/// A field of an object.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// An object without it is refused.
    pub(super) needed: bool,
    /// The first version that knows it.
    pub(super) since: Option<ServerVersion>,
    /// The first version that does not know it any more.
    pub(super) until: Option<ServerVersion>,
    /// What has taken its place since then.
    pub(super) instead: &'static str,
}

/// A field of every version.
pub(super) const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, needed: false, since: None, until: None, instead: "" }
}

impl Field {
    pub(super) const fn needed(self) -> Self {
        Self { needed: true, ..self }
    }

    pub(super) const fn since(self, major: u32, minor: u32) -> Self {
        Self { since: Some(ServerVersion(major, minor, 0)), ..self }
    }

    pub(super) const fn until(self, major: u32, minor: u32, instead: &'static str) -> Self {
        Self { until: Some(ServerVersion(major, minor, 0)), instead, ..self }
    }
}
