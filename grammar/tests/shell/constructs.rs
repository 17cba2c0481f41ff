//! What people write, one construct after the other: accepted, and exact in every shell.

use super::compare::{Compared, compare};
use super::shells::{Folder, shells};
use super::template::Command;

const CONSTRUCTS: &[&str] = &[
    "! W #{v} || :",
    "if W #{v}; then W a; elif :; then :; else :; fi",
    "while W #{v}; do break; done",
    "until W #{v}; do :; done",
    "for x in #{v} \"#{v}\" '#{v}'; do W \"$x\"; done",
    "set -- 1; for x do W #{v}; done",
    "f() (W #{v}); f",
    "f() if :; then W #{v}; fi; f",
    "f ( ) { W \"$1\"; }; f #{v} | C",
    "{ W #{v}; } 2>&1 | C",
    "(W #{v}) >&1",
    "W a >/dev/null #{v}",
    ">/dev/null W #{v}",
    "W #{v} <<E #{v}\n#{v}\nE",
    "W $(W #{v}; W a) b",
    "W \"$(W #{v} | C)\"",
    "W `:` #{v}",
    "case a in b) ;; a) W #{v} ;; esac",
    "case \"a\" in (b|a) W #{v}; esac",
    "case a in\n\n# it's\nb) W no;;\na)\n W #{v}\n;;\nesac",
    "case #{v} in *) W #{v};; esac",
    "case a in *[!a]*) W no;; ?) W #{v};; esac",
    "W \"$(case a in a) W #{v};; esac)\"",
    "W $(( $(W 1 >/dev/null; printf 2) + 1 )) #{v}",
    "W $((1 > 0 ? 2 : 3)) #{v}",
    "W \"$((1 << 2))\" #{v} <<E\nx\nE",
    "W ${#E} #{v}",
    "W ${E:+x} #{v}",
    "X=a; W \"${X%%a}\" \"${X##b}\" #{v}",
    "X=#{v} Y='#{v}'; W \"$X\" \"$Y\"",
    "X=\"a #{v}\" eval 'W \"$X\"'",
    "set -- a #{v}; W \"$2\"; shift; W \"$1\"",
    "W \\\n#{v}\\\n x",
    "W a\\\nb#{v}",
    "W \"a\\\nb#{v}\"",
    "W 'a\\\nb#{v}'",
    "C <<E\na\\\nb#{v}\nE",
    "C <<E\n\\$x #{v} \\`x\\` \\\\\nE",
    "C <<E\n\"$(W \"#{v}\")\" '#{v}'\nE",
    "C <<\"E F\"\nx\nE F\nW #{v}",
    "C <<E; W #{v}\nx\nE",
    "C <<E && W #{v} || :\n#{v}\nE",
    "W a; # it's #\nW #{v}",
    "W a#b #{v}#c '#' #{v}",
    "W a;W #{v};W b",
    "W a&&W #{v}",
    "W #{v}|C",
    "W #{v};:",
    "W a=#{v} b=\"#{v}\"",
    "W --x=~/#{v}",
    "W {#{v}}",
    "W {a}#{v}",
    "W [#{v}]",
    "W ?#{v}* #{v}?",
    "W $E$E#{v}$E",
    "W \"$E\"\"#{v}\"''",
    "W ''#{v}\"\"",
    "W $#$?#{v}",
    "W \"${E-}#{v}${E+x}\"",
    "W \"$(printf '%s' \"#{v}\")\"",
    "W \"$(printf '%s' #{v}; printf x)\"",
    "W $(printf a)#{v}",
    "W \"`printf a`#{v}\"",
    "W \"\\$#{v}\\`\\\"\"",
    "W \\$\\`\\\"\\'\\\\#{v}",
    "W \\##{v} \\ #{v}",
    "alias x=y; W #{v}",
    "W -- #{v} --",
    "W #{v} #{v}",
    "export X=#{v}; W \"$X\"",
    "readonly X=\"#{v}\"; W \"$X\"",
    "X=; : \"${X:=#{v}}\"; W \"$X\"",
    "W \"${U-\"a b\"}\" #{v}",
    "W ${U-a b} #{v}",
    "W ${U-'a b'} #{v}",
    "W \"${U-'a b'}\"; W #{v}",
    "W ${U:-${U:-${U:-#{v}}}}",
    "W \"${U:-${U:-\"#{v}\"}}\"",
    "trap 'W x' EXIT; W #{v}",
    "W \"a\tb\" #{v}",
    "if [ #{v} != \"#{v}\" ] && [ \"#{v}\" != 'x#{v}' ]; then W yes; fi",
    "[ -n \"#{v}\" ] && W yes || W no",
    "[ \"x#{v}\" != x#{v} ] && W y",
    "test \"#{v}\" != \"#{v}x\" && W y",
    "printf '%s\n' #{v} | C",
    "printf '%s' \"#{v}\" | { C; W b; }",
    "cd / && W #{v}",
    "unset U; W ${U-#{v}}",
    "W é#{v}日",
    "W \"é#{v}日\"",
    "W 'é#{v}日'",
    "W 1#{v} >/dev/null 2>&1",
    "W 1 2>/dev/null #{v}",
    "W 12>/dev/null#{v}",
    "command printf '\\001%s\\000' #{v} >&3",
    "W ! #{v}",
    "W }#{v}",
    "W if then #{v}",
    "W $ #{v}",
    "W \"$\" #{v}",
    "W \"a$\" '#{v}$'",
    "W %#{v}%",
    "W ^#{v}",
    "W ,#{v}:#{v}=#{v}",
    "exec 4>&1; W #{v} >&4",
    "eval W a; W #{v}",
    "W $((0x10 + 010)) #{v}",
    "W \"$@\" #{v}",
    "W \"$*\"#{v}",
    "W $@#{v}",
    "set -- 1 2; W \"a$@b#{v}\"",
    "W ${@}#{v}",
    "W ${1-x}#{v}",
    "W ${10-x}#{v}",
    "set -- 1; W $1x#{v}",
    "W $0#{v}",
    "W \"${U:-`W x`#{v}}\"",
    "W \"${U:-$(W \")\")#{v}}\"",
    "W \"${U:-$((1+1))#{v}}\"",
    "W \"${U:-\\\"#{v}\\\"}\"",
    "W \"${U:-\\\\#{v}}\"",
    "W \"${U:-~#{v}}\"",
    "W ${U:-~#{v}}",
    "W \"${U:-$\n#{v}}\"",
    "W \"${U:-a $E{#{v}}\"",
    "W \"${E#\"#{v}\"*}\"",
    "W \"${U:-\"a\\\"#{v}\"}\"",
    "W \"${U:-\"$(W \"#{v}\")\"}\"",
    "W \"${U:-{a,#{v}}}\"",
    "W ${U:-{a,#{v}}}",
    "C <<E\n${U:-\"#{v}\"}\nE",
    "C <<E\n${U:-\"a\"$E\"#{v}\"}\nE",
    "C <<E\n${U:-\\\"#{v}\\\"}\nE",
    "C <<E\n\"${U:-#{v}}\"\nE",
    "C <<E\n\"${U:-\"#{v}\"}\"\nE",
    "C <<E\n$(W \"${U:-\"#{v}\"}\")\nE",
    "W \"$(C <<E\n${U:-\"#{v}\"}\nE\n)\"",
];

/// Whatever any of them could trip over.
const VALUES: [&[u8]; 3] = [
    b"$(touch PWNED) `touch PWNED` \\ '\"\n* ~ #",
    b"a[$(touch PWNED)]} ;)\r\nE\n",
    b"'\xff${x} &\\",
];

#[test]
fn every_construct_is_exact() {
    let folder = Folder::new();
    let mut problems = Vec::new();
    for shell in shells("every_construct_is_exact") {
        for construct in CONSTRUCTS {
            let mut source = String::new();
            for (index, piece) in construct.split("#{v}").enumerate() {
                if index > 0 {
                    source += &format!("#{{v{}}}", index - 1);
                }
                source += piece;
            }
            let command = Command::new(&source);
            let values: Vec<Vec<u8>> =
                VALUES.iter().cycle().take(command.kinds.len()).map(|v| v.to_vec()).collect();
            let problem = match compare(&command, shell, &folder, &values) {
                Ok(Compared::Same { told: true }) => continue,
                Ok(Compared::Same { told: false }) => "tells nothing".to_owned(),
                Ok(Compared::Refused(kind)) => format!("{kind:?}"),
                Ok(Compared::Lost) => "does not run".to_owned(),
                Err(difference) => difference,
            };
            problems.push(format!("{}: {source:?}: {problem}", shell.name));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
