//! Long and deep commands: linear time, bounded depth, no panic.

use std::time::{Duration, Instant};

use pipe_grammar::shell::{Dialect, Part, Scan, lower, scan};
use proptest::prelude::*;

use super::template::Command;

/// A megabyte of each of these, whole or cut off anywhere.
const REPEATED: &[&str] = &[
    "W #{v} 'a' \"b #{v}\" $(X) ${y:-z}\n",
    "a",
    " ",
    "\n",
    "'",
    "\"",
    "\\\n",
    "$(",
    "${x:-",
    "\"${x:-",
    "\"$(",
    "((",
    "$((",
    "(",
    "`",
    "#",
    "#{v}",
    "#{v}=",
    "x=#{v}[",
    "{a,#{v}}",
    "C <<E\n",
    "C <<E\n#{v}\nE\n",
    "C <<E $(C <<E\n",
    "<<E ",
    "C <<\"EEEEEEEEEEEEEEEEEEEEEEEEEE",
    "case x in a) ",
    "case ",
    "[[ a =~ (",
    "a=(",
    "a[",
    "${a[",
    "@(",
    "$'\\",
    "|",
    ";;",
    "f() ",
    "sh -c ",
    "ssh -",
    "\u{e9}",
];

#[test]
fn a_megabyte_takes_a_moment() {
    for piece in REPEATED {
        let source = piece.repeat(1_000_000 / piece.len());
        let command = Command::new(&source);
        let started = Instant::now();
        let scan = command.scan(Dialect::Bash);
        let script = command.lower(&scan, &[]);
        let took = started.elapsed();
        assert!(script.text.len() >= command.kinds.len(), "{piece:?}");
        // Far above what it takes, far below what a square of the length would.
        assert!(took < Duration::from_secs(5), "{piece:?} took {took:?}");
    }
}

#[test]
fn one_long_delimiter_or_word_is_linear_too() {
    let long = "E".repeat(500_000);
    for source in [
        format!("C <<{long}\n{}\n{long}", "E\n".repeat(250_000)),
        format!("C <<{long}\n{}#{{v}}\n{long}", "#{v}".repeat(100_000)),
        format!("{long}={long}"),
        format!("{long}[1]={long}"),
    ] {
        let command = Command::new(&source);
        let started = Instant::now();
        let _ = command.scan(Dialect::Sh);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "{} took {took:?}", &source[..10]);
    }
}

#[test]
fn depth_is_limited_where_values_stand() {
    let deep = |depth: usize| format!("W {}#{{v}}{}", "\"$(W ".repeat(depth), ")\"".repeat(depth));
    let kinds = |source: &str| -> Vec<String> {
        let scan = Command::new(source).scan(Dialect::Sh);
        scan.refusals.iter().map(|refusal| format!("{:?}", refusal.kind)).collect()
    };
    assert_eq!(kinds(&deep(90)), [""; 0]);
    assert_eq!(kinds(&deep(1_000)), ["TooDeep"]);
    assert_eq!(kinds(&deep(100_000)), ["TooDeep"]);
    assert_eq!(kinds(&deep(1_000).replace("#{v}", "v")), [""; 0]);
}

#[test]
fn a_nul_is_refused() {
    let scan = scan(&[Part::Text("W a\0b")], &[], Dialect::Sh);
    assert_eq!(scan.refusals.len(), 1);
}

/// Holes come in order, each once, and refusals point into the parts.
fn is_sound(command: &Command<'_>, scan: &Scan) {
    let parts: Vec<_> = scan.holes.iter().map(|hole| hole.part).collect();
    assert!(parts.is_sorted_by(|a, b| a < b), "{:?}", command.source);
    let holes = command.parts.iter().filter(|part| matches!(part, Part::Hole(_))).count();
    if scan.refusals.is_empty() {
        assert_eq!(parts.len(), holes, "{:?}", command.source);
    }
    for refusal in &scan.refusals {
        let text = command.between(refusal.from, refusal.to);
        assert!(!text.is_empty(), "{:?}: {:?}", command.source, refusal.kind);
    }
    for lint in &scan.lints {
        let _ = command.between(lint.from, lint.to);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: u32::try_from(super::shells::cases(4_000)).unwrap(),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever the text: no panic, and a sound answer.
    #[test]
    fn any_text_has_an_answer(
        pieces in prop::collection::vec(prop_oneof![
            prop::sample::select(REPEATED.to_vec()).prop_map(str::to_owned),
            prop::sample::select(vec![
                ")", "))", "}", "E", "\nE\n", "esac", ";;", "in", "]]", "[[ ", "]", "=", "$", "\\",
                "-c ", "eval ", "<", ">", "<<-", "&", "done", "do ", "fi", "then ", "#{n}", "#{xs}",
            ]).prop_map(str::to_owned),
            any::<char>().prop_map(String::from),
        ], 0..30),
        bash in any::<bool>(),
    ) {
        let source = pieces.concat().replace('\0', "").replace("#{", "#{v").replace("#{vv}", "#{v}");
        let source = source.replace("#{vn}", "#{n}").replace("#{vxs}", "#{xs}");
        let whole = source.matches("#{").count() == source.matches("#{v}").count()
            + source.matches("#{n}").count() + source.matches("#{xs}").count();
        prop_assume!(whole);
        let command = Command::new(&source);
        let dialect = if bash { Dialect::Bash } else { Dialect::Sh };
        let scan = command.scan(dialect);
        is_sound(&command, &scan);
        let _ = lower(&command.parts, &scan, &[Some(2), Some(0), None]);
    }
}
