//! The types of the language that have methods or properties, for the reference.

use std::sync::Arc;

use pipe_stdlib::core::{Method, RecordType, Type, methods};

/// A type of the language.
pub struct Values {
    /// As it is called: `string`, `list`.
    pub name: &'static str,
    /// As it is written: `list<T>`.
    pub written: &'static str,
    /// What its values are.
    pub docs: &'static str,
    /// Values as they are written.
    pub examples: &'static [&'static str],
}

/// The types of the language, in the order of the book.
pub(super) static VALUES: [Values; 11] = [
    Values {
        name: "string",
        written: "string",
        docs: "Text in UTF-8. What is in `#{…}` becomes part of it.",
        examples: &[r#""demo:#{git.short_commit}""#, r"'as it stands'"],
    },
    Values {
        name: "int",
        written: "int",
        docs: "A whole number of 64 bits. It fits where a `float` is asked for.",
        examples: &["42", "1_000"],
    },
    Values {
        name: "float",
        written: "float",
        docs: "A number with a fraction.",
        examples: &["0.5"],
    },
    Values {
        name: "bool",
        written: "bool",
        docs: "`true` or `false`: what a condition is.",
        examples: &["true", "not git.dirty"],
    },
    Values {
        name: "duration",
        written: "duration",
        docs: "A time. To become text it needs a unit: `.seconds`, `.millis`.",
        examples: &["500ms", "1h30m"],
    },
    Values {
        name: "size",
        written: "size",
        docs: "An amount of bytes. To become text it needs a unit: `.bytes`.",
        examples: &["128MiB", "10kB"],
    },
    Values {
        name: "path",
        written: "path",
        docs: "A file or folder, relative to the folder of the Pipelinefile or the enclosing `cd`. \
               A literal text fits where a path is asked for; it has the methods of `string`, and \
               they give strings.",
        examples: &[r#""services/api""#],
    },
    Values {
        name: "secret",
        written: "secret",
        docs: "A text that is masked wherever it is shown, and refused where others could read it. \
               Besides its methods it has `is_set`; one that is read from a file has `path`, a \
               private copy of that file for tools that take a key by its path.",
        examples: &["hub_password.is_set"],
    },
    Values {
        name: "list",
        written: "list<T>",
        docs: "Values of one type, in order. `xs[0]` is the first; an index outside is an error.",
        examples: &[r#"["a", ...more, "b" if git.dirty]"#],
    },
    Values {
        name: "map",
        written: "map<T>",
        docs: "Values of one type, by their keys. `m[\"key\"]` is null when it has none.",
        examples: &["{ web: 80, api: 8080 }"],
    },
    Values {
        name: "json",
        written: "json",
        docs: "A value whose shape is known when it is there. Every `.name` on it is a field. Give \
               it a type to use it: `let version: string = answer.version`.",
        examples: &[],
    },
];

impl Values {
    /// The type with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        VALUES.iter().find(|values| values.name == name)
    }

    /// The type; items of a list and values of a map are of the type `T`.
    #[must_use]
    pub fn ty(&self) -> Type {
        let item = || {
            let name = Some("T".into());
            Type::Record(Arc::new(RecordType { name, fields: Vec::new() }))
        };
        match self.name {
            "int" => Type::Int,
            "float" => Type::Float,
            "bool" => Type::Bool,
            "duration" => Type::Duration,
            "size" => Type::Size,
            "path" => Type::Path,
            "secret" => Type::Secret,
            "list" => Type::list(item()),
            "map" => Type::Map(Arc::new(item())),
            "json" => Type::Json,
            _ => Type::String,
        }
    }

    /// Its methods and properties.
    #[must_use]
    pub fn methods(&self) -> &'static [Method] {
        methods(&self.ty())
    }

    /// Those that are told of here: a path's are those of a string, and told of there.
    pub(super) fn own_methods(&self) -> &'static [Method] {
        if self.name == "path" { &[] } else { self.methods() }
    }
}
