//! What a name of the reference means.

use pipe_grammar::diagnostic::similar;
use pipe_stdlib::{
    Library,
    connect::{CONNECTORS, Connector, connector},
    core::{Builtin, HeldType, Method, Module, Type},
    library,
};

use super::values::{VALUES, Values};

/// One page of the reference.
#[derive(Clone, Copy)]
pub enum Page {
    /// All there is, a line each.
    Overview,
    /// `docker`
    Module(&'static Module),
    /// `docker.push`, `env`
    Builtin(&'static Builtin),
    /// `connect.docker`: what stands behind `connect`.
    Connector(&'static Connector),
    /// `Image`: a type that a module declares.
    Record(&'static str),
    /// `Green`: a type of held values.
    Held(&'static HeldType),
    /// `string`
    Values(&'static Values),
    /// `string.trim`
    Method(&'static Values, &'static Method),
}

/// The page with this name; else the names that may have been meant.
///
/// # Errors
///
/// Nothing has this name.
pub fn find(name: &str) -> Result<Page, Vec<String>> {
    // `docker.push()` and `connect docker(…)` are what one copies from a file.
    let plain = name.split('(').next().unwrap_or(name).trim();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(".");
    exact(library(), &plain).ok_or_else(|| near(library(), &plain))
}

fn exact(library: &'static Library, name: &str) -> Option<Page> {
    if name.is_empty() {
        return Some(Page::Overview);
    }
    let Some((first, last)) = name.rsplit_once('.') else {
        return alone(library, name);
    };
    if first == "connect" {
        return connector(last).map(Page::Connector);
    }
    if let Some(builtin) = library.find(Some(first), last) {
        return Some(Page::Builtin(builtin));
    }
    if let Some(held) = helds(library).find(|held| held.name == first) {
        return held.methods.iter().any(|(name, _)| *name == last).then_some(Page::Held(held));
    }
    let values = Values::find(first)?;
    let method = values.methods().iter().find(|method| method.name == last)?;
    Some(Page::Method(values, method))
}

fn alone(library: &'static Library, name: &str) -> Option<Page> {
    let module = library.module(name).map(Page::Module);
    let builtin = || library.find(None, name).map(Page::Builtin);
    let values = || Values::find(name).map(Page::Values);
    let held = || helds(library).find(|held| held.name == name).map(Page::Held);
    module.or_else(builtin).or_else(values).or_else(held).or_else(|| {
        records(library).into_iter().find(|(found, _)| *found == name).map(|(n, _)| Page::Record(n))
    })
}

/// The types that modules declare.
pub(super) fn records(library: &'static Library) -> Vec<(&'static str, Type)> {
    let names = library.modules().iter().flat_map(|module| module.types).map(|(name, _)| *name);
    names.filter_map(|name| Some((name, library.named_type(name)?))).collect()
}

/// The types of held values.
fn helds(library: &'static Library) -> impl Iterator<Item = &'static HeldType> {
    library.modules().iter().flat_map(|module| module.held).copied()
}

/// Every name that has a page.
pub(super) fn names(library: &'static Library) -> Vec<String> {
    let mut names = Vec::new();
    for module in library.modules() {
        names.push(module.name.to_owned());
        names.extend(module.builtins.iter().map(|builtin| builtin.full_name()));
        names.extend(module.types.iter().map(|(name, _)| (*name).to_owned()));
        for held in module.held {
            names.push(held.name.to_owned());
            names.extend(held.methods.iter().map(|(name, _)| format!("{}.{name}", held.name)));
        }
    }
    names.extend(library.alone().iter().map(|builtin| builtin.full_name()));
    names.extend(CONNECTORS.iter().map(|connector| format!("connect.{}", connector.name)));
    for values in &VALUES {
        names.push(values.name.to_owned());
        names.extend(values.methods().iter().map(|m| format!("{}.{}", values.name, m.name)));
    }
    names
}

/// The names that a misspelt one may mean: what is called so, or nearly so, in any module, then
/// names that are near as a whole.
fn near(library: &'static Library, name: &str) -> Vec<String> {
    let names = names(library);
    let parted = |name: &'_ str| -> Option<(String, String)> {
        name.rsplit_once('.').map(|(first, last)| (first.to_owned(), last.to_owned()))
    };
    let (module, last) = parted(name).unwrap_or((String::new(), name.to_owned()));
    let members: Vec<(String, String)> = names.iter().filter_map(|name| parted(name)).collect();
    let own: Vec<&str> = members
        .iter()
        .filter(|(m, _)| module.is_empty() || *m == module)
        .map(|(_, l)| &**l)
        .collect();
    let meant: Vec<&str> = match own.iter().find(|own| **own == last) {
        Some(same) => vec![same],
        None => similar(&last, own.iter().copied()),
    };
    let whole = similar(name, names.iter().map(String::as_str));
    let mut found: Vec<String> = Vec::new();
    for (first, member) in &members {
        if meant.contains(&&**member) && (module.is_empty() || *first == module) {
            found.push(format!("{first}.{member}"));
        }
    }
    let whole = whole.into_iter().map(str::to_owned);
    if module.is_empty() {
        // A name without a dot more likely means one without a dot.
        let plain: Vec<String> = whole.filter(|name| !name.contains('.')).collect();
        if !plain.is_empty() && !own.contains(&last.as_str()) {
            found = plain;
        }
    } else if found.is_empty() {
        found.extend(whole);
    }
    let mut unique: Vec<String> = Vec::new();
    for name in found {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    unique.truncate(5);
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(name: &str) -> Vec<String> {
        find(name).err().unwrap_or_default()
    }

    #[test]
    fn every_name_has_its_page() {
        for name in names(library()) {
            assert!(find(&name).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_are_found_as_they_are_written_in_a_file() {
        assert!(matches!(find("docker.push(image)"), Ok(Page::Builtin(b)) if b.name == "push"));
        assert!(matches!(find("connect docker"), Ok(Page::Connector(c)) if c.name == "docker"));
        assert!(matches!(find("path.trim"), Ok(Page::Method(..))));
        assert!(matches!(find("Image"), Ok(Page::Record("Image"))));
        assert!(matches!(find(""), Ok(Page::Overview)));
    }

    #[test]
    fn a_misspelt_name_leads_to_those_that_were_meant() {
        assert_eq!(meant("docker.psuh"), ["docker.push"]);
        assert_eq!(meant("dokcer"), ["docker"]);
        assert_eq!(meant("push"), ["docker.push", "git.push"]);
        assert_eq!(meant("psuh"), ["docker.push", "git.push"]);
        assert_eq!(meant("sting.trim"), ["string.trim"]);
        assert_eq!(meant("image"), ["Image"]);
        assert_eq!(meant("rollback"), ["marathon.rollback"]);
        assert!(meant("nothing like it at all").is_empty());
    }
}
