//! Commands in tests: `W #{v}` with the kind told by the name.

use pipe_grammar::shell::{Dialect, HoleKind, Part, Place, Scan, Script, lower, scan};

/// A command: `#{n…}` is an int, `#{xs…}` a list, any other name a text. The same name is the
/// same hole.
pub struct Command<'a> {
    pub source: &'a str,
    pub parts: Vec<Part<'a>>,
    pub kinds: Vec<HoleKind>,
    names: Vec<&'a str>,
}

impl<'a> Command<'a> {
    pub fn new(source: &'a str) -> Self {
        let mut command = Self { source, parts: Vec::new(), kinds: Vec::new(), names: Vec::new() };
        let mut rest = source;
        while let Some(open) = rest.find("#{") {
            let close = open + rest[open..].find('}').unwrap();
            let name = &rest[open + 2..close];
            if open > 0 {
                command.parts.push(Part::Text(&rest[..open]));
            }
            let number = command.names.iter().position(|n| *n == name).unwrap_or_else(|| {
                command.names.push(name);
                command.kinds.push(match name.as_bytes()[0] {
                    b'n' => HoleKind::Int,
                    b'x' => HoleKind::List,
                    _ => HoleKind::Word,
                });
                command.names.len() - 1
            });
            command.parts.push(Part::Hole(number));
            rest = &rest[close + 1..];
        }
        if !rest.is_empty() {
            command.parts.push(Part::Text(rest));
        }
        command
    }

    pub fn scan(&self, dialect: Dialect) -> Scan {
        scan(&self.parts, &self.kinds, dialect)
    }

    pub fn lower(&self, scan: &Scan, counts: &[Option<usize>]) -> Script {
        lower(&self.parts, scan, counts)
    }

    /// The script for a command without lists, as the text a person would look at: `V`, `V2`, …
    /// for the variables.
    pub fn lowered(&self, dialect: Dialect, counts: &[Option<usize>]) -> String {
        let mut text = self.lower(&self.scan(dialect), counts).text;
        for number in (1..=self.kinds.len()).rev() {
            text = text.replace(&format!("__pipe_{number}"), &format!("V{number}"));
        }
        text.replace("V1", "V")
    }

    /// The source text between two places.
    pub fn between(&self, from: Place, to: Place) -> String {
        let (from, to) = (self.byte(from), self.byte(to));
        self.source[from..to].to_owned()
    }

    fn byte(&self, place: Place) -> usize {
        let mut at = 0;
        for part in &self.parts[..place.part] {
            at += match part {
                Part::Text(text) => text.len(),
                Part::Hole(number) => self.names[*number].len() + 3,
            };
        }
        match self.parts.get(place.part) {
            Some(Part::Hole(number)) if place.offset > 0 => at + self.names[*number].len() + 3,
            _ => at + place.offset,
        }
    }
}

/// The kinds of all refusals, with the text they point at.
pub fn refusals(source: &str, dialect: Dialect) -> Vec<(String, String)> {
    let command = Command::new(source);
    let scan = command.scan(dialect);
    scan.refusals
        .iter()
        .map(|refusal| {
            let kind = format!("{:?}", refusal.kind);
            let name = kind.split([' ', '{', '(']).next().unwrap_or_default().to_owned();
            (name, command.between(refusal.from, refusal.to))
        })
        .collect()
}
