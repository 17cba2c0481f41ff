//! What a declaration says: parameters, types, defaults, documentation.

use super::{Str, Type, Value, literal, lower_type, types::parameter_type};

/// The signature of a built-in, a method or a function of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// The documentation: a first line, an empty one, the rest.
    pub docs: String,
    /// None: a value, which is not called.
    pub parameters: Option<Vec<Parameter>>,
    /// What it gives.
    pub result: Type,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: Str,
    /// What it is for.
    pub docs: String,
    /// Its type.
    pub ty: Type,
    /// Its value when it is not given; one without may not be left out, unless null fits it.
    pub default: Option<Value>,
}

impl Parameter {
    /// Whether a call must give it.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.default.is_none() && !matches!(self.ty, Type::Optional(_))
    }
}

impl Signature {
    /// Reads a declaration.
    ///
    /// # Errors
    ///
    /// Says what can't be read; a test reads every declaration.
    pub fn read(
        declaration: &str,
        named: &dyn Fn(Option<&str>, &str) -> Option<Type>,
    ) -> Result<Self, String> {
        let read = pipe_grammar::parse_signature(declaration)?;
        let named = |module: Option<&str>, name: &str| {
            parameter_type(name).filter(|_| module.is_none()).or_else(|| named(module, name))
        };
        let lower = |ty| lower_type(&read.file, ty, &named).map_err(|p| format!("{p:?}"));
        let parameters = match &read.parameters {
            None => None,
            Some(parameters) => Some(
                parameters
                    .iter()
                    .map(|parameter| {
                        let ty = lower(&parameter.ty)?;
                        let default = match parameter.default {
                            None => None,
                            Some(id) => {
                                let value = literal::evaluate(&read.file, id)
                                    .ok_or_else(|| format!("default of {}", parameter.name.text))?;
                                Some(super::convert(value, &ty).map_err(|m| format!("{m:?}"))?)
                            }
                        };
                        let docs = parameter.docs.to_string();
                        Ok(Parameter { name: parameter.name.text.clone(), docs, ty, default })
                    })
                    .collect::<Result<Vec<_>, String>>()?,
            ),
        };
        let result = read.result.as_ref().map_or(Ok(Type::Nothing), lower)?;
        Ok(Self { docs: read.docs.clone(), parameters, result })
    }

    /// The first line of the documentation.
    #[must_use]
    pub fn summary(&self) -> &str {
        self.docs.lines().next().unwrap_or("")
    }

    /// The parameter with this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.as_ref()?.iter().find(|p| &*p.name == name)
    }

    /// `(image: string, also: string or list<string> = [])`, for messages and documentation.
    #[must_use]
    pub fn written(&self, name: &str) -> String {
        let Some(parameters) = &self.parameters else { return format!("{name}: {}", self.result) };
        let parameters: Vec<String> = parameters
            .iter()
            .map(|p| {
                let default = p
                    .default
                    .as_ref()
                    .map_or(String::new(), |value| format!(" = {}", super::write_value(value)));
                format!("{}: {}{default}", p.name, p.ty)
            })
            .collect();
        let result = match &self.result {
            Type::Nothing => String::new(),
            result => format!(" -> {result}"),
        };
        format!("{name}({}){result}", parameters.join(", "))
    }
}
