//! Commands that read an argument as a script, a program or a name.

use pipe_grammar::shell::{Dialect, LintKind, RefusalKind};

use super::template::{Command, refusals};

#[test]
fn a_value_inside_the_script_of_another_shell_is_refused() {
    for (template, by) in [
        ("sh -c 'W #{v}'", "sh"),
        ("sh -c \"W #{v}\"", "sh"),
        ("sh -c #{v}", "sh"),
        ("/bin/bash -eu -o pipefail -c 'W #{v}'", "bash"),
        ("bash -euo pipefail -c 'W #{v}'", "bash"),
        ("bash --rcfile x -ec 'W #{v}' bash a", "bash"),
        ("sh -#{v}", "sh"),
        ("eval \"W #{v}\"", "eval"),
        ("eval W #{v}", "eval"),
        ("command eval W #{v}", "eval"),
        ("trap 'rm #{v}' EXIT", "trap"),
        ("trap -- 'rm #{v}' EXIT", "trap"),
        ("ssh host 'W #{v}'", "ssh"),
        ("ssh -p 22 -i key user@host W #{v}", "ssh"),
        ("sudo -u me ssh host W #{v}", "ssh"),
        ("timeout 5 ssh host W #{v}", "ssh"),
        ("su -c 'W #{v}'", "su"),
        ("su me -c 'W #{v}'", "su"),
        ("su - me --command='W #{v}'", "su"),
        ("xargs -n 1 sh -c 'W #{v}'", "sh"),
        ("find . -exec sh -c 'W #{v}' sh {} +", "sh"),
        ("env X=1 sh -c 'W #{v}'", "sh"),
        ("sudo sh -c 'W #{v}'", "sh"),
        ("docker exec it sh -c 'W #{v}'", "sh"),
        ("docker run --rm image bash -lc 'W #{v}'", "bash"),
        ("docker run --entrypoint sh image -c 'W #{v}'", "sh"),
        ("docker run --entrypoint=/bin/sh image -c 'W #{v}'", "sh"),
        ("kubectl exec pod -- sh -c 'W #{v}'", "sh"),
        ("X=1 sh -c 'W #{v}'", "sh"),
        ("x=$(sh -c 'W #{v}')", "sh"),
        ("busybox sh -c 'W #{v}'", "sh"),
        ("script -qec 'W #{v}' /dev/null", "script"),
        ("flock lock -c 'W #{v}'", "flock"),
        ("alias x='W #{v}'", "alias"),
        ("env -S 'W #{v}'", "env"),
        ("watch -n 1 W #{v}", "watch"),
        ("nix-shell -p jq --run 'W #{v}'", "nix-shell"),
        ("git -C x submodule --quiet foreach 'W #{v}'", "git submodule foreach"),
        ("git rebase --exec 'W #{v}' main", "git rebase"),
        ("compgen -W '#{v}'", "compgen"),
        ("mapfile -C #{v} -c 1 x", "mapfile"),
        ("declare -a x='(#{v})'", "declare"),
        ("readonly -A x=#{v}", "readonly"),
        ("export -a x=\"(#{v})\"", "export"),
    ] {
        let command = Command::new(template);
        let scan = command.scan(Dialect::Sh);
        let kinds: Vec<_> = scan.refusals.iter().map(|refusal| &refusal.kind).collect();
        let expected = RefusalKind::Script { command: by.to_owned() };
        assert_eq!(kinds, [&expected], "{template}");
        assert!(expected.rewrite().unwrap().contains("#{v}"), "{template}");
    }
}

#[test]
fn a_value_that_is_handed_to_a_script_is_fine() {
    for template in [
        "sh -c 'W \"$1\"' sh #{v}",
        "sh -c 'W \"$1\"' sh \"#{v}\" #{w}",
        "bash -euo pipefail -c 'W \"$1\"' bash #{v}",
        "sh script.sh #{v}",
        "sh #{v}",
        "sh -s -- #{v} <<'E'\nW \"$1\"\nE",
        "docker exec it sh -c 'W \"$1\"' sh #{v}",
        "docker run --entrypoint sh image -c 'W \"$1\"' sh #{v}",
        "ssh #{user}@#{host} W",
        "ssh -p #{n} -o User=#{user} #{host} W",
        "ssh -i \"#{key}\" host <<'E'\nW\nE",
        "trap 'rm \"$v\"' EXIT; v=#{v}",
        "su #{user} -c W",
        "su -s /bin/sh user -c 'W \"$1\"' -- sh #{v}",
        "apt-get install -y ssh bash curl #{v}",
        "echo eval #{v}",
        "W sed #{v}",
        "eval \"$(W #{v})\"",
        "docker build -c #{v} .",
        "xargs rm -- #{v}",
        "flock #{v} W",
        "git -C #{v} submodule update --init #{w}",
        "git submodule foreach W && git push origin #{v}",
        "git rebase #{v}",
        "env X=#{v} W #{w}",
        "readonly x=#{v}; export y=\"(#{v})\"; export #{w}",
    ] {
        assert_eq!(refusals(template, Dialect::Sh), [], "{template}");
        assert_eq!(refusals(template, Dialect::Bash), [], "{template}");
    }
}

#[test]
fn a_value_in_a_script_that_comes_by_standard_input_is_refused() {
    for template in [
        "sh <<E\nW #{v}\nE",
        "bash -s x <<E\nW #{v}\nE",
        "ssh host <<E\nW #{v}\nE",
        "ssh host bash <<-E\n\tW \"#{v}\"\n\tE",
        "sudo sh <<E\nW #{v}\nE",
        "<<E sh\n#{v}\nE",
        "cat <<A; sh <<E\nx\nA\nW #{v}\nE",
        "sh <<E; W $(a; b)\nW #{v}\nE",
        "bash <<<\"W #{v}\"",
        "su <<E\n#{v}\nE",
        "cat <<E | sh\nW #{v}\nE",
        "cat <<E | sed 's/a/b/' | tee log | ssh host bash\nW #{v}\nE",
        "cat <<<\"W #{v}\" | bash",
        "cat <<A; cat <<B | sh\n#{w}\nA\n#{v}\nB",
        "echo \"W #{v}\" | ssh host",
        "printf '%s\\n' 'W #{v}' | bash -s x",
        "(cat <<E | sh\nW #{v}\nE\n)",
    ] {
        let found = refusals(template, Dialect::Bash);
        assert_eq!(found, [("ScriptInput".to_owned(), "#{v}".to_owned())], "{template}");
    }
    for template in [
        "cat <<E\n#{v}\nE",
        "sh -c cat <<E\n#{v}\nE",
        "sh script.sh <<E\n#{v}\nE",
        "ssh host cat <<E\n#{v}\nE",
        "sh; cat <<E\n#{v}\nE",
        "su -c cat <<E\n#{v}\nE",
        "docker exec -i it cat <<E\n#{v}\nE",
        "cat <<A | sh x\n#{v}\nA",
        "cat <<A || sh\n#{v}\nA",
        "cat <<A | cat; sh\n#{v}\nA",
        "cat <<A | grep x | sh\n#{v}\nA",
        "cat #{v} | sh",
        "echo #{v} | while read -r x; do sh; done",
        "printf %s #{v} | ssh host 'v=$(cat); W \"$v\"'",
        "echo #{v} | docker login -u x --password-stdin",
        "cat <<A | sh <<B\n#{v}\nA\nW\nB",
    ] {
        assert_eq!(refusals(template, Dialect::Sh), [], "{template}");
    }
}

fn programs(template: &str) -> Vec<String> {
    let scan = Command::new(template).scan(Dialect::Sh);
    assert_eq!(scan.refusals, [], "{template}");
    let kinds = scan.lints.into_iter().filter_map(|lint| match lint.kind {
        LintKind::Program { command } => Some(command),
        _ => None,
    });
    kinds.collect()
}

#[test]
fn a_value_inside_a_program_is_warned_about() {
    for (template, by) in [
        ("printf \"x=#{v}\\n\"", "printf"),
        ("sed 's/x/#{v}/' file", "sed"),
        ("sed -i -e \"s/x/#{v}/\" file", "sed"),
        ("sed -n --expression=\"#{v}p\" file", "sed"),
        ("awk '{ print \"#{v}\" }' file", "awk"),
        ("awk -F, -v x=1 '$1 == \"#{v}\"' file", "awk"),
        ("jq '.x = \"#{v}\"' file", "jq"),
        ("jq -r --arg a b '.#{v}' file", "jq"),
        ("python3 -c 'print(\"#{v}\")'", "python3"),
        ("perl -pe 's/x/#{v}/' file", "perl"),
        ("perl -i -e \"#{v}\"", "perl"),
        ("ruby -e \"puts '#{v}'\"", "ruby"),
        ("node -e \"#{v}\"", "node"),
        ("psql -h host -c \"delete from x where y = '#{v}'\"", "psql"),
        ("mysql -u root --execute=\"drop table #{v}\"", "mysql"),
        ("sqlite3 file \"drop table #{v}\"", "sqlite3"),
        ("echo '#{v}' | python3", "python3"),
        ("sudo sed 's/x/#{v}/' file", "sed"),
        ("python3 - <<E\nprint('#{v}')\nE", "python3"),
        ("/usr/bin/python <<E\nprint('#{v}')\nE", "python"),
    ] {
        assert_eq!(programs(template), [by], "{template}");
    }
    for template in [
        "printf '%s\n' #{v}",
        "sed 's/x/y/' #{v}",
        "sed -e 's/x/y/' #{v}",
        "sed -f #{v} file",
        "awk -v x=#{v} '{ print x }' #{w}",
        "awk -f script.awk #{v}",
        "jq --arg v #{v} '.x = $v' file",
        "jq . #{v}",
        "jq -f script.jq #{v}",
        "python3 -c 'import sys; print(sys.argv[1])' #{v}",
        "python3 script.py #{v}",
        "python3 -m #{v}",
        "perl -Mstrict -e 'print $ARGV[0]' #{v}",
        "python3 -c 'import sys' <<E\n#{v}\nE",
        "grep sed #{v}",
        "psql -v v=#{v} -h #{w}",
        "sqlite3 #{v} .dump",
    ] {
        assert_eq!(programs(template), [""; 0], "{template}");
    }
}

#[test]
fn a_value_as_a_name_is_warned_about_where_sh_may_be_bash() {
    let scan = Command::new("read -r #{v}; printf -v x '%s' #{w}").scan(Dialect::Sh);
    let kinds: Vec<_> = scan.lints.iter().map(|lint| (&lint.kind, lint.hole)).collect();
    assert_eq!(kinds, [(&LintKind::VariableName, Some(0))]);
}

#[test]
fn other_lints() {
    let lints = |template: &str| -> Vec<(String, String)> {
        let command = Command::new(template);
        let scan = command.scan(Dialect::Sh);
        let found = scan.lints.iter();
        found.map(|l| (format!("{:?}", l.kind), command.between(l.from, l.to))).collect()
    };
    let one = |kind: &str, place: &str| vec![(kind.to_owned(), place.to_owned())];
    assert_eq!(lints("cd x"), one("LoneCd", "cd x"));
    assert_eq!(lints("  cd \"#{v}\" # there"), one("LoneCd", "cd \"#{v}\""));
    assert_eq!(lints("# #{v}\ncd x"), one("LoneCd", "cd x"));
    for template in ["cd x && W", "cd x; W", "cd x\nW", "W cd", "(cd x; W)", "cd x || exit"] {
        assert_eq!(lints(template), [], "{template}");
    }
    assert_eq!(lints("a | b"), one("Pipe", "|"));
    assert_eq!(lints("a |& b || c").len(), 1);
    for template in ["a || b", "W '|' \"|\"", "case x in a|b) W;; esac", "W a\\|b # |"] {
        assert_eq!(lints(template), [], "{template}");
    }
    assert_eq!(lints("rm -rf #{v}/x"), one("RemoveBelow", "#{v}/x"));
    assert_eq!(lints("sudo rm -r -- \"#{v}\"/*")[..0], []);
    assert_eq!(lints("rm -f #{v}/x"), one("RemoveBelow", "#{v}/x"));
    for template in ["rm -rf #{v}", "rm -rf build/#{v}", "ls #{v}/x", "rm #{v}/x"] {
        assert_eq!(lints(template), [], "{template}");
    }
    assert_eq!(lints("W \"$(X)\""), one("MaskedStatus", "$("));
    assert_eq!(lints("export X=$(X)"), one("MaskedStatus", "$("));
    assert_eq!(lints("x=$(X)"), []);
}

#[test]
fn variables_of_the_shell_are_told() {
    let command = Command::new(
        "W $a ${b:-$c} \"${d}\" '$e' \\$f ${#g} $1 $# $(h $i)\n\
         j=1; W $j; for k in $k; do read -r l; W $l; done\n\
         C <<E\n$m '${n}'\nE\nC <<'E'\n$o\nE",
    );
    let scan = command.scan(Dialect::Bash);
    let found: Vec<_> = scan
        .variables
        .iter()
        .map(|v| (v.name.as_str(), v.braced, command.between(v.from, v.to)))
        .collect();
    let expected = [
        ("a", false, "$a"),
        ("b", true, "${b"),
        ("c", false, "$c"),
        ("d", true, "${d"),
        ("g", true, "${#g"),
        ("i", false, "$i"),
        ("m", false, "$m"),
        ("n", true, "${n"),
    ];
    assert_eq!(found, expected.map(|(name, braced, place)| (name, braced, place.to_owned())));
}
