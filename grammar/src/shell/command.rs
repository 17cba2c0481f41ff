//! The simple command that is being read: what its words mean to it.

use std::ops::Range;

use super::program::{Operands, Program, Reads};
use super::word::Word;

/// A simple command: a name and arguments.
#[derive(Default)]
pub(super) struct Command {
    /// Where its first word begins.
    pub(super) start: usize,
    /// Behind its last word.
    pub(super) end: usize,
    /// Its words, the name included.
    pub(super) words: usize,
    /// The literal name without folders.
    pub(super) name: Option<String>,
    /// Which of its commands the words belong to now: `sh` in `docker exec it sh -c`.
    program: Option<&'static Program>,
    /// Under which name it was called.
    called: Option<String>,
    /// Words that the last option still takes.
    pending: Option<(usize, Reads)>,
    /// Its options are over for its own reading.
    ended: bool,
    operands: usize,
    /// An option has given what the first operand would be otherwise.
    instead: bool,
    /// `-c` of a shell.
    script: bool,
    /// `-s` of a shell.
    stdin: bool,
    /// `--entrypoint sh`: a later `-c` belongs to that shell.
    entrypoint: Option<String>,
    /// No word can be an option any more.
    pub(super) options_over: bool,
    /// `rm` has been told to go into folders.
    recursive: bool,
    /// `declare -i` and its like have been seen.
    attributes: Attributes,
    /// The holes of `[` and `test`, which read few operands by their number.
    pub(super) operand_holes: Vec<usize>,
    /// The holes of its here-strings.
    pub(super) input_holes: Vec<usize>,
}

/// What of a command's words and input goes through it to the next one in a pipe.
#[derive(Default)]
pub(super) struct Feed {
    /// Holes.
    pub(super) holes: Vec<usize>,
    /// Here-documents whose bodies have not begun, as indices of the announced ones.
    pub(super) documents: Range<usize>,
}

#[derive(Clone, Copy, Default)]
struct Attributes {
    integer: bool,
    reference: bool,
    array: bool,
}

impl Command {
    /// Takes the next word and says what the command makes of it.
    pub(super) fn word(&mut self, word: &Word, end: usize) -> Reads {
        if self.words == 0 {
            self.start = word.start;
        }
        self.end = end;
        self.words += 1;
        if self.words == 1 {
            self.name = word.text().map(|text| base_name(text).to_owned());
            self.call(self.name.clone());
            return Reads::Data;
        }
        match self.called.as_deref() {
            Some("[" | "test") => return self.test(word),
            Some("declare" | "typeset" | "local" | "readonly" | "export") => {
                return self.declaration(word);
            }
            Some("rm") => self.removal(word),
            _ => {}
        }
        self.argument(word)
    }

    /// The words that follow belong to the command of this name.
    fn call(&mut self, name: Option<String>) {
        self.program = name.as_deref().and_then(Program::find);
        self.called = name;
        self.pending = None;
        self.ended = false;
        self.operands = 0;
        self.options_over = false;
    }

    fn argument(&mut self, word: &Word) -> Reads {
        if let Some((words, reads)) = self.pending.take() {
            if words > 1 {
                self.pending = Some((words - 1, reads));
            }
            return reads;
        }
        let wraps = self.program.is_none_or(|p| matches!(p.operands, Operands::Command(_)));
        if wraps {
            if let Some(reads) = self.entrypoint(word) {
                return reads;
            }
            // `docker exec it sh -c`, `find -exec sh -c`: wherever a shell's name stands.
            if let Some(shell) = word.text().map(base_name).filter(|t| Program::shell(t).is_some())
            {
                self.call(Some(shell.to_owned()));
                return Reads::Data;
            }
        }
        let prefix = word.prefix();
        let option = matches!(prefix.first(), Some(b'-' | b'+')) && word.text() != Some("-");
        if !self.ended && option {
            return self.option(word);
        }
        let Some(program) = self.program else { return Reads::Data };
        self.operand(program, word)
    }

    fn option(&mut self, word: &Word) -> Reads {
        let prefix = word.prefix();
        if word.text() == Some("--") {
            self.ended = true;
            self.options_over = true;
            return Reads::Data;
        }
        let Some(program) = self.program else { return Reads::Data };
        let prefix = String::from_utf8_lossy(prefix).into_owned();
        if prefix.starts_with("--") {
            let name = prefix.split('=').next().unwrap_or_default();
            let Some((words, reads)) = program.option(name) else { return Reads::Data };
            self.instead |= reads != Reads::Data || name.contains("file");
            if name.len() < prefix.len() {
                return reads;
            }
            self.pending = Some((words, reads));
            return Reads::Data;
        }
        let shell = program.operands == Operands::Shell;
        let letters = prefix.char_indices().skip(1);
        for (at, letter) in letters {
            self.instead |= program.instead.contains(letter);
            self.script |= shell && letter == 'c';
            self.stdin |= shell && letter == 's';
            let mut buffer = [0; 4];
            if let Some((words, reads)) = program.option(letter.encode_utf8(&mut buffer)) {
                self.instead |= reads != Reads::Data;
                let attached = at + letter.len_utf8() < prefix.len() || word.text().is_none();
                if attached && !shell {
                    return reads;
                }
                self.pending = Some((words, reads));
            }
        }
        // The value would choose the options of the shell.
        if shell && word.text().is_none() { Reads::Script } else { Reads::Data }
    }

    fn operand(&mut self, program: &'static Program, word: &Word) -> Reads {
        if let Operands::Command(before) = program.operands {
            let assignment = word.assigned.is_some() && self.operands == 0;
            if assignment {
                return Reads::Data;
            }
            if self.operands == before {
                self.call(word.text().map(|text| base_name(text).to_owned()));
                return Reads::Data;
            }
        }
        if program.operands == Operands::Data && word.text() == Some("-") {
            // `python3 -`: the program comes by standard input.
            return Reads::Data;
        }
        if program.operands == Operands::Subcommand {
            let called = self.called.as_deref().unwrap_or_default();
            let name = word.text().map(|text| format!("{called} {text}"));
            self.call(name);
            return Reads::Data;
        }
        let number = self.operands;
        self.operands += 1;
        if program.options_end || program.operands == Operands::Shell {
            self.ended = true;
            self.options_over |= program.options_end || self.script;
        }
        match program.operands {
            Operands::First(reads) if number == 0 && !self.instead => reads,
            Operands::Second(reads) if number == 1 => reads,
            Operands::From(first, reads) if number >= first => {
                self.ended = true;
                if number == 1 && self.called.as_deref() == Some("ssh") {
                    self.stdin =
                        word.text().is_some_and(|t| Program::shell(base_name(t)).is_some());
                }
                reads
            }
            Operands::Shell if number == 0 && self.script => Reads::Script,
            _ => Reads::Data,
        }
    }

    /// `docker run --entrypoint sh image -c '…'`: the script is far from the shell's name.
    fn entrypoint(&mut self, word: &Word) -> Option<Reads> {
        let text = word.text()?;
        if self.entrypoint.as_deref() == Some("") {
            self.entrypoint = Program::shell(base_name(text)).map(|_| base_name(text).to_owned());
            return Some(Reads::Data);
        }
        if let Some(entry) = text.strip_prefix("--entrypoint") {
            self.entrypoint = match entry.strip_prefix('=') {
                Some(name) => Program::shell(base_name(name)).map(|_| base_name(name).to_owned()),
                None => Some(String::new()),
            };
            return Some(Reads::Data);
        }
        if text.len() > 1
            && text.starts_with('-')
            && text.ends_with('c')
            && !text[1..].contains('-')
        {
            self.called = Some(self.entrypoint.take()?);
            self.pending = Some((1, Reads::Script));
            return Some(Reads::Data);
        }
        None
    }

    /// `[` and `test`: behind `-v` and `-R` bash reads the name of a variable.
    fn test(&mut self, word: &Word) -> Reads {
        let named = self.pending.take().is_some();
        if matches!(word.text(), Some("-v" | "-R")) {
            self.pending = Some((1, Reads::Variable));
        }
        if word.text() != Some("]") {
            self.operands += 1;
        }
        if named { Reads::Variable } else { Reads::Data }
    }

    /// Whether `[` or `test` has so few operands that POSIX fixes which of them is the operator.
    pub(super) fn is_short_test(&self) -> bool {
        matches!(self.called.as_deref(), Some("[" | "test")) && self.operands <= 3
    }

    /// `declare` and its like: names, with or without a value.
    fn declaration(&mut self, word: &Word) -> Reads {
        let prefix = word.prefix();
        if matches!(prefix.first(), Some(b'-' | b'+')) {
            self.attributes.integer |= prefix.contains(&b'i');
            self.attributes.reference |= prefix.contains(&b'n');
            self.attributes.array |= prefix.contains(&b'a') || prefix.contains(&b'A');
            return match word.text() {
                None if !matches!(self.called.as_deref(), Some("readonly" | "export")) => {
                    Reads::Variable
                }
                _ => Reads::Data,
            };
        }
        // These take no subscript.
        let plain = matches!(self.called.as_deref(), Some("readonly" | "export"));
        match self.attributes {
            _ if word.assigned.is_none() && plain => Reads::Data,
            _ if word.assigned.is_none() => Reads::Variable,
            Attributes { reference: true, .. } => Reads::Variable,
            // In `declare -a x="($v)"` bash expands once more what it finds in the parentheses.
            Attributes { array: true, .. } => Reads::Script,
            Attributes { integer: true, .. } => Reads::Integer,
            _ => Reads::Data,
        }
    }

    /// Whether it gives variables the attribute that makes every assignment arithmetic.
    pub(super) fn makes_integers(&self) -> bool {
        self.attributes.integer
    }

    fn removal(&mut self, word: &Word) {
        self.recursive |= word.text().is_some_and(|text| {
            text == "--recursive"
                || text.starts_with('-')
                    && !text.starts_with("--")
                    && text.contains(['r', 'R', 'f'])
        });
    }

    /// Whether it removes folders and what is in them.
    pub(super) fn removes(&self) -> bool {
        self.recursive
    }

    /// Under which name the current words are read, for messages.
    pub(super) fn caller(&self) -> String {
        self.called.clone().or_else(|| self.name.clone()).unwrap_or_default()
    }

    /// How it reads its standard input, if it gets no script otherwise.
    pub(super) fn input(&self) -> Reads {
        let Some(program) = self.program else { return Reads::Data };
        let called = self.called.as_deref();
        match program.operands {
            Operands::Shell if !self.script && (self.operands == 0 || self.stdin) => Reads::Script,
            Operands::From(1, Reads::Script) if self.operands <= 1 || self.stdin => Reads::Script,
            Operands::Data if self.operands == 0 && !self.instead => match called {
                Some("su" | "runuser") => Reads::Script,
                Some("python" | "python2" | "python3" | "perl" | "ruby" | "node" | "php") => {
                    Reads::Program
                }
                _ => Reads::Data,
            },
            _ => Reads::Data,
        }
    }

    /// What it writes, if that is what it was given; `feed` came from the one before it.
    pub(super) fn writes(&self, feed: Feed, documents: Range<usize>) -> Feed {
        match self.called.as_deref() {
            Some("echo" | "printf") => Feed { holes: self.operand_holes.clone(), documents: 0..0 },
            Some("cat" | "tee" | "sed" | "envsubst") if documents.is_empty() => {
                Feed { holes: [feed.holes, self.input_holes.clone()].concat(), ..feed }
            }
            Some("cat" | "tee" | "sed" | "envsubst") => Feed { documents, ..Feed::default() },
            _ => Feed::default(),
        }
    }

    /// Whether it is `read`, `export`, … whose operands become variables.
    pub(super) fn sets_variables(&self) -> bool {
        matches!(
            self.called.as_deref(),
            Some(
                "read"
                    | "export"
                    | "readonly"
                    | "local"
                    | "declare"
                    | "typeset"
                    | "mapfile"
                    | "readarray"
                    | "getopts"
                    | "printf"
            )
        )
    }
}

/// The last component of a path.
fn base_name(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}
