//! The words of an instruction: quotes and variables, as Docker's own
//! [shell lexer](https://pkg.go.dev/github.com/moby/buildkit/frontend/dockerfile/shell) reads them.

use std::{collections::BTreeMap, iter::Peekable, str::Chars};

/// What variables mean at an instruction.
#[derive(Clone, Debug, Default)]
pub(in crate::docker) struct Scope {
    /// By name; later ones win.
    pub(in crate::docker) variables: BTreeMap<String, String>,
    /// The escape character of the file, `\` or a backquote.
    pub(in crate::docker) escape: char,
}

impl Scope {
    /// A word without its quotes, variables replaced; one that is not set is empty.
    ///
    /// # Errors
    ///
    /// What is wrong with the word.
    pub(in crate::docker) fn word(&self, word: &str) -> Result<String, String> {
        self.until(&mut word.chars().peekable(), None)
    }

    /// The same, with blanks that came out of variables making several words.
    ///
    /// # Errors
    ///
    /// What is wrong with the word.
    pub(in crate::docker) fn words(&self, word: &str) -> Result<Vec<String>, String> {
        let text = self.word(word)?;
        Ok(if word.contains('$') {
            text.split_whitespace().map(str::to_owned).collect()
        } else {
            vec![text]
        })
    }

    /// The text of a here-document, variables replaced; its quotes stay, an escape goes.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub(in crate::docker) fn raw(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '$' => out.push_str(&self.variable(&mut rest)?),
                // Here it is the usual one, whatever the file has chosen.
                '\\' => out.extend(rest.next()),
                c => out.push(c),
            }
        }
        Ok(out)
    }

    fn until(&self, rest: &mut Peekable<Chars<'_>>, end: Option<char>) -> Result<String, String> {
        let mut text = String::new();
        while let Some(c) = rest.next() {
            match c {
                c if Some(c) == end => return Ok(text),
                '\'' => self.single(rest, &mut text)?,
                '"' => self.double(rest, &mut text)?,
                '$' => text.push_str(&self.variable(rest)?),
                c if c == self.escape => match rest.next() {
                    Some(next) => text.push(next),
                    None => text.push(c),
                },
                c => text.push(c),
            }
        }
        match end {
            Some(_) => Err("a `${` is never closed".to_owned()),
            None => Ok(text),
        }
    }

    #[expect(clippy::unused_self, reason = "beside `double`")]
    fn single(&self, rest: &mut Peekable<Chars<'_>>, text: &mut String) -> Result<(), String> {
        loop {
            match rest.next() {
                Some('\'') => return Ok(()),
                Some(c) => text.push(c),
                None => return Err("a quote `'` is never closed".to_owned()),
            }
        }
    }

    fn double(&self, rest: &mut Peekable<Chars<'_>>, text: &mut String) -> Result<(), String> {
        loop {
            match rest.next() {
                Some('"') => return Ok(()),
                Some('$') => text.push_str(&self.variable(rest)?),
                Some(c) if c == self.escape => match rest.peek().copied() {
                    // Only these mean something else behind an escape; it stays before others.
                    Some(next) if next == '"' || next == '$' || next == self.escape => {
                        text.push(next);
                        rest.next();
                    }
                    _ => text.push(c),
                },
                Some(c) => text.push(c),
                None => return Err("a quote `\"` is never closed".to_owned()),
            }
        }
    }

    fn variable(&self, rest: &mut Peekable<Chars<'_>>) -> Result<String, String> {
        if rest.next_if_eq(&'{').is_none() {
            let name = variable_name(rest);
            // A `$` before anything else is itself.
            return Ok(if name.is_empty() { "$".to_owned() } else { self.value(&name) });
        }
        let name = variable_name(rest);
        if name.is_empty() {
            return Err("a `${` needs the name of a variable".to_owned());
        }
        let set = self.variables.get(&name);
        match rest.next() {
            Some('}') => Ok(self.value(&name)),
            Some(c @ (':' | '-' | '+' | '?')) => {
                let empty_counts = c != ':';
                let operator = if c == ':' { rest.next() } else { Some(c) };
                let word = self.until(rest, Some('}'))?;
                let is_set = set.is_some_and(|value| empty_counts || !value.is_empty());
                match operator {
                    Some('-') => Ok(if is_set { self.value(&name) } else { word }),
                    Some('+') => Ok(if is_set { word } else { String::new() }),
                    Some('?') if is_set => Ok(self.value(&name)),
                    Some('?') if word.is_empty() => Err(format!("`{name}` is not set")),
                    Some('?') => Err(format!("`{name}` is not set: {word}")),
                    _ => Err(format!("`${{{name}:…}}` takes `:-`, `:+` or `:?`")),
                }
            }
            Some(c) => Err(format!("`${{{name}{c}…}}` is not understood by this builder")),
            None => Err("a `${` is never closed".to_owned()),
        }
    }

    fn value(&self, name: &str) -> String {
        self.variables.get(name).cloned().unwrap_or_default()
    }
}

fn variable_name(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut name = String::new();
    // `$1` and `$@` are variables of one letter, which nobody sets.
    if let Some(c) = rest.next_if(|c| c.is_ascii_digit() || *c == '@') {
        return c.to_string();
    }
    while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
        name.push(c);
    }
    name
}

/// The fields of a line, quotes kept: blanks inside quotes and behind an escape do not split.
pub(in crate::docker) fn fields(line: &str, escape: char) -> Vec<String> {
    let (mut found, mut field, mut quote) = (Vec::new(), String::new(), None);
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match (c, quote) {
            (c, None) if c.is_whitespace() => {
                if !field.is_empty() {
                    found.push(std::mem::take(&mut field));
                }
                continue;
            }
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            (c, quote) if c == escape && quote != Some('\'') => {
                field.push(c);
                field.extend(rest.next());
                continue;
            }
            _ => {}
        }
        field.push(c);
    }
    if !field.is_empty() {
        found.push(field);
    }
    found
}

/// `ENV` and `LABEL`: `name=value …`, or the old form `name value` with all the rest as the value.
/// Quotes and variables are still in them.
///
/// # Errors
///
/// What is wrong with the line.
pub(in crate::docker) fn pairs(line: &str, escape: char) -> Result<Vec<(String, String)>, String> {
    let fields = fields(line, escape);
    let first = fields.first().map_or("", String::as_str);
    if !first.contains('=') {
        let name = line.split_whitespace().next().unwrap_or_default();
        let value = line.trim_start()[name.len()..].trim();
        if value.is_empty() {
            return Err(format!("`{name}` has no value"));
        }
        return Ok(vec![(name.to_owned(), value.to_owned())]);
    }
    let split = |field: &String| match field.split_once('=') {
        Some(("", _)) => Err(format!("`{field}` has no name before `=`")),
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err(format!("`{field}` has no value: write `{field}=…`")),
    };
    fields.iter().map(split).collect()
}

/// A text without its line continuations: an escape at the end of a line, with blanks behind it,
/// and comment and empty lines that follow.
pub(in crate::docker) fn joined(text: &str, escape: char) -> String {
    let mut whole = String::new();
    let mut goes_on = false;
    for line in text.lines() {
        let is_comment = line.trim_start().starts_with('#') || line.trim().is_empty();
        if goes_on && is_comment {
            continue;
        }
        match line.trim_end().strip_suffix(escape) {
            Some(begin) => {
                whole.push_str(begin);
                goes_on = true;
            }
            None => {
                whole.push_str(line);
                goes_on = false;
            }
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn scope() -> Scope {
        let variables = [("A", "1"), ("E", ""), ("W", "x  y"), ("PATH", "/bin")];
        let variables = variables.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        Scope { variables, escape: '\\' }
    }

    /// Taken from the table of Docker's lexer,
    /// <https://github.com/moby/buildkit/blob/v0.13.0/frontend/dockerfile/shell/envVarTest> (Apache-2.0).
    #[test]
    fn quotes_and_variables_are_read_as_docker_does() {
        for (word, meaning) in [
            ("hello", "hello"),
            ("he'll'o", "hello"),
            (r"he\'llo", "he'llo"),
            (r"he\\'llo'", r"he\llo"),
            (r#""hel'lo""#, "hel'lo"),
            (r#""hel\"lo""#, r#"hel"lo"#),
            (r#""a\b""#, r"a\b"),
            (r"'a\b$A'", r"a\b$A"),
            ("a$A.b", "a1.b"),
            ("a${A}b", "a1b"),
            (r"\$A", "$A"),
            (r#""\$A""#, "$A"),
            ("$unset|", "|"),
            ("$", "$"),
            ("a$-", "a$-"),
            ("${E:-x}", "x"),
            ("${E-x}", ""),
            ("${A:+y}", "y"),
            ("${E:+y}", ""),
            ("${E+y}", "y"),
            ("${u:-${A}$A}", "11"),
            ("${u:-'}'}", "}"),
            ("${A:?no}", "1"),
            ("$PATH:/x", "/bin:/x"),
            ("$1$@x", "x"),
            ("${A}\\", "1\\"),
        ] {
            assert_eq!(scope().word(word).as_deref(), Ok(meaning), "{word}");
        }
        for word in ["'a", "\"a", "${", "${A", "${:x}", "${A:x}", "${A%x}", "${u:?}"] {
            assert!(scope().word(word).is_err(), "{word}");
        }
        assert_eq!(scope().word("${u:?is needed}").unwrap_err(), "`u` is not set: is needed");
    }

    #[test]
    fn here_documents_keep_their_quotes() {
        assert_eq!(
            scope().raw("\"$A\" '${A}' \\$A \\\\ $u\n").as_deref(),
            Ok("\"1\" '1' $A \\ \n")
        );
        assert!(scope().raw("${").is_err());
    }

    #[test]
    fn lines_are_split_into_pairs() {
        let pairs = |line| {
            pairs(line, '\\')
                .map(|found| found.into_iter().map(|(k, v)| format!("{k}→{v}")).collect::<Vec<_>>())
        };
        assert_eq!(
            pairs(r#"a=1 b="x y" c=x\ y d='#'"#).unwrap(),
            ["a→1", "b→\"x y\"", "c→x\\ y", "d→'#'"]
        );
        assert_eq!(pairs("name  a value = b ").unwrap(), ["name→a value = b"]);
        assert_eq!(pairs("a=b=c d=").unwrap(), ["a→b=c", "d→"]);
        assert_eq!(pairs("a=1 b").unwrap_err(), "`b` has no value: write `b=…`");
        assert_eq!(pairs("a").unwrap_err(), "`a` has no value");
        assert_eq!(pairs("=a").unwrap_err(), "`=a` has no name before `=`");
    }

    #[test]
    fn variables_may_make_several_words() {
        assert_eq!(scope().words("$W").unwrap(), ["x", "y"]);
        assert_eq!(scope().words("\"a b\"").unwrap(), ["a b"]);
        assert!(scope().words("$u").unwrap().is_empty());
    }

    #[test]
    fn continued_lines_are_joined() {
        assert_eq!(joined("echo a \\\n  # no\n\n  b", '\\'), "echo a   b");
        assert_eq!(joined("a `  \r\nb", '`'), "a b");
        assert_eq!(joined("a \\ b", '\\'), "a \\ b");
    }
}
