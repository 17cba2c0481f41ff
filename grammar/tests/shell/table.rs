//! The table of contexts: what each hole is written as, what is refused instead.

use pipe_grammar::shell::{Context, Dialect, RefusalKind, Role};

use super::template::{Command, refusals};

/// Template, script.
const LOWERED: &[(&str, &str)] = &[
    ("W #{v}", "W \"${V}\""),
    ("W a#{v}b", "W a\"${V}\"b"),
    ("X=#{v} W", "X=\"${V}\" W"),
    ("export X=#{v}", "export X=\"${V}\""),
    ("case #{v} in #{v}) W;; esac", "case \"${V}\" in \"${V}\") W;; esac"),
    ("for x in #{v} b; do W; done", "for x in \"${V}\" b; do W; done"),
    ("./#{v}/run", "./\"${V}\"/run"),
    ("W ~#{v}", "W ~\"${V}\""),
    ("W #{v}}", "W \"${V}\"}"),
    ("W >#{v} 2>#{w}", "W >\"${V}\" 2>\"${V2}\""),
    ("W \"a#{v}b\"", "W \"a${V}b\""),
    ("W 'a#{v}b'", "W 'a'\"${V}\"'b'"),
    ("W $(X #{v})", "W $(X \"${V}\")"),
    ("W \"$(X #{v})\"", "W \"$(X \"${V}\")\""),
    ("W \"$(X \"#{v}\")\"", "W \"$(X \"${V}\")\""),
    ("W \"$(X '#{v}')\"", "W \"$(X ''\"${V}\"'')\""),
    ("(W #{v})", "(W \"${V}\")"),
    ("W <<<#{v}", "W <<<\"${V}\""),
    ("W <(X #{v})", "W <(X \"${V}\")"),
    ("W ${U:-#{v}}", "W ${U:-\"${V}\"}"),
    ("W \"${U:-#{v}}\"", "W \"${U:-\"${V}\"}\""),
    ("W ${U:-'#{v}'}", "W ${U:-''\"${V}\"''}"),
    ("W \"${X#\"#{v}\"}\"", "W \"${X#\"${V}\"}\""),
    ("W \"${X%#{v}}\"", "W \"${X%\"${V}\"}\""),
    ("C <<E\n#{v}\nE", "C <<E\n${V}\nE"),
    ("C <<-E\n\t#{v}\n\tE", "C <<-E\n\t${V}\n\tE"),
    ("C <<E\n$(X #{v}) ${U:-#{v}}\nE", "C <<E\n$(X \"${V}\") ${U:-\"${V}\"}\nE"),
    ("W a # #{v}\nW #{v}", "W a # \nW \"${V}\""),
    ("W $((#{n}+1))", "W $(((${V})+1))"),
    ("((#{n} > 1))", "(((${V}) > 1))"),
    ("a[#{n}]=1", "a[${V}]=1"),
    ("a[#{n}+1]=#{n}", "a[(${V})+1]=\"${V}\""),
    ("W ${x:#{n}}", "W ${x:(${V})}"),
    ("let x=#{n}+1 #{n}", "let x=\"(${V})\"+1 \"${V}\""),
    ("let \"x=#{n}\"", "let \"x=(${V})\""),
    ("[[ $x -eq #{n} ]]", "[[ $x -eq \"${V}\" ]]"),
    ("W 2>&#{n}", "W 2>&\"${V}\""),
    ("RANDOM=#{n}; make RANDOM=#{v}", "RANDOM=\"${V}\"; make RANDOM=\"${V2}\""),
    ("W \"\\\\#{v}\" \\$#{v}", "W \"\\\\${V}\" \\$\"${V}\""),
];

#[test]
fn each_context_has_its_form() {
    for (template, script) in LOWERED {
        assert_eq!(Command::new(template).lowered(Dialect::Bash, &[]), *script, "{template}");
    }
}

#[test]
fn a_list_is_one_word_per_element() {
    let command = Command::new("W a #{xs} \"#{v}\"");
    let text = |count| command.lowered(Dialect::Sh, &[Some(count), None]);
    assert_eq!(text(0), "W a  \"${V2}\"");
    assert_eq!(text(1), "W a \"${V_1}\" \"${V2}\"");
    assert_eq!(text(3), "W a \"${V_1}\" \"${V_2}\" \"${V_3}\" \"${V2}\"");
}

#[test]
fn the_prelude_takes_the_values_out_of_the_environment() {
    let command = Command::new("W #{v} #{xs} #{v} # #{w}");
    let scan = command.scan(Dialect::Sh);
    let script = command.lower(&scan, &[None, Some(2), None]);
    assert_eq!(
        script.prelude(),
        "__pipe_1=${PIPE_1}; __pipe_2_1=${PIPE_2_1}; __pipe_2_2=${PIPE_2_2}; \
         unset PIPE_1 PIPE_2_1 PIPE_2_2; "
    );
    let plain = Command::new("make");
    assert_eq!(plain.lower(&plain.scan(Dialect::Sh), &[]).source(), "make");
}

/// Template, what is refused, where. Under both dialects.
const REFUSED: &[(&str, &str, &str)] = &[
    // Contexts that the table refuses.
    ("W \"${U:-'#{v}'}\"", "SingleQuotesInParameter", "#{v}"),
    ("W \"${X#'#{v}'}\"", "SingleQuotesInParameter", "#{v}"),
    ("C <<E\n${U:-'#{v}'}\nE", "SingleQuotesInParameter", "#{v}"),
    ("C <<'E'\n#{v}\nE", "QuotedHereDocument", "#{v}"),
    ("C <<\\E\n#{v}\nE", "QuotedHereDocument", "#{v}"),
    ("C <<\"E\"\n#{v}\nE", "QuotedHereDocument", "#{v}"),
    ("C <<E#{v}\nE", "HereDocumentDelimiter", "#{v}"),
    ("W `X #{v}`", "Backquotes", "#{v}"),
    ("W \"`X \\\"#{v}\\\"`\"", "Backquotes", "#{v}"),
    ("C <<E\n`X #{v}`\nE", "Backquotes", "#{v}"),
    ("W $'a#{v}'", "DollarQuotes", "#{v}"),
    ("W $\"a#{v}\"", "DollarQuotes", "#{v}"),
    ("W $#{v}", "DollarBefore", "#{v}"),
    ("W \"$#{v}\"", "DollarBefore", "#{v}"),
    ("C <<E\n$#{v}\nE", "DollarBefore", "#{v}"),
    ("W \\#{v}", "BackslashBefore", "#{v}"),
    ("W \"\\#{v}\"", "BackslashBefore", "#{v}"),
    ("C <<E\n\\#{v}\nE", "BackslashBefore", "#{v}"),
    ("W $((#{v}))", "Arithmetic", "#{v}"),
    ("W \"$((1+#{v}))\"", "Arithmetic", "#{v}"),
    ("W ${x:#{v}}", "Arithmetic", "#{v}"),
    ("W ${x:1:#{v}}", "Arithmetic", "#{v}"),
    ("W ${a[#{v}]}", "Arithmetic", "#{v}"),
    ("W ${a[\"#{v}\"]}", "Arithmetic", "#{v}"),
    ("a[#{v}]=1", "Arithmetic", "#{v}"),
    ("let x=#{v}", "Arithmetic", "#{v}"),
    ("let \"#{v}\"", "Arithmetic", "#{v}"),
    ("W $((${x:-#{n}}))", "QuotedArithmetic", "#{n}"),
    ("W $[#{n}]", "Ambiguous", "$["),
    ("W #a #{v}", "Comment", "#{v}"),
    ("case x in #{v}) W;; esac", "Pattern", "#{v}"),
    ("case x in a|\"#{v}\") W;; esac", "Pattern", "#{v}"),
    ("W ${x#a#{v}}", "Pattern", "#{v}"),
    ("W ${x/#{v}/b}", "Pattern", "#{v}"),
    ("W @(a|#{v})", "Pattern", "#{v}"),
    ("W {#{v},b}", "BraceExpansion", "#{v}"),
    ("W x{1..#{n}}", "BraceExpansion", "#{n}"),
    ("W >&#{v}", "Descriptor", "#{v}"),
    ("W 2>&x#{n}", "Descriptor", "#{n}"),
    ("W ${#{v}}", "VariableName", "#{v}"),
    ("W ${#{v}:-x}", "VariableName", "#{v}"),
    ("W ${!#{v}}", "VariableName", "#{v}"),
    ("for #{v} in a; do W; done", "VariableName", "#{v}"),
    ("function #{v} { W; }", "VariableName", "#{v}"),
    ("PS4=#{v}", "SpecialVariable", "#{v}"),
    ("X=1 BASH_ENV=#{v} W", "SpecialVariable", "#{v}"),
    ("OPTIND=#{v}", "SpecialVariable", "#{v}"),
    ("RANDOM+=a#{v}", "SpecialVariable", "#{v}"),
    ("export SRANDOM=\"#{v}\"", "SpecialVariable", "#{v}"),
    ("readonly HISTCMD=#{v}", "SpecialVariable", "#{v}"),
    ("for RANDOM in a #{v}; do W; done", "SpecialVariable", "#{v}"),
    // The command's name.
    ("#{v}", "CommandName", "#{v}"),
    ("\"#{v}\" x", "CommandName", "#{v}"),
    ("X=1 #{v}", "CommandName", "#{v}"),
    (">log #{v} x", "CommandName", "#{v}"),
    ("true && #{v}", "CommandName", "#{v}"),
    ("if #{v}; then W; fi", "CommandName", "#{v}"),
    ("! docker-#{v} x", "CommandName", "#{v}"),
    ("./bin/#{v} x", "CommandName", "#{v}"),
    ("case x in a) #{v};; esac", "CommandName", "#{v}"),
    ("W \"$(#{v})\"", "CommandName", "#{v}"),
    ("f() { #{v}; }", "CommandName", "#{v}"),
    // Lists.
    ("W \"#{xs}\"", "ListNotAlone", "#{xs}"),
    ("W '#{xs}'", "ListNotAlone", "#{xs}"),
    ("W a#{xs}", "ListNotAlone", "#{xs}"),
    ("W #{xs}''", "ListNotAlone", "#{xs}"),
    ("W #{v}#{xs}", "ListNotAlone", "#{xs}"),
    ("X=#{xs}", "ListNotAlone", "#{xs}"),
    ("W >#{xs}", "ListNotAlone", "#{xs}"),
    ("case #{xs} in a) W;; esac", "ListNotAlone", "#{xs}"),
    ("W ${U:-#{xs}}", "ListNotAlone", "#{xs}"),
    ("W <<E\n#{xs}\nE", "ListNotAlone", "#{xs}"),
    ("W $((#{xs}))", "ListNotAlone", "#{xs}"),
    ("#{xs}", "ListNotAlone", "#{xs}"),
];

#[test]
fn what_can_carry_no_value_is_refused() {
    for (template, kind, place) in REFUSED {
        for dialect in [Dialect::Bash, Dialect::Sh] {
            assert_eq!(
                refusals(template, dialect),
                [((*kind).to_owned(), (*place).to_owned())],
                "{template}, {dialect:?}"
            );
        }
    }
}

/// What only one dialect refuses: template, bash, sh.
const BY_DIALECT: &[(&str, &str, &str)] = &[
    ("((#{n}))", "", "BashOnly"),
    ("((#{v}))", "Arithmetic", "BashOnly"),
    ("for ((i=0; i<#{n}; i++)); do W; done", "", "BashOnly"),
    ("[[ #{v} == x ]]", "", "BashOnly"),
    ("[[ x == y && z == \"#{v}\" ]]", "", "BashOnly"),
    ("[[ #{v} -eq 1 ]]", "Arithmetic", "BashOnly"),
    ("[[ 1 -lt #{v} ]]", "Arithmetic", "BashOnly"),
    ("[[ $x =~ ^(a|#{v} )$ ]]", "Pattern", "BashOnly"),
    ("[[ -v #{v} ]]", "VariableName", "BashOnly"),
    ("W x &>#{v}", "", "BashOnly"),
    ("[ -v #{v} ]", "VariableName", ""),
    ("test ! -v \"#{v}\"", "VariableName", ""),
    ("printf -v #{v} x", "VariableName", ""),
    ("read -r #{v}", "VariableName", ""),
    ("read -p \"#{v}\" x", "", ""),
    ("unset #{v}", "VariableName", ""),
    ("declare #{v}=1", "VariableName", ""),
    ("declare \"#{v}\"", "VariableName", ""),
    ("declare -i x=#{v}", "Arithmetic", "Arithmetic"),
    ("declare -i x=#{n}", "", ""),
    ("declare -a x=\"(#{v})\"", "Script", "Script"),
    ("declare x=#{v}", "", ""),
    ("local -r x=#{v}", "", ""),
    ("declare -i x; x=#{v}", "Arithmetic", "Arithmetic"),
    ("declare -n x=#{v}", "VariableName", ""),
    ("mapfile #{v}", "VariableName", ""),
    ("getopts ab #{v}", "VariableName", ""),
    ("getopts #{v} x", "", ""),
    ("wait -n -p #{v}", "VariableName", ""),
    ("export #{v}", "", ""),
    ("[ #{v} -eq 1 ]", "", ""),
];

#[test]
fn what_only_one_shell_knows() {
    for (template, bash, sh) in BY_DIALECT {
        for (dialect, kind) in [(Dialect::Bash, bash), (Dialect::Sh, sh)] {
            let found: Vec<_> =
                refusals(template, dialect).into_iter().map(|(kind, _)| kind).collect();
            let expected: Vec<String> =
                Some(*kind).filter(|k| !k.is_empty()).map(str::to_owned).into_iter().collect();
            assert_eq!(found, expected, "{template}, {dialect:?}");
        }
    }
}

#[test]
fn the_roles_of_words() {
    let tests: &[(&str, Context, Role)] = &[
        ("W #{v}", Context::Word, Role::Argument),
        ("W a \"x#{v}\"", Context::Double, Role::Argument),
        ("X='#{v}'", Context::Single, Role::Assignment),
        ("#{v}/x", Context::Word, Role::Name),
        ("case #{v} in esac", Context::Word, Role::CaseWord),
        ("case x in (\"#{v}\") esac", Context::Double, Role::CasePattern),
        ("select x in #{v}; do :; done", Context::Word, Role::Item),
        ("a=(x\n#{v})", Context::Word, Role::Element),
        ("W 2>>#{v}", Context::Word, Role::Redirect),
        ("W <<<\"#{v}\"", Context::Double, Role::HereString),
        ("[[ #{v} ]]", Context::Word, Role::Test),
        ("W <<E\n#{v}\nE", Context::HereDocument, Role::Outside),
        ("W ${x:-#{v}}", Context::Parameter, Role::Argument),
        ("a[#{n}]=", Context::Arithmetic { alone: true }, Role::Outside),
    ];
    for (template, context, role) in tests {
        let scan = Command::new(template).scan(Dialect::Bash);
        assert_eq!((scan.holes[0].context, scan.holes[0].role), (*context, *role), "{template}");
    }
}

#[test]
fn every_message_says_what_to_do() {
    let templates = REFUSED
        .iter()
        .map(|(template, ..)| *template)
        .chain(BY_DIALECT.iter().map(|(template, ..)| *template))
        .chain(["W '", "W <<E\n", "W )", "sh -c #{v}", "sh <<E\n#{v}\nE", "W $'\\'' #{v}"]);
    for template in templates {
        for dialect in [Dialect::Bash, Dialect::Sh] {
            for refusal in Command::new(template).scan(dialect).refusals {
                let kind = refusal.kind;
                for text in [kind.to_string(), kind.help()] {
                    assert!(!text.contains('\n') && !text.ends_with('.'), "{text}");
                    assert!(text.starts_with(|c: char| c.is_lowercase() || c == '`'), "{text}");
                }
                let syntax = matches!(
                    kind,
                    RefusalKind::Unterminated(_)
                        | RefusalKind::UnterminatedHereDocument { .. }
                        | RefusalKind::UnexpectedParenthesis
                );
                assert_eq!(kind.code().name() == "command-syntax", syntax, "{kind:?}");
            }
        }
    }
}
