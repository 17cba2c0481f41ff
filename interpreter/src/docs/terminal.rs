//! A page of the reference for the terminal.

use std::fmt::Write as _;

use pipe_stdlib::{
    Library,
    connect::CONNECTORS,
    core::{Builtin, HeldType, Kind, Method, Module, Signature, Type},
    library,
};

use super::{
    page::{Page, records},
    signature,
    values::{VALUES, Values},
    wrap,
};

/// A page as text, in lines of at most `width` columns where words allow it.
#[must_use]
pub fn show(page: Page, width: usize) -> String {
    let library = library();
    let mut out = match page {
        Page::Overview => overview(library, width),
        Page::Module(found) => module(library, found, width),
        Page::Builtin(found) => builtin(library, found, width),
        Page::Connector(found) => {
            let mut out = entry(&format!("connect {}", found.name), found.signature(), width);
            if found.takes_alias {
                let alias = format!(
                    "With `as NAME` behind it, the functions of `{}` stand under `NAME.` too.",
                    found.name
                );
                let _ = write!(out, "\n{}\n", wrap::paragraphs(&alias, width));
            }
            out + &examples(&[found.example], width)
        }
        Page::Record(name) => match library.named_type(name) {
            Some(ty) => record(library, name, &ty, width),
            None => String::new(),
        },
        Page::Held(found) => held(library, found, width),
        Page::Values(found) => values(found, width),
        Page::Method(of, found) => method(of, found, width),
    };
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn overview(library: &'static Library, width: usize) -> String {
    let mut out = String::new();
    for module in library.modules() {
        let head = format!("{}: {}", module.name, module.docs);
        let _ = writeln!(out, "{}", wrap::paragraphs(&head, width));
        let rows = module.builtins.iter().map(|b| (b.full_name(), summary(library, b)));
        out.push_str(&table(&rows.collect::<Vec<_>>(), width));
        out.push('\n');
    }
    let _ = writeln!(out, "without a module");
    let rows = library.alone().iter().map(|b| (b.full_name(), summary(library, b)));
    out.push_str(&table(&rows.collect::<Vec<_>>(), width));
    let _ = writeln!(out, "\nconnections");
    let rows = CONNECTORS
        .iter()
        .map(|c| (format!("connect {}", c.name), c.signature().summary().to_owned()));
    out.push_str(&table(&rows.collect::<Vec<_>>(), width));
    let _ = writeln!(out, "\ntypes");
    let rows = VALUES.iter().map(|v| (v.written.to_owned(), first_sentence(v.docs)));
    out.push_str(&table(&rows.collect::<Vec<_>>(), width));
    out.push_str("\n`pipe docs NAME` tells more: `pipe docs docker.build`, `pipe docs string`\n");
    out
}

fn module(library: &'static Library, module: &'static Module, width: usize) -> String {
    let head = format!("{}: {}", module.name, module.docs);
    let mut out = wrap::paragraphs(&head, width) + "\n\n";
    let rows = module.builtins.iter().map(|b| (b.full_name(), summary(library, b)));
    out.push_str(&table(&rows.collect::<Vec<_>>(), width));
    for (name, _) in module.types {
        if let Some(Type::Record(record)) = library.named_type(name) {
            let _ = write!(out, "\n{name} = {}\n", signature::fields(&record, width));
        }
    }
    for found in module.held {
        let _ = write!(out, "\n{}", self::held(library, found, width));
    }
    if CONNECTORS.iter().any(|connector| connector.name == module.name) {
        let _ = writeln!(out, "\nwhere it goes and as whom: `pipe docs connect.{}`", module.name);
    }
    let _ = writeln!(out, "\n`pipe docs {}.NAME` tells more", module.name);
    // `path` is a module and a type.
    if let Some(found) = Values::find(module.name) {
        let _ = write!(out, "\nthe type {}", values(found, width));
    }
    out
}

fn builtin(library: &'static Library, builtin: &'static Builtin, width: usize) -> String {
    let signature = library.signature(builtin);
    let mut out = entry(&builtin.full_name(), signature, width);
    for (name, ty) in records(library) {
        if mentions(&signature.result, name)
            && let Type::Record(record) = ty
        {
            let _ = write!(out, "\n{name} = {}\n", signature::fields(&record, width));
        }
    }
    if let Type::Held(found) = &signature.result {
        let _ = write!(out, "\n{}", held(library, found, width));
    }
    let kind = match builtin.kind() {
        Kind::Fact => "a fact: it may stand everywhere, at the top of the file too",
        Kind::Step => "a step: it acts, and stands in a stage or a function",
        Kind::Held => "a step: it acts, and what it gives is undone when its block ends",
        Kind::Runner => "a runner: it stands behind `using` of a stage",
    };
    let _ = writeln!(out, "\n{kind}");
    out + &examples(builtin.examples, width)
}

/// Whether a type is, or holds, the one with this name.
fn mentions(ty: &Type, name: &str) -> bool {
    match ty {
        Type::List(inner) | Type::Map(inner) | Type::Optional(inner) => mentions(inner, name),
        Type::Record(record) => {
            record.name.as_deref() == Some(name)
                || record.fields.iter().any(|field| mentions(&field.ty, name))
        }
        _ => false,
    }
}

/// Signature, documentation, parameters.
fn entry(name: &str, signature: &Signature, width: usize) -> String {
    let mut out = signature::written(name, signature, width);
    let _ = write!(out, "\n\n{}\n", wrap::paragraphs(&signature.docs, width));
    for parameter in signature.parameters.iter().flatten() {
        let docs = wrap::paragraphs(&parameter.docs, width.saturating_sub(6));
        let _ =
            write!(out, "\n  {}\n{}\n", signature::parameter(parameter), wrap::indented(&docs, 6));
    }
    out
}

fn record(library: &'static Library, name: &str, ty: &Type, width: usize) -> String {
    let Type::Record(record) = ty else { return String::new() };
    let mut out = format!("{name} = {}\n", signature::fields(record, width));
    let all = library.modules().iter().flat_map(|module| module.builtins).copied();
    let givers = all.filter(|b| mentions(&library.signature(b).result, name));
    let givers: Vec<String> = givers.map(|b| format!("`{}`", b.full_name())).collect();
    if !givers.is_empty() {
        let text = format!("given by {}", givers.join(", "));
        let _ = write!(out, "\n{}\n", wrap::paragraphs(&text, width));
    }
    out
}

/// The fields and the methods of a held value.
fn held(library: &'static Library, held: &HeldType, width: usize) -> String {
    let mut out = String::new();
    if let Type::Record(record) = library.held_fields(held) {
        let _ = writeln!(out, "{} = {}", held.name, signature::fields(&record, width));
    }
    for (name, _) in held.methods {
        if let Some(signature) = library.held_method(held, name) {
            let entry = entry(&format!(".{name}"), &signature, width.saturating_sub(2));
            let _ = writeln!(out, "\n{}", wrap::indented(&entry, 2));
        }
    }
    out
}

fn values(values: &'static Values, width: usize) -> String {
    let mut out = format!("{}\n\n{}\n", values.written, wrap::paragraphs(values.docs, width));
    let ty = values.ty();
    let mut rows = Vec::new();
    for method in values.own_methods() {
        if let Ok(signature) = method.signature(&ty) {
            let summary = signature.summary().to_owned();
            rows.push((signature.written(&format!(".{}", method.name)), summary));
        }
    }
    if !rows.is_empty() {
        out.push('\n');
        out.push_str(&table(&rows, width));
    }
    out + &examples(values.examples, width)
}

fn method(values: &Values, method: &Method, width: usize) -> String {
    match method.signature(&values.ty()) {
        Ok(signature) => entry(&format!("{}.{}", values.name, method.name), &signature, width),
        Err(why) => why,
    }
}

fn examples(examples: &[&str], width: usize) -> String {
    if examples.is_empty() {
        return String::new();
    }
    let mut out = "\nexamples\n".to_owned();
    for example in examples {
        let broken = wrap::call(example, width.saturating_sub(2));
        let _ = writeln!(out, "{}", wrap::indented(&broken, 2));
    }
    out
}

fn summary(library: &'static Library, builtin: &'static Builtin) -> String {
    library.signature(builtin).summary().to_owned()
}

fn first_sentence(docs: &str) -> String {
    docs.split_once(". ").map_or(docs.to_owned(), |(first, _)| format!("{first}."))
}

/// Names and what they are, in two columns.
fn table(rows: &[(String, String)], width: usize) -> String {
    /// A name that is wider stands on a line of its own.
    const WIDEST: usize = 30;
    let lengths = rows.iter().map(|(name, _)| name.chars().count());
    let column = lengths.filter(|length| *length <= WIDEST).max().unwrap_or(0) + 4;
    let mut out = String::new();
    for (name, docs) in rows {
        let length = name.chars().count();
        let docs = wrap::paragraphs(docs, width.saturating_sub(column));
        let docs = wrap::indented(&docs, column);
        if length > WIDEST {
            let _ = writeln!(out, "  {name}\n{docs}");
        } else {
            let _ = writeln!(out, "  {name}{}", &docs[length + 2..]);
        }
    }
    out
}
