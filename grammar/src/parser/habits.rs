//! Habits of other tools: what parses there and not here gets a message of its own.

use super::{Rule, expected::token, lower::Lower};
use crate::{
    diagnostic::{Code, Diagnostic, similar},
    span::{SourceId, Span},
};

/// A line that could not be read.
struct Line<'a> {
    source: SourceId,
    /// Where `text` begins in the file.
    start: usize,
    /// Its code, without the blanks and comments around it; may go over several lines.
    text: &'a str,
    /// Its first line.
    first: &'a str,
    /// The word that it begins with.
    word: &'a str,
    /// What follows the word on its line, without blanks.
    behind: &'a str,
    top_level: bool,
}

impl<'a> Line<'a> {
    fn new(source: SourceId, base: usize, part: &'a str, top_level: bool) -> Self {
        let mut rest = part;
        loop {
            rest = rest.trim_start_matches('\u{feff}').trim_start();
            match rest.strip_prefix('#') {
                Some(comment) => rest = comment.find('\n').map_or("", |n| &comment[n..]),
                None => break,
            }
        }
        let start = base + part.len() - rest.len();
        let text = rest.trim_end();
        let first = text.lines().next().unwrap_or("").trim_end();
        let word = token(first);
        let behind = first[word.len()..].trim_start();
        Self { source, start, text, first, word, behind, top_level }
    }

    fn span(&self, text: &str) -> Span {
        let at = text.as_ptr() as usize - self.text.as_ptr() as usize;
        Span::new(self.source, self.start + at, self.start + at + text.len())
    }

    fn foreign(&self, at: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(Code::FOREIGN_SYNTAX, self.span(at), message)
    }
}

/// A habit: says what is wrong when a line shows it.
type Habit = fn(&Line<'_>) -> Option<Diagnostic>;

const HABITS: [Habit; 22] = [
    comment,
    yaml,
    github,
    template,
    groovy_blocks,
    groovy_call,
    groovy_words,
    dockerfile,
    export,
    function,
    run_word,
    logic,
    semicolon,
    spaced_call,
    assignment,
    negation,
    ternary,
    dollar,
    lone_else,
    bare_record,
    command_without_dollar,
    misspelt,
];

/// What is wrong with a slice at the top level, if it is a known habit.
pub(super) fn item(lower: &Lower<'_, '_>, base: usize, part: &str) -> Option<Diagnostic> {
    let line = Line::new(lower.source, base, part, true);
    HABITS.iter().find_map(|habit| habit(&line)).or_else(|| misplaced(&line))
}

/// What is wrong with a line in a block, if it is a known habit.
pub(super) fn statement(lower: &Lower<'_, '_>, base: usize, part: &str) -> Option<Diagnostic> {
    let line = Line::new(lower.source, base, part, false);
    misplaced_in_block(&line).or_else(|| HABITS.iter().find_map(|habit| habit(&line)))
}

/// `// a comment`, `/* a comment */`
fn comment(line: &Line<'_>) -> Option<Diagnostic> {
    let text = line.first.strip_prefix("//").or_else(|| line.first.strip_prefix("/*"))?;
    let text = text.trim_end_matches("*/").trim();
    Some(
        line.foreign(line.first, "a comment begins with `#`")
            .label("not a comment here")
            .help(format!("write `# {text}`")),
    )
}

/// `- name: build`
fn yaml(line: &Line<'_>) -> Option<Diagnostic> {
    let dash = line.first.starts_with("- ");
    let keys = ["stages", "jobs", "steps", "script", "image", "services", "on", "name", "version"];
    let key = line.top_level && line.behind.starts_with(':') && keys.contains(&line.word);
    (dash || key).then(|| {
        line.foreign(line.first, "this is YAML, and a Pipelinefile is none")
            .label(if dash { "an item of a YAML list" } else { "a key of YAML" })
            .help("a stage is `stage build { … }`, a command in it `$ make`, a list `[a, b]`")
    })
}

/// `${{ github.sha }}`
fn github(line: &Line<'_>) -> Option<Diagnostic> {
    let at = line.text.find("${{")?;
    let end = line.text[at..].find("}}").map_or(line.text.len(), |n| at + n + 2);
    let inner = line.text[at + 3..end].trim_end_matches("}}").trim();
    let shown = match inner {
        "github.sha" => "git.commit",
        "github.ref_name" => "git.branch",
        other => other,
    };
    Some(
        line.foreign(&line.text[at..end], "`${{ … }}` is GitHub's; here a value is `#{…}`")
            .label("means nothing here")
            .help(format!("write `#{{{shown}}}`")),
    )
}

/// `{{ image }}`
fn template(line: &Line<'_>) -> Option<Diagnostic> {
    let at = line.first.find("{{")?;
    let end = line.first[at..].find("}}")? + at + 2;
    let inner = line.first[at + 2..end - 2].trim();
    Some(
        line.foreign(
            &line.first[at..end],
            "`{{ … }}` belongs to a template; here a value is `#{…}`",
        )
        .help(format!("write `#{{{inner}}}`")),
    )
}

/// `stages {`, `steps {`, `agent any`
fn groovy_blocks(line: &Line<'_>) -> Option<Diagnostic> {
    let opens = line.behind.starts_with('{');
    let (label, help) = match line.word {
        "stages" if opens => {
            ("not needed here", "write the stages one below the other: `stage build { … }`")
        }
        "steps" if opens => (
            "not needed here",
            "write the statements into the stage itself: `stage build { $ make }` over three lines",
        ),
        "agent" => (
            "of Jenkins",
            "say where a stage runs with `using docker.container(\"…\")`; without it, here",
        ),
        "environment" if opens => ("of Jenkins", "write `env { NAME: \"value\" }`"),
        "post" if opens => {
            ("of Jenkins", "write `on success { … }`, `on failure { … }` or `always { … }`")
        }
        "options" if opens => {
            ("of Jenkins", "write `timeout 1h`, `retry 2` behind the name of a stage")
        }
        "parameters" if opens => {
            ("of Jenkins", "write `param name: string = \"default\"` at the top level")
        }
        "try" | "catch" | "finally" if opens => (
            "nothing is caught here",
            "let it fail: `may_fail` before a statement; or react: `on failure { … }` at the end of the stage",
        ),
        "while" | "until" | "loop" | "do" => (
            "no such loop here",
            "wait with `retry within 10m every 5s { … }`, or go over a list with `for x in xs { … }`",
        ),
        "triggers" | "tools" if opens => {
            ("of Jenkins", "when a pipeline starts and what is installed, the Jenkins job says")
        }
        "pipeline" if opens => {
            ("of Jenkins", "write the stages at the top level; a name is `pipeline \"shop\" { … }`")
        }
        _ => return None,
    };
    let message = match line.word {
        word @ ("try" | "catch" | "finally" | "while" | "until" | "loop" | "do") => {
            format!("`{word}` is not of this language")
        }
        word => format!("`{word}` is Jenkins' Groovy, and a Pipelinefile is none"),
    };
    Some(line.foreign(line.word, message).label(label).help(help))
}

/// `stage("Build")`, `stage 'Build'`
fn groovy_call(line: &Line<'_>) -> Option<Diagnostic> {
    if line.word != "stage" || !line.behind.starts_with(['(', '"', '\'']) {
        return None;
    }
    let title = line.behind.trim_start_matches('(').trim_start_matches(['"', '\'']);
    let title = title.split(['"', '\'']).next().unwrap_or("");
    let name: String = title
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let written = line.behind.find(')').map_or(title, |n| &line.behind[..=n]);
    let plain = if name == title { String::new() } else { format!(" \"{title}\"") };
    Some(
        line.foreign(
            if line.behind.starts_with('(') { written } else { line.word },
            "a stage has a name, not an argument",
        )
        .label("a name was expected")
        .help(format!("write `stage {name}{plain} {{`")),
    )
}

/// `def x = 1`, `sh 'make'`, `echo "x"`
fn groovy_words(line: &Line<'_>) -> Option<Diagnostic> {
    let word = line.word;
    if matches!(word, "def" | "var" | "const" | "val" | "set" | "local") {
        let name = token(line.behind);
        let assigned = line.behind[name.len()..].trim_start().starts_with('=');
        if assigned && !name.is_empty() {
            let value = line.behind[name.len()..].trim_start().trim_start_matches('=').trim();
            return Some(
                line.foreign(word, format!("`{word}` is not of this language"))
                    .label("write `let`")
                    .help(format!("`let {name} = {value}`")),
            );
        }
    }
    let quoted = line.behind.starts_with(['"', '\'']);
    if matches!(word, "sh" | "bat" | "bash" | "run" | "exec") && quoted {
        let command = line.behind.trim_matches(['"', '\'']);
        return Some(
            line.foreign(word, "a command begins with `$`")
                .label("not with this")
                .help(format!("write `$ {command}`")),
        );
    }
    None
}

/// `FROM busybox`
fn dockerfile(line: &Line<'_>) -> Option<Diagnostic> {
    let words = [
        "FROM",
        "RUN",
        "COPY",
        "ADD",
        "CMD",
        "ENTRYPOINT",
        "WORKDIR",
        "EXPOSE",
        "ENV",
        "ARG",
        "USER",
        "LABEL",
        "VOLUME",
    ];
    (words.contains(&line.word) && !line.behind.is_empty()).then(|| {
        line.foreign(line.first, "this line belongs into a Dockerfile")
            .label("an instruction of Docker's")
            .help("build it with `docker.build(\".\", tag: \"name:tag\")`")
    })
}

/// `export LEVEL=debug`
fn export(line: &Line<'_>) -> Option<Diagnostic> {
    let (name, value) = line.behind.split_once('=').filter(|_| line.word == "export")?;
    let value = value.trim().trim_matches(['"', '\'']);
    Some(
        line.foreign(
            line.word,
            "every command is a shell of its own: nothing is exported to the next",
        )
        .label("of the shell")
        .help(format!("write `env {{ {}: \"{value}\" }}`, for the rest of the block", name.trim())),
    )
}

/// `function label() {`, `def label(text) {`
fn function(line: &Line<'_>) -> Option<Diagnostic> {
    let word = ["function", "func", "def", "fun"].contains(&line.word);
    let name = token(line.behind);
    if !word || !line.behind[name.len()..].starts_with('(') || name.is_empty() {
        return None;
    }
    Some(
        line.foreign(line.word, "a function is declared with `fn`")
            .label("write `fn`")
            .help(format!("`fn {}`", line.behind)),
    )
}

/// `run: make`, `script: …` in a block
fn run_word(line: &Line<'_>) -> Option<Diagnostic> {
    let key = matches!(line.word, "run" | "script" | "command" | "cmd" | "shell");
    if !key || !line.behind.starts_with([':', '=']) {
        return None;
    }
    let command = line.behind[1..].trim().trim_matches(['"', '\'', '|']).trim();
    let shown = if command.is_empty() { "make" } else { command };
    Some(
        line.foreign(line.word, "a command begins with `$`")
            .label("not with this")
            .help(format!("write `$ {shown}`")),
    )
}

/// `a() && b()`, `a || b`
fn logic(line: &Line<'_>) -> Option<Diagnostic> {
    let at = outside_strings(line.first, |rest| rest.starts_with("&&") || rest.starts_with("||"))?;
    let found = &line.first[at..at + 2];
    let word = if found == "&&" { "and" } else { "or" };
    let condition = matches!(line.word, "if" | "when" | "let" | "require" | "stage");
    if !condition && looks_like_shell(line) {
        return None;
    }
    let help = if condition {
        format!("write `{word}`")
    } else if found == "&&" {
        "write the second on a line of its own: it runs when the first has succeeded".to_owned()
    } else {
        "write `may_fail` before a call that may fail, or `if` with what decides".to_owned()
    };
    Some(line.foreign(found, format!("`{found}` is not of this language")).help(help))
}

/// `a(); b()`
fn semicolon(line: &Line<'_>) -> Option<Diagnostic> {
    let at = outside_strings(line.text, |rest| rest.starts_with(';'))?;
    if looks_like_shell(line) && at + 1 < line.text.len() {
        return None;
    }
    let found = &line.text[at..=at];
    let problem = line.foreign(found, "a statement ends with its line, without `;`");
    Some(if at + 1 == line.text.len() {
        problem.label("remove this").help("remove the `;`")
    } else {
        problem.label("begin a new line here").help("put each statement on a line of its own")
    })
}

/// `docker.build (".")`
fn spaced_call(line: &Line<'_>) -> Option<Diagnostic> {
    let bytes = line.first.as_bytes();
    let at = outside_strings(line.first, |rest| rest.starts_with(" ("))?;
    let name_end = line.first[..at].trim_end().len();
    let before = line.first[..name_end].rsplit([' ', '(', ',', '=']).next().unwrap_or("");
    let word = !before.is_empty()
        && before.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        && ![
            "if", "when", "in", "and", "or", "not", "for", "return", "fail", "skip", "matches",
            "else", "then", "using", "lock",
        ]
        .contains(&before);
    if !word || bytes.get(name_end) != Some(&b' ') {
        return None;
    }
    let gap = &line.first[name_end..=at];
    Some(
        line.foreign(gap, "a `(` touches what it calls")
            .label("remove this blank")
            .help(format!("write `{before}(`")),
    )
}

/// `image = "demo:1"`
fn assignment(line: &Line<'_>) -> Option<Diagnostic> {
    let name = line.word;
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let assigned = line.behind.starts_with('=') && !line.behind.starts_with("==");
    if !named || !assigned {
        return None;
    }
    let value = line.behind[1..].trim();
    Some(
        line.foreign(name, format!("`{name}` is bound with `let`"))
            .label("`let` is missing before this")
            .help(format!("write `let {name} = {value}`")),
    )
}

/// `if !x {`
fn negation(line: &Line<'_>) -> Option<Diagnostic> {
    let at = outside_strings(line.first, |rest| {
        rest.starts_with('!') && !rest.starts_with("!=") && rest.len() > 1
    })?;
    Some(line.foreign(&line.first[at..=at], "`!` is not of this language").help("write `not`"))
}

/// `c ? a : b`
fn ternary(line: &Line<'_>) -> Option<Diagnostic> {
    let at = outside_strings(line.first, |rest| rest.starts_with(" ? "))?;
    line.first[at..].contains(" : ").then(|| {
        line.foreign(&line.first[at + 1..at + 2], "`?` and `:` are not of this language")
            .help("write `if c then a else b`")
    })
}

/// `$make`
fn dollar(line: &Line<'_>) -> Option<Diagnostic> {
    let command = line.first.strip_prefix('$').filter(|c| c.starts_with(char::is_alphanumeric))?;
    Some(
        Diagnostic::error(
            Code::SYNTAX,
            line.span(&line.first[..1]),
            "a blank is missing behind `$`",
        )
        .label("a command begins with `$` and a blank")
        .help(format!("write `$ {command}`")),
    )
}

/// `else {` behind no `if`
fn lone_else(line: &Line<'_>) -> Option<Diagnostic> {
    (line.word == "else").then(|| {
        Diagnostic::error(Code::SYNTAX, line.span(line.word), "this `else` belongs to no `if`")
            .label("no `if` ends before this")
            .help("it follows the `}` of an `if`: `if a { … } else { … }`")
    })
}

/// `if { a: 1 } == x {`
fn bare_record(line: &Line<'_>) -> Option<Diagnostic> {
    let head = matches!(line.word, "if" | "when") && line.behind.starts_with('{');
    head.then(|| {
        let what = format!("what stands behind `{}` does not begin with `{{`", line.word);
        Diagnostic::error(Code::SYNTAX, line.span(&line.behind[..1]), what)
            .label("a block would begin here")
            .help(format!("put it into parentheses: `{} (…) {{`", line.word))
    })
}

/// `docker build -t x .`, `./deploy.sh`, `npm ci`
fn command_without_dollar(line: &Line<'_>) -> Option<Diagnostic> {
    looks_like_shell(line).then(|| {
        let message = if line.top_level {
            "a command stands in a stage, and begins with `$`"
        } else {
            "a command begins with `$`"
        };
        let shown = line.first;
        let help = if line.top_level {
            format!("write `stage build {{`, and in it `$ {shown}`")
        } else {
            format!("write `$ {shown}`")
        };
        line.foreign(line.first, message).label("looks like a command").help(help)
    })
}

/// Two bare words, a flag, or a path to a program.
fn looks_like_shell(line: &Line<'_>) -> bool {
    if line.first.starts_with("./") || line.first.starts_with('/') || line.first.starts_with("../")
    {
        return true;
    }
    let ours = [
        "let", "output", "if", "for", "parallel", "return", "fail", "skip", "on", "always", "step",
        "secret", "retry", "timeout", "env", "cd", "may_fail", "hold", "stage", "param", "connect",
        "type", "fn", "import", "edition", "require", "pipeline", "else", "needs", "when", "using",
    ];
    if line.first.ends_with('{')
        || ours.contains(&line.word)
        || !line.word.starts_with(|c: char| c.is_ascii_lowercase())
    {
        return false;
    }
    let words: Vec<&str> = line.first.split_whitespace().collect();
    let [first, second, ..] = words.as_slice() else {
        return ["make", "ls", "pwd", "true", "false"].contains(&line.first);
    };
    let bare =
        first.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '.'));
    let plain = second.starts_with(|c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | '$' | '"' | '\'' | '~')
    });
    bare && plain && !matches!(*second, "and" | "or" | "in" | "matches" | "as")
}

/// `sage build {`, `paramm x: int`
fn misspelt(line: &Line<'_>) -> Option<Diagnostic> {
    let words: &[&str] = if line.top_level {
        &[
            "stage", "param", "secret", "connect", "let", "type", "fn", "import", "edition",
            "require", "pipeline", "always",
        ]
    } else {
        &["let", "output", "step", "parallel", "always", "return", "secret", "retry", "timeout"]
    };
    let named =
        line.behind.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '"'));
    if !named || words.contains(&line.word) || line.word.len() < 3 {
        return None;
    }
    let found = similar(line.word, words.iter().copied());
    let meant = found.first()?;
    let what = if line.top_level { "declaration" } else { "statement" };
    Some(
        line.foreign(line.word, format!("no {what} begins with `{}`", line.word))
            .help(format!("did you mean `{meant}`?")),
    )
}

/// A statement at the top level.
fn misplaced(line: &Line<'_>) -> Option<Diagnostic> {
    let statement = ["$", "if", "for", "output", "step", "parallel", "return", "fail", "skip"];
    let call =
        line.behind.starts_with('(') || line.behind.starts_with('.') && line.first.contains('(');
    (statement.contains(&line.word) || call).then(|| {
        Diagnostic::error(Code::MISPLACED, line.span(line.first), "this belongs into a stage")
            .label("at the top level nothing runs")
            .help("put it into a stage: `stage build { … }`")
    })
}

/// A declaration, or a clause of a stage, in a block.
fn misplaced_in_block(line: &Line<'_>) -> Option<Diagnostic> {
    let declarations =
        ["stage", "param", "fn", "connect", "require", "type", "import", "edition", "pipeline"];
    let clauses = [
        "needs",
        "after",
        "when",
        "using",
        "approve",
        "lock",
        "at_once",
        "keep_going",
        "workspace",
    ];
    let begins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '\'' | '(');
    let touches = line.first[line.word.len()..].starts_with(['(', '.', '[']);
    if touches || !(line.behind.starts_with(begins) || line.behind.is_empty()) {
        return None;
    }
    let problem = |what: String| Diagnostic::error(Code::MISPLACED, line.span(line.word), what);
    if declarations.contains(&line.word) && !line.behind.is_empty() {
        return Some(
            problem(format!("`{}` stands at the top of the file, not in a block", line.word))
                .label("a declaration")
                .help("move it out, above the stage"),
        );
    }
    clauses.contains(&line.word).then(|| {
        problem(format!("`{}` is a clause of a stage, not a statement", line.word))
            .label("the block has begun already")
            .help(format!("write it before the `{{`: `stage name {} {{`", line.first))
    })
}

/// Signs and words of other languages where an operator, a value or a `:` was expected; `at` is
/// the place in `part`, which begins at `base`, where the reading stopped; `wants` tells what could
/// have followed.
pub(super) fn sign(
    source: SourceId,
    base: usize,
    part: &str,
    at: usize,
    wants: &dyn Fn(Rule) -> bool,
) -> Option<Diagnostic> {
    let (before, rest) = part.split_at(at);
    let foreign = |start: usize, end: usize, help: String| {
        let sign = &part[start..end];
        let span = Span::new(source, base + start, base + end);
        Diagnostic::error(Code::FOREIGN_SYNTAX, span, format!("`{sign}` is not of this language"))
            .help(help)
    };
    for (sign, word) in [("&&", "and"), ("||", "or"), ("elif", "else if"), ("elsif", "else if")] {
        if rest.starts_with(sign) {
            return Some(foreign(at, at + sign.len(), format!("write `{word}`")));
        }
    }
    if rest.starts_with('!') && !rest.starts_with("!=") {
        return Some(foreign(at, at + 1, "write `not`".to_owned()));
    }
    if rest.starts_with("=>") {
        return Some(foreign(at, at + 2, "write `:` between a name and its value".to_owned()));
    }
    if rest.starts_with('=') {
        return equals(part, at, wants(Rule::colon), &foreign);
    }
    if rest.starts_with('.') && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
        let digits =
            rest[1..].len() - rest[1..].trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = &rest[..=digits];
        let span = Span::new(source, base + at, base + at + number.len());
        return Some(
            Diagnostic::error(Code::SYNTAX, span, format!("`{number}` lacks its whole part"))
                .help(format!("write `0{number}`")),
        );
    }
    let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let called = before.ends_with(' ') && before.trim_end().ends_with(name);
    if called && rest.starts_with('[') && !wants(Rule::kw_in) {
        let gap = before.trim_end().len();
        let span = Span::new(source, base + at, base + at + 1);
        let word = before[..gap].rsplit(|c| !name(c)).next().unwrap_or("");
        return Some(
            Diagnostic::error(Code::SYNTAX, span, "a `[` touches what it looks into")
                .label("a blank stands before this")
                .help(format!("write `{word}[`; between two items stands a `,`")),
        );
    }
    let head_goes_on = wants(Rule::open_brace) || wants(Rule::block) || wants(Rule::clause);
    hyphen(source, base, part, at)
        .or_else(|| head_goes_on.then(|| clause(source, base, part, at)).flatten())
}

/// `timout 5m` between the name of a stage and its block
fn clause(source: SourceId, base: usize, part: &str, at: usize) -> Option<Diagnostic> {
    const CLAUSES: [&str; 15] = [
        "for",
        "needs",
        "after",
        "when",
        "using",
        "approve",
        "lock",
        "retry",
        "timeout",
        "may_fail",
        "at_once",
        "keep_going",
        "env",
        "cd",
        "workspace",
    ];
    let head = part[..at].trim_start();
    if !head.starts_with("stage ") || head.contains('{') {
        return None;
    }
    let word = token(&part[at..]);
    if !word.starts_with(|c: char| c.is_ascii_alphabetic()) || CLAUSES.contains(&word) {
        return None;
    }
    let span = Span::new(source, base + at, base + at + word.len());
    let help = match similar(word, CLAUSES).first() {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there are: {}", CLAUSES.join(", ")),
    };
    Some(
        Diagnostic::error(Code::SYNTAX, span, format!("no clause of a stage begins with `{word}`"))
            .label("a clause or `{` was expected")
            .help(help),
    )
}

/// `x += 1`, `x === y`, `name = value` among arguments
fn equals(
    part: &str,
    at: usize,
    wants_colon: bool,
    foreign: &dyn Fn(usize, usize, String) -> Diagnostic,
) -> Option<Diagnostic> {
    let before = &part[..at];
    if before.ends_with("==") || before.ends_with("!=") {
        let write = if before.ends_with("==") { "==" } else { "!=" };
        return Some(foreign(at - 2, at + 1, format!("write `{write}`")));
    }
    if before.ends_with(['+', '-', '*', '/']) {
        let help = "a name is bound once and never changes: give the new value a name of its own";
        return Some(foreign(at - 1, at + 1, help.to_owned()));
    }
    if !wants_colon {
        return None;
    }
    let name = before.trim_end().rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next()?;
    let value = token(part[at + 1..].trim_start());
    Some(foreign(at, at + 1, format!("write `{name}: {value}`")))
}

/// `let my-image = …`, `stage build-image {`
fn hyphen(source: SourceId, base: usize, part: &str, at: usize) -> Option<Diagnostic> {
    if !part[at..].starts_with('-') {
        return None;
    }
    let line = part[..at].rfind('\n').map_or(0, |n| n + 1);
    let (word, name) = part[line..at].trim_start().split_once(' ')?;
    let declares = ["let", "stage", "param", "secret", "fn", "type", "output", "for"];
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !declares.contains(&word) || name.is_empty() || !name.chars().all(plain) {
        return None;
    }
    let start = at - name.len();
    let length = part[start..].find(|c| !plain(c)).unwrap_or(part.len() - start);
    let whole = &part[start..start + length];
    let span = Span::new(source, base + start, base + start + length);
    Some(
        Diagnostic::error(Code::SYNTAX, span, "a name has no `-` in it")
            .label("a name was expected")
            .help(format!("write `{}`", whole.replace('-', "_"))),
    )
}

/// The first place outside `"…"` and `'…'` where the rest of the text passes a test.
fn outside_strings(text: &str, test: impl Fn(&str) -> bool) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') => return None,
            (None, _) if test(&text[at..]) => return Some(at),
            (None, _) => {}
        }
    }
    None
}
