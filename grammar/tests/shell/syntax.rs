//! What is never closed, and texts in which the shells disagree.

use pipe_grammar::shell::Dialect;

use super::template::{Command, refusals};

#[test]
fn what_is_never_closed_is_told_at_its_opening() {
    for (template, kind, place) in [
        ("W 'a", "Unterminated", "'"),
        ("W it's", "Unterminated", "'"),
        ("W \"a 'b'", "Unterminated", "\""),
        ("W ${x:-", "Unterminated", "${"),
        ("W $(a", "Unterminated", "$("),
        ("W \"$(a \")\"", "Unterminated", "$("),
        ("W $((1", "Unterminated", "$("),
        ("(W", "Unterminated", "("),
        ("W `a", "Unterminated", "`"),
        ("a=(b", "Unterminated", "("),
        ("W <<E\nx", "UnterminatedHereDocument", "<<E"),
        ("W <<E\nx\nE ", "UnterminatedHereDocument", "<<E"),
        ("W <<E", "UnterminatedHereDocument", "<<E"),
        ("W <<A <<B\nx\nA\nx", "UnterminatedHereDocument", "<<B"),
        ("[[ x ]]<<E\nx", "UnterminatedHereDocument", "<<E"),
        ("W \"$(C <<E)\"\nx\nE", "UnterminatedHereDocument", "<<E"),
        ("W )", "UnexpectedParenthesis", ")"),
        ("W $(a))", "UnexpectedParenthesis", ")"),
        ("case x in a) W);; esac", "UnexpectedParenthesis", ")"),
    ] {
        let expected = [(kind.to_owned(), place.to_owned())];
        assert_eq!(refusals(template, Dialect::Sh), expected, "{template}");
    }
}

#[test]
fn commands_that_are_fine() {
    for template in [
        "",
        "W don\\'t",
        "W \"it's\" # don't (",
        "W 'a\nb' \"c\nd\"",
        "W $(case x in a) b;; (c) d;; esac)",
        "W $(case x in a|b) c ;& d) e;; esac; case y in esac)",
        "case x in *\\)*) W;; ')') W;; esac",
        "case $x\nin\n# a comment's\na)\nW\n;;\nesac",
        "case in in in) W;; esac",
        "W case x in",
        "for case in a; do W; done; for esac do W; done",
        "W $(W # a comment )\n)",
        "W ${#} $# ${##} ${#x} $((#1)) $((2#11)) ${x#y}",
        "W ${x:-(} ${x#)} \"${x:-it's}\" ${x:-\"}\"}",
        "W $((1 << 2)) $(( (1+2) * 3 ))",
        "W a#b #c'",
        "W <<E\nit's \"\nE",
        "W <<E && X <<-F\n(\nE\n'\n\tF",
        "W <<'E F'\n$(\nE F",
        "W << E\n\\\nE2\nE",
        "W <<''\nx\n\nX",
        "W <<''\nx\n",
        "W \"$(C <<E\n)\"\nE\n)\"",
        "f() { W; }; function g { W; }; h ( ) (W)",
        "[[ a && (b || c) ]] && [[ $x =~ ^(a|b c)\\)$ ]]",
        "[[ -n $x || ! -f y ]]",
        "((x = 1)) && for ((i = 0; i < 3; i++)); do W; done",
        "a=(1 2 # '\n 3) b+=(\"x\") c[1]=2 d=()",
        "W {a,b} ~ * ?(a|b) !(c)",
        "if ! (W); then X; elif Y; then Z; else (W); fi",
        "while read x; do W; done < file > out 2>&1",
        "W 2>&- >&2 3<>file {fd}>x >|y",
        "W ; X & Y && Z || A | B |& C",
        "W 'a'\\\n\"b\" \\\n  c",
        "W $\\\n(X) $\\\n{x} <\\\n<E\nE",
        "W `echo \\`x\\` ')'`",
        "W \"`echo \\\"a\\\"`\"",
        "W $'it\\'s' $\"x\"",
        "((a); (b))",
        "W $((a); (b))",
        "W \u{e9} '\u{1f600}'",
        "W \r\nX\r",
        "time W; coproc W; { W; }; until W; do X; done",
        "W ${a[@]} ${#a[@]} ${!a[*]} ${a[1]:-x} \"${m[\"k\"]}\" ${x@Q} ${x^^} ${x:1:2} ${!x}",
    ] {
        assert_eq!(refusals(template, Dialect::Bash), [], "{template}");
        assert_eq!(refusals(template, Dialect::Sh), [], "{template}");
    }
}

#[test]
fn where_shells_disagree_a_value_behind_is_refused() {
    for template in [
        "W $'it\\'s' #{v}",
        "W $'\\\\' #{v}",
        "W $[1] #{v}",
        "W $((a); (b #{v}))",
        "C <<E\n$(W\nE\n) #{v}",
        "C <<E\n#{v} $(W\nE\n)\nE",
        "C <<EF\nE\\\nF\n#{v}\nEF",
        "C <<$x\n#{v}\n$x",
        "a[x y]=1 W #{v}",
        "W $((\"1\")) #{v}",
        "W \"${x#'}'}\" #{v}",
        "W \"${U:-\"a$\"#{v}}\"",
        "C <<E\n${U:-\"a$\"#{v}}\nE",
        "W \"#{v}`W '$(#'`\"",
        "W ${-x} ${,} #{v}",
        "W (#{v})",
        "W << #{v}",
    ] {
        let found = refusals(template, Dialect::Sh);
        assert_eq!(found.len(), 1, "{template}: {found:?}");
        assert!(["Ambiguous", "HereDocumentDelimiter"].contains(&found[0].0.as_str()), "{found:?}");
    }
}

#[test]
fn a_hole_keeps_tokens_apart() {
    // Without the value these would be `$(`, `<<`, `((`, `;;`, `${`, `$x`.
    for (template, script) in [
        ("W \"a$E#{v}x\"", "W \"a$E${V}x\""),
        ("W <#{v} <x", "W <\"${V}\" <x"),
        ("W '$'#{v}(", "W '$'\"${V}\"("),
        ("W \"${E}#{v}{x\"", "W \"${E}${V}{x\""),
        ("W x#{v}#y", "W x\"${V}\"#y"),
        ("W #{v}#y", "W \"${V}\"#y"),
    ] {
        assert_eq!(Command::new(template).lowered(Dialect::Sh, &[]), script, "{template}");
    }
}

#[test]
fn one_mistake_is_one_refusal() {
    for template in ["sh -c 'W $((#{v}))'", "eval `W #{v}`", "W \"`$#{v}`\"", "let `x#{v}`"] {
        assert_eq!(refusals(template, Dialect::Bash).len(), 1, "{template}");
    }
    let nested = "sh -c \"#{a} $(W `#{b}`)\"";
    let found: Vec<_> = refusals(nested, Dialect::Sh).into_iter().map(|(_, text)| text).collect();
    assert_eq!(found, ["#{a}", "#{b}"]);
    let many = "W `#{a}` $((#{b})); #{c} $'#{d}'; sh -c #{e}";
    let found: Vec<_> = refusals(many, Dialect::Sh).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(found, ["Backquotes", "Arithmetic", "CommandName", "DollarQuotes", "Script"]);
}
