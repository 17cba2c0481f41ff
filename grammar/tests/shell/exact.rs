//! For any value and any context the command sees exactly the value, in every shell.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::shells::{Folder, Shell, cases, environment, run, shells};
use super::template::Command;
use super::values::{hostile, huge, value};

/// What `W` must tell: `#{v}` in it is the value. A record is its arguments, each behind `\1`.
struct Case {
    template: &'static str,
    expected: &'static str,
    /// A process of its own is started for each value.
    forks: bool,
    bash: bool,
}

const fn case(template: &'static str, expected: &'static str) -> Case {
    Case { template, expected, forks: false, bash: false }
}

const fn forks(template: &'static str, expected: &'static str) -> Case {
    Case { template, expected, forks: true, bash: false }
}

const fn bash(template: &'static str, expected: &'static str) -> Case {
    Case { template, expected, forks: false, bash: true }
}

/// Each row of the table of contexts, and where they meet.
const CASES: &[Case] = &[
    // Words.
    case("W #{v}", "\u{1}#{v}"),
    case("W a#{v}b", "\u{1}a#{v}b"),
    case("W #{v}#{v}", "\u{1}#{v}#{v}"),
    case("W --notes=#{v} #{v}", "\u{1}--notes=#{v}\u{1}#{v}"),
    case("W ~#{v}", "\u{1}~#{v}"),
    case("W #{v}}", "\u{1}#{v}}"),
    case("W \"$E\"#{v}", "\u{1}#{v}"),
    case("W x \\\n  #{v}", "\u{1}x\u{1}#{v}"),
    case("X=#{v}; W \"$X\"", "\u{1}#{v}"),
    case("X=a#{v}b Y=#{v}; W \"$X$Y\"", "\u{1}a#{v}b#{v}"),
    case("export X=#{v}; W \"$X\"", "\u{1}#{v}"),
    case("for x in #{v} b; do W \"$x\"; done", "\u{1}#{v}\0\u{1}b"),
    case("case #{v} in #{v}) W yes;; *) W no;; esac", "\u{1}yes"),
    case("case a in a) W #{v};; esac; W #{v}", "\u{1}#{v}\0\u{1}#{v}"),
    case("f() { W \"$1\"; }; f #{v}", "\u{1}#{v}"),
    case("{ W #{v}; } && ! false", "\u{1}#{v}"),
    case("if [ #{v} = \"#{v}\" ]; then W same; fi", "\u{1}same"),
    case("set -- #{v} \"#{v}\"; W \"$@\"", "\u{1}#{v}\u{1}#{v}"),
    case("printf '%s' '' -- #{v} >/dev/null; W #{v}", "\u{1}#{v}"),
    // Double quotes.
    case("W \"a#{v}b\"", "\u{1}a#{v}b"),
    case("W \"#{v}\"", "\u{1}#{v}"),
    case("W \"\\\"#{v}\\\"\"", "\u{1}\"#{v}\""),
    case("W \"$E#{v}y\"", "\u{1}#{v}y"),
    case("W \"$((1+1))#{v}\"", "\u{1}2#{v}"),
    case("W \"a'#{v}'b\"", "\u{1}a'#{v}'b"),
    // Single quotes.
    case("W 'a#{v}b'", "\u{1}a#{v}b"),
    case("W '#{v}'", "\u{1}#{v}"),
    case("W 'a\"#{v}\"$b'", "\u{1}a\"#{v}\"$b"),
    case("W '\\#{v}$'", "\u{1}\\#{v}$"),
    // `${…}`.
    case("W ${U:-#{v}}", "\u{1}#{v}"),
    case("W \"${U:-#{v}}\"", "\u{1}#{v}"),
    case("W \"a${U:-x#{v}y}b\"", "\u{1}ax#{v}yb"),
    case("W ${U:-'#{v}'}", "\u{1}#{v}"),
    case("W ${U:-\"#{v}\"}", "\u{1}#{v}"),
    case("W \"${U:-\"#{v}\"}\"", "\u{1}#{v}"),
    case("W \"${U:-${U:-#{v}}}\"", "\u{1}#{v}"),
    case("X=; W \"${X:+no}${X:=#{v}}\" \"$X\"", "\u{1}#{v}\u{1}#{v}"),
    case("X=#{v}tail; W \"${X#\"#{v}\"}\"", "\u{1}tail"),
    case("X=#{v}tail; W \"${X##{v}}\" ${X#'#{v}'}", "\u{1}tail\u{1}tail"),
    case("X=head#{v}; W \"${X%#{v}}\"", "\u{1}head"),
    // Comments.
    case("# don't #{v}\nW #{v} # it's \"", "\u{1}#{v}"),
    // `$(…)` and subshells.
    forks("W \"$(P #{v})\"", "\u{1}#{v}."),
    forks("W \"$(P \"#{v}\")\"", "\u{1}#{v}."),
    forks("W \"$(P '#{v}')\"", "\u{1}#{v}."),
    forks("X=$(P #{v}); W \"$X\"", "\u{1}#{v}."),
    forks("W \"$( (P #{v}) )\"", "\u{1}#{v}."),
    forks("W \"${U:-$(P \"#{v}\")}\"", "\u{1}#{v}."),
    forks("W \"$(case x in a) P no;; x) P #{v};; esac)\"", "\u{1}#{v}."),
    forks("W \"$(case x in (x) P \"#{v}\" ;; esac) )\"", "\u{1}#{v}. )"),
    forks("(W #{v}); W #{v}", "\u{1}#{v}\0\u{1}#{v}"),
    forks("W #{v} 2>&1 | cat", "\u{1}#{v}"),
    forks("sh -c 'printf \"\\001%s\\000\" \"$1\" >&3' sh #{v}", "\u{1}#{v}"),
    forks("/usr/bin/printf '\\001%s\\000' #{v} >&3", "\u{1}#{v}"),
    forks("X=#{v} /bin/sh -c 'printf \"\\001%s\\000\" \"$X\" >&3'", "\u{1}#{v}"),
    forks("env X=#{v} /bin/sh -c 'printf \"\\001%s\\000\" \"$X\" >&3'", "\u{1}#{v}"),
    // Here-documents.
    forks("C <<E\n#{v}\nE", "#{v}\n"),
    forks("C <<E\na#{v}b\nE\nW #{v}", "a#{v}b\n\0\u{1}#{v}"),
    forks("C <<E\nit's \"a#{v}b\"\nE", "it's \"a#{v}b\"\n"),
    forks("C <<-E\n\t#{v}\n\tE", "#{v}\n"),
    forks("C <<E\n${U:-#{v}}\nE", "#{v}\n"),
    forks("C <<E\n${U:-x#{v}y}\nE", "x#{v}y\n"),
    forks("C <<E\n$(P #{v})\nE", "#{v}.\n"),
    forks("C <<A; C <<-B\n#{v}\nA\n\t#{v}\n\tB\nW #{v}", "#{v}\n\0#{v}\n\0\u{1}#{v}"),
    forks("C <<'A'; W #{v}\n$(no)`'\nA", "$(no)`'\n\0\u{1}#{v}"),
    forks("W \"$(cat <<E\na#{v}b\nE\n)\"", "\u{1}a#{v}b"),
    // Bash.
    bash("W $'a\\tb'#{v}", "\u{1}a\tb#{v}"),
    bash("a=(x #{v} \"#{v}\"); W \"${a[@]}\"", "\u{1}x\u{1}#{v}\u{1}#{v}"),
    bash("a+=(#{v}); W \"${a[${#a[@]}-1]}\"", "\u{1}#{v}"),
    bash("[[ #{v} == #{v} && #{v} == \"#{v}\" ]] && W yes", "\u{1}yes"),
    bash("X=#{v}Q; W \"${X/#{v}/-}\" ${X//'#{v}'/-}", "\u{1}-Q\u{1}-Q"),
    bash("X=abc; W \"${X/b/#{v}}\" \"${X/b/\"#{v}\"}\"", "\u{1}a#{v}c\u{1}a#{v}c"),
    bash("local_() { local X=#{v}; declare Y=#{v}; W \"$X$Y\"; }; local_", "\u{1}#{v}#{v}"),
    Case { forks: true, ..bash("W <(:) >/dev/null; C <<<#{v}", "\0#{v}\n") },
    Case { forks: true, ..bash("C < <(P #{v})", "#{v}.") },
];

/// Templates for which the answer depends on the value being there.
fn applies(case: &Case, value: &[u8]) -> bool {
    // Replacing an empty text is nothing; and bash's matching of patterns takes its time.
    let pattern = ["${X", "case #"].iter().any(|start| case.template.contains(start));
    !(case.template.contains("${X/") && value.is_empty() || pattern && value.len() > 1_000)
}

fn expand(expected: &str, value: &[u8]) -> Vec<Vec<u8>> {
    let mut text = Vec::new();
    let mut pieces = expected.split("#{v}");
    text.extend_from_slice(pieces.next().unwrap().as_bytes());
    for piece in pieces {
        text.extend_from_slice(value);
        text.extend_from_slice(piece.as_bytes());
    }
    text.split(|b| *b == 0).map(<[u8]>::to_vec).collect()
}

/// The beginning of a value, for messages.
fn short(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}

/// Runs one template with many values in one process, and compares.
fn check(case: &Case, shell: Shell, folder: &Folder, values: &[Vec<u8>]) -> Result<(), String> {
    let command = Command::new(case.template);
    let script = command.lower(&command.scan(shell.dialect), &[]);
    let values: Vec<_> = values.iter().filter(|value| applies(case, value)).collect();
    let scripts: Vec<_> = values
        .iter()
        .map(|value| (script.source(), environment(&script, &[vec![value.to_vec()]])))
        .collect();
    let told = run(shell, folder, &scripts);
    let mut records = told.records.into_iter();
    for value in values {
        // A `cat` without input, and `<( … )`, leave names of files that are not foreseeable.
        let expected = expand(case.expected, value);
        let mut found: Vec<_> = records.by_ref().take(expected.len()).collect();
        if expected.first().is_some_and(Vec::is_empty) {
            found[0].clear();
        }
        if found != expected {
            return Err(format!(
                "{}: {:?} with {:?}\n  script {:?}\n  found {:?}\n  stderr {}",
                shell.name,
                case.template,
                short(value),
                script.text,
                found.iter().map(|record| short(record)).collect::<Vec<_>>(),
                told.stderr
            ));
        }
    }
    if folder.0.join("PWNED").exists() {
        return Err(format!("{}: {:?} ran code of a value", shell.name, case.template));
    }
    match told.status {
        Some(0) => Ok(()),
        status => Err(format!("{}: {:?}: {status:?} {}", shell.name, case.template, told.stderr)),
    }
}

fn applicable(test: &str) -> impl Iterator<Item = (&'static Case, Shell)> {
    let shells = shells(test);
    CASES.iter().flat_map(move |case| {
        let shells: Vec<_> =
            shells.iter().copied().filter(|s| !case.bash || s.name == "bash").collect();
        shells.into_iter().map(move |shell| (case, shell))
    })
}

#[test]
fn every_template_is_accepted_or_refused_for_its_doubtful_meaning_only() {
    use pipe_grammar::shell::{Dialect, RefusalKind};
    for case in CASES {
        let dialect = if case.bash { Dialect::Bash } else { Dialect::Sh };
        for refusal in Command::new(case.template).scan(dialect).refusals {
            assert!(
                matches!(refusal.kind, RefusalKind::Pattern | RefusalKind::Comment)
                    || case.template.contains("${X#'#{v}'}"),
                "{:?}: {:?}",
                case.template,
                refusal.kind
            );
        }
    }
}

#[test]
fn hand_picked_values_are_exact() {
    let folder = Folder::new();
    let values = hostile();
    for (case, shell) in applicable("hand_picked_values_are_exact") {
        check(case, shell, &folder, &values).unwrap();
    }
}

#[test]
fn values_of_100_kb_are_exact() {
    let folder = Folder::new();
    let values = [huge()];
    for (case, shell) in applicable("values_of_100_kb_are_exact") {
        check(case, shell, &folder, &values).unwrap();
    }
}

#[test]
fn any_value_is_exact() {
    let folder = Folder::new();
    for (case, shell) in applicable("any_value_is_exact") {
        let (batches, size) = if case.forks { (1, cases(40)) } else { (cases(400) / 200, 200) };
        let values = prop::collection::vec(value(), size);
        let config = Config {
            cases: u32::try_from(batches.max(1)).unwrap(),
            failure_persistence: None,
            ..Config::default()
        };
        TestRunner::new(config)
            .run(&values, |values| {
                check(case, shell, &folder, &values).map_err(TestCaseError::fail)
            })
            .unwrap();
    }
}

#[test]
fn lists_are_one_word_per_element() {
    let folder = Folder::new();
    // What stands in front of the list and behind it.
    let tests: [(&str, &[&str], &[&str]); 4] = [
        ("W a #{xs} b", &["a"], &["b"]),
        ("W #{xs}", &[], &[]),
        ("set -- a #{xs}; W \"$@\"", &["a"], &[]),
        ("set --; for x in #{xs} b; do set -- \"$@\" \"$x\"; done; W \"$@\"", &[], &["b"]),
    ];
    for shell in shells("lists_are_one_word_per_element") {
        for elements in [vec![], hostile(), vec![b"".to_vec(), b"a b".to_vec()]] {
            for (template, before, behind) in tests {
                let command = Command::new(template);
                let scan = command.scan(shell.dialect);
                assert_eq!(scan.refusals, []);
                let script = command.lower(&scan, &[Some(elements.len())]);
                let values = environment(&script, std::slice::from_ref(&elements));
                let told = run(shell, &folder, &[(script.source(), values)]);
                let mut expected = Vec::new();
                let words = before.iter().map(|word| word.as_bytes());
                let words = words.chain(elements.iter().map(Vec::as_slice));
                for word in words.chain(behind.iter().map(|word| word.as_bytes())) {
                    expected.push(1);
                    expected.extend_from_slice(word);
                }
                assert_eq!(told.records, [expected], "{} {template}: {}", shell.name, told.stderr);
            }
        }
    }
}

#[test]
fn ints_are_exact_in_arithmetic() {
    let folder = Folder::new();
    let numbers: [i64; 6] = [0, 5, -5, 1_000_000_007, i64::MAX, -i64::MAX];
    for shell in shells("ints_are_exact_in_arithmetic") {
        for number in numbers {
            let mut tests = vec![
                ("W $((#{n}))", number),
                ("W $((10-#{n}))", 10i64.wrapping_sub(number)),
                ("W \"$((#{n} - 1))\"", number - 1),
                ("W $(( (#{n}+1) * 0 + #{n} ))", number),
            ];
            if shell.dialect == pipe_grammar::shell::Dialect::Bash {
                tests.extend([
                    ("(( #{n} == #{n} )) && W #{n}", number),
                    ("let x=1-#{n} y=#{n} || :; W $((1 - x))", number),
                    ("[[ #{n} -eq #{n} ]] && W #{n}", number),
                    ("a=(7 8); a[0*#{n}]=#{n}; W ${a[0]}", number),
                    ("declare -A m; m[#{n}]=#{n}; W ${m[#{n}]}", number),
                    ("x=#{n}; W ${x:0*#{n}}", number),
                ]);
            }
            for (template, expected) in tests {
                let command = Command::new(template);
                let scan = command.scan(shell.dialect);
                assert_eq!(scan.refusals, [], "{template}");
                let script = command.lower(&scan, &[]);
                let value = number.to_string().into_bytes();
                let told =
                    run(shell, &folder, &[(script.source(), environment(&script, &[vec![value]]))]);
                let expected = format!("\u{1}{expected}").into_bytes();
                assert_eq!(told.records, [expected], "{} {}", shell.name, script.text);
            }
        }
    }
}

#[test]
fn no_child_sees_a_value() {
    let folder = Folder::new();
    for shell in shells("no_child_sees_a_value") {
        let command = Command::new("X=#{s}; env | C");
        let script = command.lower(&command.scan(shell.dialect), &[]);
        let values = [vec![b"s3cret".to_vec()]];
        let told = run(shell, &folder, &[(script.source(), environment(&script, &values))]);
        let seen = String::from_utf8(told.records.concat()).unwrap();
        assert!(seen.contains("PATH="), "{seen}");
        // The test's own carrier is there, in the form the test gave it, and nothing else.
        let own = seen.lines().filter(|line| line.contains("s3cret")).collect::<Vec<_>>();
        assert_eq!(own, ["CASE_0_PIPE_1=s3cret"], "{}", shell.name);
    }
}

#[test]
fn line_numbers_stay() {
    let folder = Folder::new();
    for shell in shells("line_numbers_stay") {
        let command = Command::new("W #{v}\n: ${U?stop}");
        let script = command.lower(&command.scan(shell.dialect), &[]);
        let values = [vec![b"a\nb".to_vec()]];
        let told = run(shell, &folder, &[(script.source(), environment(&script, &values))]);
        assert_eq!(told.records, [b"\x01a\nb"], "{}", told.stderr);
        // The first line is the test's own. Busybox tells no line.
        let place = if shell.name == "busybox sh" { "U: stop" } else { "3: U: stop" };
        assert!(told.stderr.contains(place), "{}: {}", shell.name, told.stderr);
    }
}
