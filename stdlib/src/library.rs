//! All built-ins, by name.

use crate::core::{Builtin, HeldType, Module, Signature, Type, lower_type};

/// What a Pipelinefile can call.
pub struct Library {
    modules: &'static [&'static Module],
    /// Functions and values without a module.
    alone: &'static [&'static Builtin],
}

/// The library of this version.
#[must_use]
pub fn library() -> &'static Library {
    static LIBRARY: Library = Library { modules: crate::MODULES, alone: crate::ALONE };
    &LIBRARY
}

impl Library {
    /// Its modules, in the order of the documentation.
    #[must_use]
    pub fn modules(&self) -> &'static [&'static Module] {
        self.modules
    }

    /// Functions and values without a module.
    #[must_use]
    pub fn alone(&self) -> &'static [&'static Builtin] {
        self.alone
    }

    /// The module with this name.
    #[must_use]
    pub fn module(&self, name: &str) -> Option<&'static Module> {
        self.modules.iter().find(|module| module.name == name).copied()
    }

    /// `docker.push`, or without a module `env`.
    #[must_use]
    pub fn find(&self, module: Option<&str>, name: &str) -> Option<&'static Builtin> {
        let builtins = match module {
            Some(module) => self.module(module)?.builtins,
            None => self.alone,
        };
        builtins.iter().find(|builtin| builtin.name == name).copied()
    }

    /// The type with this name that a module declares.
    ///
    /// # Panics
    ///
    /// When a declaration can't be read: a test reads all of them.
    #[must_use]
    pub fn named_type(&self, name: &str) -> Option<Type> {
        if let Some(held) = self.modules.iter().flat_map(|m| m.held).find(|h| h.name == name) {
            return Some(Type::Held(held));
        }
        let declarations = self.modules.iter().flat_map(|module| module.types);
        let (name, text) = declarations.into_iter().find(|(found, _)| *found == name)?;
        let (file, written) = pipe_grammar::parse_type(text)
            .unwrap_or_else(|why| panic!("the declaration of `{name}`: {why}"));
        let ty = lower_type(&file, &written, &|_, other| self.named_type(other))
            .unwrap_or_else(|why| panic!("the declaration of `{name}`: {why:?}"));
        Some(match ty {
            Type::Record(record) => {
                let mut record = (*record).clone();
                record.name = Some((*name).into());
                Type::Record(record.into())
            }
            other => other,
        })
    }

    /// The fields of a held value.
    ///
    /// # Panics
    ///
    /// When the declaration can't be read: a test reads all of them.
    #[must_use]
    pub fn held_fields(&self, held: &HeldType) -> Type {
        let (file, written) = pipe_grammar::parse_type(held.fields)
            .unwrap_or_else(|why| panic!("the fields of `{}`: {why}", held.name));
        lower_type(&file, &written, &|_, other| self.named_type(other))
            .unwrap_or_else(|why| panic!("the fields of `{}`: {why:?}", held.name))
    }

    /// A method of a held value.
    ///
    /// # Panics
    ///
    /// When the declaration can't be read: a test reads all of them.
    #[must_use]
    pub fn held_method(&self, held: &HeldType, name: &str) -> Option<Signature> {
        let (_, declaration) = held.methods.iter().find(|(found, _)| *found == name)?;
        let signature = Signature::read(declaration, &|_, name| self.named_type(name));
        Some(signature.unwrap_or_else(|why| panic!("`{}.{name}`: {why}", held.name)))
    }

    /// What the declaration of a built-in says.
    ///
    /// # Panics
    ///
    /// When it can't be read: a test reads all of them.
    #[must_use]
    pub fn signature(&self, builtin: &'static Builtin) -> &'static Signature {
        builtin.signature.get_or_init(|| {
            Signature::read(builtin.declaration, &|_, name| self.named_type(name))
                .unwrap_or_else(|why| panic!("the declaration of `{}`: {why}", builtin.full_name()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_can_be_read() {
        let library = library();
        for module in library.modules() {
            for (name, _) in module.types {
                assert!(library.named_type(name).is_some());
            }
            for held in module.held {
                assert!(matches!(library.held_fields(held), Type::Record(_)));
                for (name, _) in held.methods {
                    assert!(library.held_method(held, name).is_some());
                }
            }
        }
        let all = library.modules().iter().flat_map(|m| m.builtins).chain(library.alone());
        for builtin in all {
            let signature = library.signature(builtin);
            assert!(!signature.summary().is_empty(), "{}", builtin.full_name());
            assert!(signature.summary().len() <= 80, "{}", builtin.full_name());
            for parameter in signature.parameters.iter().flatten() {
                let name = builtin.full_name();
                assert!(!parameter.docs.is_empty(), "{name}({})", parameter.name);
            }
            assert!(!builtin.examples.is_empty(), "{}", builtin.full_name());
        }
    }
}
