//! A definition against the table of its fields: names, types and ranges.

use pipe_grammar::diagnostic::{article, did_you_mean, list_or, similar};

use super::{
    super::{normalise::READ_ONLY, pointer::step},
    fields::{self, APP},
    finding::Finding,
    known::{Kind, Known},
    shape::{Field, Shape},
};

/// What does not fit into the table.
pub(super) fn walk(app: &Known, found: &mut Vec<Finding>) {
    value(app, &APP, "", found);
}

/// The names in an object that are no fields of it, but meant to be.
fn misspelt<'a>(value: &'a Known, fields: &'a [Field]) -> impl Iterator<Item = &'a str> {
    let unknown = |name: &&str| !fields.iter().any(|field| field.name == *name);
    let names = value.fields().filter(|(_, value)| value.is_there()).map(|(name, _)| name);
    names.filter(unknown).filter(|name| near(name, fields).is_some())
}

/// Opens the objects that have misspelt fields: what seems to be missing is there, under another
/// name, and is told once.
pub(super) fn forgive(app: &mut Known) {
    fn open(value: &mut Known, shape: &Shape) {
        match (shape, value) {
            (Shape::Object(fields), value @ Known::Object(_)) => {
                let forgiven = misspelt(value, fields).next().is_some();
                let Known::Object(object) = value else { return };
                object.open |= forgiven;
                for field in *fields {
                    if let Some(inner) = object.known.get_mut(field.name) {
                        open(inner, &field.shape);
                    }
                }
            }
            (Shape::List(inner), Known::List(items)) => {
                items.iter_mut().for_each(|item| open(item, inner));
            }
            _ => {}
        }
    }
    open(app, &APP);
}

/// How a message names the value that a pointer leads to: `container.docker.parameters[0].key`.
pub(super) fn shown(pointer: &str) -> String {
    let mut text = String::new();
    for step in super::super::pointer::steps(pointer) {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !text.is_empty() && step.chars().all(|c| c.is_ascii_digit()) {
            text += &format!("[{step}]");
        } else if step.chars().all(plain) && !step.is_empty() {
            if !text.is_empty() {
                text.push('.');
            }
            text += &step;
        } else {
            text += &format!("[\"{step}\"]");
        }
    }
    text
}

fn value(value: &Known, shape: &Shape, pointer: &str, found: &mut Vec<Finding>) {
    match (shape, value) {
        (_, Known::Absent | Known::Open(Kind::Anything)) | (Shape::Anything, _) => {}
        (Shape::Either(first, second), _) => {
            let text = matches!(value, Known::Text(_) | Known::Open(Kind::Text));
            self::value(value, if text { first } else { second }, pointer, found);
        }
        (Shape::Object(fields), Known::Object(_)) => object(value, fields, pointer, found),
        (Shape::Map(inner), Known::Object(_)) => {
            for (key, value) in value.fields() {
                self::value(value, inner, &format!("{pointer}{}", step(key)), found);
            }
        }
        (Shape::List(inner), Known::List(items)) => {
            for (at, value) in items.iter().enumerate() {
                self::value(value, inner, &format!("{pointer}/{at}"), found);
            }
        }
        (Shape::Texts(rule), Known::Text(text)) if !(rule.takes)(text) => {
            let what = if text.is_empty() {
                format!("`{}` is empty", shown(pointer))
            } else {
                format!("`{text}` is not {}", rule.what)
            };
            let help = (!rule.help.is_empty() && !text.is_empty()).then(|| rule.help.to_owned());
            found.push(Finding::new(pointer, what).help_if(help));
        }
        (Shape::OneOf(words), Known::Text(text)) => word(text, words, pointer, found),
        (Shape::Whole(least, most), Known::Number(_)) if value.whole().is_some() => {
            let number = value.whole().unwrap_or_default();
            if number < *least {
                found.push(below(pointer, least, value));
            } else if number > *most {
                let what = format!("`{}` is at most {most}, not {number}", shown(pointer));
                found.push(Finding::new(pointer, what));
            }
        }
        (Shape::Number(least, most), Known::Number(_)) => {
            let number = value.number().unwrap_or_default();
            if number < *least {
                found.push(below(pointer, least, value));
            } else if number > *most {
                let what = format!("`{}` is at most {most}, not {}", shown(pointer), plain(value));
                found.push(Finding::new(pointer, what));
            }
        }
        (shape, value) if !fits(shape, value) => found.push(misfit(value, shape, pointer)),
        _ => {}
    }
}

fn below(pointer: &str, least: &dyn std::fmt::Display, value: &Known) -> Finding {
    Finding::new(pointer, format!("`{}` is at least {least}, not {}", shown(pointer), plain(value)))
}

fn object(value: &Known, fields: &[Field], pointer: &str, found: &mut Vec<Finding>) {
    for (name, inner) in value.fields() {
        let here = format!("{pointer}{}", step(name));
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            let answer = pointer.is_empty() && READ_ONLY.contains(&name);
            if !answer && !inner.is_absent() {
                found.push(unknown(name, fields, pointer, &here));
            }
            continue;
        };
        if inner.is_there() {
            found.extend(of_another_version(field, inner, &here));
        }
        self::value(inner, &field.shape, &here, found);
    }
    for field in fields.iter().filter(|field| field.needed && value.at(field.name).is_absent()) {
        if misspelt(value, fields).any(|name| similar(name, [field.name]) == [field.name]) {
            continue;
        }
        let whole = shown(pointer);
        let what = format!("`{whole}` needs `{}`", field.name);
        found.push(Finding::new(pointer, what).on_key());
    }
}

/// What other tools call a field of an app, and what Marathon calls it.
const HABITS: &[(&str, &str)] = &[
    ("command", "cmd"),
    ("environment", "env"),
    ("image", "container.docker.image"),
    ("memory", "mem"),
    ("replicas", "instances"),
];

/// A field that no version knows: an error where another one is meant, else a warning.
fn unknown(name: &str, fields: &[Field], pointer: &str, here: &str) -> Finding {
    const WHY: &str = "Marathon drops it without a word";
    let message = match shown(pointer).as_str() {
        "" => format!("an app definition has no field `{name}`"),
        whole => format!("`{whole}` has no field `{name}`"),
    };
    let finding = Finding::new(here, message).on_key();
    if let Some(near) = near(name, fields) {
        return finding.help(near);
    }
    let habit = HABITS.iter().find(|(habit, _)| pointer.is_empty() && *habit == name);
    if let Some((_, meant)) = habit {
        return finding.help(format!("did you mean `{meant}`?"));
    }
    let help = match fields::places(name).as_slice() {
        [place] if place.is_empty() => format!("{WHY}: it belongs to the definition itself"),
        [place] => format!("{WHY}: it belongs into `{place}`"),
        _ => WHY.to_owned(),
    };
    finding.help(help).ignored()
}

fn near(name: &str, fields: &[Field]) -> Option<String> {
    did_you_mean(name, fields.iter().map(|field| field.name))
}

fn of_another_version(field: &Field, value: &Known, pointer: &str) -> Option<Finding> {
    // What is not set to anything is no loss.
    let idle = match value {
        Known::Bool(value) => !value,
        Known::List(items) => items.is_empty(),
        Known::Object(fields) => fields.known.is_empty() && !fields.open,
        Known::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    };
    if idle {
        return None;
    }
    let name = shown(pointer);
    let gone = field.until.map(|until| {
        let what = format!("`{name}` means nothing since Marathon {}.{}", until.0, until.1);
        Finding::new(pointer, what).on_key().help(field.instead).ignored_since(until)
    });
    let new = || {
        field.since.map(|since| {
            let what = format!("`{name}` means nothing before Marathon {}.{}", since.0, since.1);
            Finding::new(pointer, what).on_key().ignored_before(since)
        })
    };
    gone.or_else(new)
}

fn word(text: &str, words: &[&'static str], pointer: &str, found: &mut Vec<Finding>) {
    if words.contains(&text) {
        return;
    }
    let name = shown(pointer);
    if let Some(word) = words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
        let what = format!("`{name}` is written `{word}`, not `{text}`");
        found.push(Finding::new(pointer, what).help("Marathon before 1.5 refuses it").ignored());
        return;
    }
    let all: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    let what = format!("`{name}` is {}, not `{text}`", list_or(&all));
    found.push(Finding::new(pointer, what).help_if(did_you_mean(text, words.iter().copied())));
}

/// Whether a value has the type that is asked for.
fn fits(shape: &Shape, value: &Known) -> bool {
    match shape {
        Shape::Text | Shape::Texts(_) | Shape::OneOf(_) => {
            matches!(value, Known::Text(_) | Known::Open(Kind::Text))
        }
        Shape::Bool => matches!(value, Known::Bool(_) | Known::Open(Kind::Bool)),
        // A number that is computed may turn out whole.
        Shape::Whole(..) => match value {
            Known::Number(_) => value.whole().is_some(),
            value => matches!(value, Known::Open(Kind::Whole | Kind::Number)),
        },
        Shape::Number(..) => {
            matches!(value, Known::Number(_) | Known::Open(Kind::Whole | Kind::Number))
        }
        Shape::List(_) => matches!(value, Known::List(_) | Known::Open(Kind::List)),
        Shape::Map(_) | Shape::Object(_) => {
            matches!(value, Known::Object(_) | Known::Open(Kind::Object))
        }
        Shape::Either(first, second) => fits(first, value) || fits(second, value),
        Shape::Anything => true,
    }
}

fn misfit(value: &Known, shape: &Shape, pointer: &str) -> Finding {
    let wanted = match shape {
        Shape::Text | Shape::Texts(_) => "a text".to_owned(),
        Shape::OneOf(words) => {
            list_or(&words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>())
        }
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::Whole(..) => "a whole number".to_owned(),
        Shape::Number(..) => "a number".to_owned(),
        Shape::List(_) => "a list".to_owned(),
        Shape::Map(_) | Shape::Object(_) | Shape::Either(..) | Shape::Anything => {
            "an object".to_owned()
        }
    };
    let what = format!("`{}` takes {wanted}, not {}", shown(pointer), described(value));
    let finding = Finding::new(pointer, what).help_if(repair(value, shape, pointer));
    if matches!(value, Known::List(_) | Known::Object(_)) { finding.on_key() } else { finding }
}

/// How the value would fit.
fn repair(value: &Known, shape: &Shape, pointer: &str) -> Option<String> {
    match (shape, value) {
        (Shape::Whole(..) | Shape::Number(..), Known::Text(text)) => {
            let plain = text.trim();
            let number = serde_json::from_str::<serde_json::Number>(plain).is_ok();
            let digits: String = plain.chars().take_while(char::is_ascii_digit).collect();
            if number {
                Some(format!("without quotes: `{plain}`"))
            } else if matches!(pointer, "/mem" | "/disk") && !digits.is_empty() {
                Some("it counts MiB, as a number".to_owned())
            } else if pointer.ends_with("Seconds") && !digits.is_empty() {
                Some("it counts seconds, as a number".to_owned())
            } else {
                None
            }
        }
        (Shape::Bool, Known::Text(text)) if matches!(text.as_str(), "true" | "false") => {
            Some(format!("without quotes: `{text}`"))
        }
        (Shape::Text | Shape::Texts(_), Known::Number(_) | Known::Bool(_)) => {
            Some(format!("as text: `\"{}\"`", plain(value)))
        }
        (Shape::Texts(_), Known::List(_)) if pointer == "/cmd" => {
            Some("a list of arguments is called `args`".to_owned())
        }
        (Shape::List(inner), value) if fits(inner, value) => match value {
            Known::Text(_) | Known::Number(_) | Known::Bool(_) => {
                Some(format!("a list of one: `[{}]`", literal(value)))
            }
            _ => Some("a list of one: `[ … ]`".to_owned()),
        },
        // An environment variable or label that is a number.
        (Shape::Object(_), Known::Number(_) | Known::Bool(_)) if pointer.starts_with("/env/") => {
            Some(format!("as text: `\"{}\"`", plain(value)))
        }
        _ => None,
    }
}

/// A value in words.
fn described(value: &Known) -> String {
    const LONG: usize = 40;
    match value {
        Known::Absent | Known::Open(Kind::Anything) => "nothing".to_owned(),
        Known::Text(text) if text.chars().count() <= LONG => format!("the text `\"{text}\"`"),
        Known::Text(_) | Known::Open(Kind::Text) => article("text"),
        Known::Bool(_) | Known::Number(_) => format!("`{}`", plain(value)),
        Known::Open(Kind::Bool) => "`true` or `false`".to_owned(),
        Known::Open(Kind::Whole | Kind::Number) => article("number"),
        Known::List(_) | Known::Open(Kind::List) => article("list"),
        Known::Object(_) | Known::Open(Kind::Object) => article("object"),
    }
}

/// A number or a bool as it is written.
fn plain(value: &Known) -> String {
    match value {
        Known::Number(number) => number.to_string(),
        Known::Bool(value) => value.to_string(),
        _ => String::new(),
    }
}

fn literal(value: &Known) -> String {
    match value {
        Known::Text(text) => format!("{text:?}"),
        value => plain(value),
    }
}
