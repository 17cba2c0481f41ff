//! A Jenkinsfile: its stages, and those of its commands that mean the same anywhere.

/// What a Jenkinsfile says.
#[derive(Debug, Default)]
pub(super) struct Jenkinsfile {
    /// Its stages with their commands, in order.
    pub(super) stages: Vec<Stage>,
    /// The image that it builds, without a tag.
    pub(super) image: Option<String>,
    /// What is not taken over: what, and the line.
    left: Vec<(String, usize)>,
}

impl Jenkinsfile {
    /// What is not taken over, what is alike together: `Jenkinsfile:2, 4: …`.
    pub(super) fn left(&self) -> Vec<String> {
        let mut alike: Vec<(&str, Vec<String>)> = Vec::new();
        for (what, line) in &self.left {
            match alike.iter_mut().find(|(known, _)| known == what) {
                Some((_, lines)) => lines.push(line.to_string()),
                None => alike.push((what, vec![line.to_string()])),
            }
        }
        let shown = alike.iter().map(|(what, lines)| {
            let more = lines.len().saturating_sub(8);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let first: Vec<&str> = lines.iter().take(8).map(String::as_str).collect();
            format!("Jenkinsfile:{}{more}: {what}", first.join(", "))
        });
        shown.collect()
    }
}

/// A stage.
#[derive(Debug)]
pub(super) struct Stage {
    /// As it is called.
    pub(super) title: String,
    /// Its commands.
    pub(super) commands: Vec<String>,
}

/// Parts of a Jenkinsfile that are more than commands, and what a Pipelinefile has for them.
const PARTS: [(&str, &str); 13] = [
    ("parameters", "declare a `param` for each"),
    ("environment", "`env { … }` at the stage or the pipeline"),
    ("withCredentials", "declare a `secret` for each"),
    ("when", "`when …` below the stage's name"),
    ("parallel", "`after nothing`, or `parallel { … }`"),
    ("matrix", "`for x in […]` below the stage's name"),
    ("post", "`on failure { … }`, `always { … }` at the end of a stage or the file"),
    ("catch", "`on failure { … }` at the end of a stage or the file"),
    ("finally", "`always { … }` at the end of a stage or the file"),
    ("timeout", "`timeout 10m` at the stage or the pipeline"),
    ("input", ""),
    ("junit", ""),
    ("archiveArtifacts", ""),
];

/// Those whose own commands belong to no stage.
const APART: [&str; 6] = ["parameters", "environment", "when", "post", "catch", "finally"];

/// Reads a Jenkinsfile, declarative or scripted.
pub(super) fn read(text: &str) -> Jenkinsfile {
    let tokens = tokens(text);
    let mut found = Jenkinsfile::default();
    let mut place = 0;
    while let Some(token) = tokens.get(place) {
        let at = |offset: usize| tokens.get(place + offset).map(|token| &token.kind);
        let bracket = usize::from(matches!(at(1), Some(Kind::Sign('('))));
        match &token.kind {
            Kind::Word(word) if word == "stage" => {
                if let Some(Kind::Text { text, .. }) = at(1 + bracket) {
                    let title = without_values(text);
                    found.stages.push(Stage { title, commands: Vec::new() });
                }
            }
            Kind::Word(word) if word == "sh" => {
                let named = matches!(at(1 + bracket), Some(Kind::Word(word)) if word == "script");
                let script = 1 + bracket + if named { 2 } else { 0 };
                let taken = place > 0 && tokens[place - 1].kind == Kind::Sign('=');
                match at(script) {
                    Some(Kind::Text { text, values }) => {
                        command(&mut found, text, *values || taken, token.line);
                    }
                    _ => found.left.push(("`sh` with more than a script".to_owned(), token.line)),
                }
            }
            Kind::Word(word) => {
                let opens = matches!(at(1), Some(Kind::Sign('{' | '(')) | Some(Kind::Text { .. }));
                let opens = opens || word == "junit" || word == "archiveArtifacts";
                let part = PARTS.iter().find(|(part, _)| part == word).filter(|_| opens);
                if let Some((part, instead)) = part {
                    let instead =
                        if instead.is_empty() { String::new() } else { format!(": {instead}") };
                    let what = format!("`{part}`{instead}");
                    if !found.left.iter().any(|(known, _)| *known == what) {
                        found.left.push((what, token.line));
                    }
                    if APART.contains(part) {
                        place = behind_block(&tokens, place);
                        continue;
                    }
                }
            }
            _ => {}
        }
        place += 1;
    }
    found.stages.retain(|stage| !stage.commands.is_empty());
    found
}

/// A title without what Groovy puts into it: that is known in Jenkins only.
fn without_values(title: &str) -> String {
    let mut out = String::new();
    let mut rest = title;
    while let Some((before, behind)) = rest.split_once("${") {
        out.push_str(before);
        rest = behind.split_once('}').map_or("", |(_, behind)| behind);
    }
    out.push_str(rest);
    let out = out.replace("()", "");
    out.trim_matches(|c: char| !c.is_alphanumeric() && c != ')').to_owned()
}

/// The place behind the next `{ … }`.
fn behind_block(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate().skip(start) {
        match token.kind {
            Kind::Sign('{') => depth += 1,
            Kind::Sign('}') if depth <= 1 => return place + 1,
            Kind::Sign('}') => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

fn command(found: &mut Jenkinsfile, script: &str, values: bool, line: usize) {
    let lines = script_lines(script);
    if let Some(image) = lines.iter().find_map(|line| built_image(line)) {
        found.image.get_or_insert(image);
    }
    if lines.iter().all(|line| is_replaced(line)) {
        return;
    }
    let left = |why: &str| (format!("`sh`: {why}"), line);
    if values {
        found.left.push(left("Groovy puts values into it: write them as `#{…}`"));
    } else if lines.iter().any(|line| changes_the_shell(line)) {
        found.left.push(left("its lines belong together in one shell"));
    } else {
        let commands = lines.into_iter().filter(|line| !is_replaced(line));
        match found.stages.last_mut() {
            Some(stage) => stage.commands.extend(commands),
            None => found
                .stages
                .push(Stage { title: "Jenkins".to_owned(), commands: commands.collect() }),
        }
    }
}

/// The lines of a script, continued ones joined.
fn script_lines(script: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in script.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let continued = line.strip_suffix('\\');
        let text = continued.unwrap_or(line).trim_end();
        match lines.last_mut() {
            Some(last) if open => {
                last.push(' ');
                last.push_str(text);
            }
            _ => lines.push(text.to_owned()),
        }
        open = continued.is_some();
    }
    lines
}

/// Commands whose work the built-ins do, and `pipe` itself.
fn is_replaced(command: &str) -> bool {
    let mut words =
        command.split_whitespace().skip_while(|word| *word == "exec" || *word == "sudo");
    match (words.next(), words.next()) {
        (Some("docker" | "podman"), Some(verb)) => {
            matches!(verb, "build" | "buildx" | "push" | "login" | "logout" | "tag")
        }
        (Some("pipe"), _) => true,
        (Some("curl" | "http"), _) => command.contains("/v2/apps"),
        _ => false,
    }
}

/// The name behind `-t` of `docker build`.
fn built_image(command: &str) -> Option<String> {
    if !command.contains("docker build") {
        return None;
    }
    let words: Vec<&str> = command.split_whitespace().collect();
    let mut names = words.windows(2).filter(|pair| pair[0] == "-t" || pair[0] == "--tag");
    let separate = names.next().map(|pair| pair[1]);
    let joined = words.iter().find_map(|word| word.strip_prefix("--tag="));
    let name = super::docker::repository(separate.or(joined)?.trim_matches(['"', '\'']));
    (!name.is_empty() && !name.contains(['$', '`', '{'])).then(|| name.to_owned())
}

/// Whether a line means something for the lines below it: each `$` line is a shell of its own.
fn changes_the_shell(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    let assigns = first.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    let alone = assigns && line.split_whitespace().count() == 1;
    let words = [
        "cd", "export", "if", "then", "else", "fi", "for", "while", "do", "done", "case", "esac",
        "set", "source", ".", "trap", "function", "{", "}", "pushd", "popd",
    ];
    alone || words.contains(&first) || line.contains("<<")
}

#[derive(Debug, PartialEq)]
enum Kind {
    Word(String),
    /// A string; `values`: Groovy puts values into it.
    Text {
        text: String,
        values: bool,
    },
    Sign(char),
}

struct Token {
    kind: Kind,
    line: usize,
}

/// Words, strings and signs of Groovy; comments are passed over.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if c == '\'' || c == '"' {
            let (kind, length) = string(rest, c);
            tokens.push(Token { kind, line });
            length
        } else if c.is_alphanumeric() || c == '_' || c == '$' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
            let length = end.unwrap_or(rest.len());
            tokens.push(Token { kind: Kind::Word(rest[..length].to_owned()), line });
            length
        } else {
            if !c.is_whitespace() {
                tokens.push(Token { kind: Kind::Sign(c), line });
            }
            c.len_utf8()
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// The string at the begin of a text, and its length there.
fn string(text: &str, quote: char) -> (Kind, usize) {
    let triple = quote.to_string().repeat(3);
    let mark = if text.starts_with(&triple) { triple.as_str() } else { &triple[..1] };
    let body = &text[mark.len()..];
    let mut out = String::new();
    let mut values = false;
    let mut chars = body.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if body[at..].starts_with(mark) {
            return (Kind::Text { text: out, values }, mark.len() * 2 + at);
        }
        match c {
            '\\' => match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                // The line goes on; how far the next one is indented means nothing.
                Some((_, '\n')) => {
                    while chars.next_if(|(_, c)| matches!(c, ' ' | '\t')).is_some() {}
                }
                Some((_, other)) => out.push(other),
                None => {}
            },
            '$' if quote == '"' => {
                values = true;
                out.push(c);
            }
            c => out.push(c),
        }
    }
    (Kind::Text { text: out, values }, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(found: &Jenkinsfile) -> Vec<String> {
        let all = found.stages.iter();
        all.map(|stage| format!("{}: {}", stage.title, stage.commands.join("; "))).collect()
    }

    #[test]
    fn commands_are_taken_and_the_rest_is_named() {
        let found = read(
            r#"
            pipeline {
              agent any // stage('no')
              stages {
                stage('Unit tests') {
                  when { branch 'main' }
                  steps { sh 'make "all" tests'
                    sh '''
                      # a comment
                      ./a.sh \
                        --b
                      ./c.sh
                    '''
                    sh "echo ${env.NAME}"
                    script { v = sh(returnStdout: true, script: 'date') }
                  }
                }
                stage("Image") { steps {
                  sh 'docker build -t acme/shop:1 .'
                  sh "docker push acme/shop:${env.BUILD_NUMBER}"
                } }
              }
              post { always { junit 'x.xml'; sh './clean.sh' } }
            }"#,
        );
        assert_eq!(stages(&found), [r#"Unit tests: make "all" tests; ./a.sh --b; ./c.sh"#]);
        assert_eq!(found.image.as_deref(), Some("acme/shop"));
        let left: Vec<(&str, usize)> = found
            .left
            .iter()
            .map(|(what, line)| (what.split(':').next().unwrap_or(""), *line))
            .collect();
        assert_eq!(
            left,
            [("`when`", 6), ("`sh`", 14), ("`sh` with more than a script", 15), ("`post`", 23),]
        );
    }

    #[test]
    fn a_scripted_one_is_read_too() {
        let found =
            read("node {\n stage 'Build'\n sh 'make'\n stage('T') { sh(script: 'make t') }\n}");
        assert_eq!(stages(&found), ["Build: make", "T: make t"]);
    }

    #[test]
    fn titles_lose_what_only_jenkins_knows() {
        assert_eq!(
            without_values("${variant}:${channel} Install requirements"),
            "Install requirements"
        );
        assert_eq!(without_values("Test (${os})"), "Test");
    }

    #[test]
    fn lines_that_need_their_shell_are_left() {
        let found = read("stage('x') { sh '''cd sub\nmake''' }");
        assert!(found.stages.is_empty());
        assert_eq!(found.left.len(), 1);
    }

    #[test]
    fn what_does_not_end_ends_with_the_file() {
        assert_eq!(stages(&read("stage('x') { sh 'make")), ["x: make"]);
        assert!(read("stage(").stages.is_empty());
        assert!(read("/* sh 'x'").stages.is_empty());
    }
}
