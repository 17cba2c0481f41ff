//! The whole reference as Markdown: `docs/builtins.md`.

use std::fmt::Write as _;

use pipe_stdlib::{
    Library,
    connect::CONNECTORS,
    core::{Builtin, HeldType, Kind, Signature, Type},
    library,
};

use super::{
    signature,
    values::{VALUES, Values},
    wrap,
};

/// Code is broken at so many columns.
const WIDTH: usize = 90;

const HEAD: &str = "\
# Built-ins

<!-- Made by `pipe docs --markdown` from the declarations in the code. Change those, then run
     cargo run -- docs --markdown > docs/builtins.md -->

Everything that a Pipelinefile can call. `pipe docs NAME` shows the same in the terminal.

- A **fact** is a value, or a function without an effect. It may stand everywhere, at the top of
  the file too. A fact without parameters is written without parentheses.
- A **step** acts, and stands in a stage or a function. What a step with a **held value** gives is
  undone when its block ends.
- A **runner** says where commands run, and stands behind `using`.
- Only the first argument may stand without its name. A parameter of a type with `?`, or with a
  default, may be left out.
- Some parameters take what no type of the language says: a *path or list\\<path\\>* takes patterns
  like `dist/*.js`; a *string or secret* may be either; an *app definition* is the path of a JSON
  file, a record, or JSON.
";

/// The reference, as `docs/builtins.md` has it.
#[must_use]
pub fn markdown() -> String {
    let library = library();
    let mut out = HEAD.to_owned();
    for module in library.modules() {
        let _ = write!(out, "\n## {}\n\n{}\n", module.name, module.docs);
        for builtin in module.builtins {
            entry(&mut out, builtin, library.signature(builtin));
        }
        if !(module.types.is_empty() && module.held.is_empty()) {
            let _ = write!(out, "\n### Types of {}\n", module.name);
        }
        for (name, _) in module.types {
            if let Some(Type::Record(record)) = library.named_type(name) {
                code(&mut out, &format!("{name} = {}", signature::fields(&record, WIDTH)));
            }
        }
        for held in module.held {
            self::held(&mut out, library, held);
        }
    }
    out.push_str("\n## Without a module\n");
    for builtin in library.alone() {
        entry(&mut out, builtin, library.signature(builtin));
    }
    out.push_str("\n## Connections\n\nWhere built-ins go, and as whom; at the top of the file.\n");
    for connector in CONNECTORS {
        let name = format!("connect {}", connector.name);
        let _ = write!(out, "\n### {name}\n");
        body(&mut out, &name, connector.signature());
        code(&mut out, connector.example);
    }
    out.push_str("\n## Methods and properties\n\n");
    out.push_str(
        "A method is called with `()`, also without arguments; a property is not. On `json` every \
         `.name`\nis a field.\n",
    );
    VALUES.iter().for_each(|found| values(&mut out, found));
    out
}

fn entry(out: &mut String, builtin: &Builtin, signature: &Signature) {
    let name = builtin.full_name();
    let kind = match builtin.kind() {
        Kind::Fact => "fact",
        Kind::Step => "step",
        Kind::Held => "step with a held value",
        Kind::Runner => "runner",
    };
    let _ = write!(out, "\n### {name}\n\n*{kind}*\n");
    body(out, &name, signature);
    let examples: Vec<String> = builtin.examples.iter().map(|e| wrap::call(e, WIDTH)).collect();
    code(out, &examples.join("\n"));
}

fn body(out: &mut String, name: &str, signature: &Signature) {
    code(out, &signature::written(name, signature, WIDTH));
    let _ = write!(out, "\n{}\n", signature.docs);
    let parameters = signature.parameters.iter().flatten();
    for (number, parameter) in parameters.enumerate() {
        let start = if number == 0 { "\n" } else { "" };
        let docs = parameter.docs.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(out, "{start}- `{}`: {docs}", signature::parameter(parameter));
    }
}

/// A held value: its fields, then its methods.
fn held(out: &mut String, library: &'static Library, held: &HeldType) {
    if let Type::Record(record) = library.held_fields(held) {
        code(out, &format!("{} = {}", held.name, signature::fields(&record, WIDTH)));
    }
    for (number, (name, _)) in held.methods.iter().enumerate() {
        let Some(signature) = library.held_method(held, name) else { continue };
        let start = if number == 0 { "\n" } else { "" };
        let docs = signature.docs.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(out, "{start}- `{}`: {docs}", signature.written(&format!(".{name}")));
    }
}

fn values(out: &mut String, values: &Values) {
    let _ = write!(out, "\n### {}\n\n{}\n", values.name, values.docs);
    let ty = values.ty();
    let signatures = values.own_methods().iter().filter_map(|method| {
        let signature = method.signature(&ty).ok()?;
        Some((signature.written(&format!(".{}", method.name)), signature))
    });
    for (number, (written, signature)) in signatures.enumerate() {
        let start = if number == 0 { "\n" } else { "" };
        let docs = signature.docs.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(out, "{start}- `{written}`: {docs}");
    }
}

fn code(out: &mut String, text: &str) {
    let _ = write!(out, "\n```\n{text}\n```\n");
}
