//! What a guard refuses, and that what it lets pass is data to the command.

use pipe_grammar::shell::guard::{LONGEST, Text, Value, check};
use pipe_grammar::shell::{Dialect, Guard};

use super::template::Command;

/// The guards that the values, by the holes' numbers, break; `None` is a value not yet known.
fn broken(template: &str, values: &[Option<&[u8]>]) -> Vec<(usize, Guard)> {
    let command = Command::new(template);
    let values: Vec<Value<'_>> = values
        .iter()
        .map(|value| match value {
            Some(bytes) => Value::One(Text { bytes, literal: false }),
            None => Value::Unknown,
        })
        .collect();
    let scan = command.scan(Dialect::Bash);
    check(&scan, &values)
        .into_iter()
        .map(|violation| (scan.holes[violation.place].hole, violation.guard))
        .collect()
}

#[test]
fn a_leading_dash_is_refused_where_it_would_be_an_option() {
    for template in [
        "git push #{v}",
        "git push \"#{v}\"",
        "git push '#{v}'",
        "git push ''#{v}",
        "git push ${U:-#{v}}",
        "git push \"${U:-\"#{v}\"}\"",
        "a; git push #{v} -- x",
        "for x in #{v}; do :; done",
        "a=(#{v})",
        "X=1 git push #{v}",
        ">log git push #{v}",
        "x=$(git push #{v})",
        "sudo -- git push #{v}",
        "[ a = b -a #{v} = c ]",
        "case x in a) git push #{v};; esac",
    ] {
        assert_eq!(broken(template, &[Some(b"-f")]), [(0, Guard::LeadingDash)], "{template}");
        assert_eq!(broken(template, &[Some(b"f-")]), [], "{template}");
        assert_eq!(broken(template, &[None]), [], "{template}");
    }
}

#[test]
fn a_leading_dash_is_data_elsewhere() {
    for template in [
        "git commit --message=#{v}",
        "git commit -m\"#{v}\"",
        "git push -- #{v}",
        "git push -- a \"#{v}\"",
        "X=#{v}",
        "export X=#{v}",
        "echo x >#{v}",
        "cat <<E\n#{v}\nE",
        "cat <<<#{v}",
        "[[ #{v} == x ]]",
        "[ #{v} = x ]",
        "[ -n \"#{v}\" ]",
        "test -n \"#{v}\"",
        "case #{v} in a) ;; esac",
        "printf '%s\\n' #{v}",
        "sh -c 'echo \"$1\"' sh #{v}",
        "docker exec it sh -ec 'echo \"$1\"' sh #{v}",
        "sh -s -- #{v}",
        "x #a #{v}",
        "x $(y)#{v}",
        "$x#{v}",
    ] {
        assert_eq!(broken(template, &[Some(b"-f")]), [], "{template}");
    }
}

#[test]
fn a_dash_that_the_file_wrote_is_meant() {
    let command = Command::new("make #{v} #{xs}");
    let scan = command.scan(Dialect::Sh);
    let meant = Text { bytes: b"-k", literal: true };
    let foreign = Text { bytes: b"-k", literal: false };
    assert_eq!(check(&scan, &[Value::One(meant), Value::List(vec![meant, meant])]), []);
    let violations = check(&scan, &[Value::One(meant), Value::List(vec![meant, foreign])]);
    assert_eq!(violations.len(), 1);
    assert_eq!((violations[0].place, violations[0].element), (1, Some(1)));
    assert_eq!(violations[0].guard, Guard::LeadingDash);
}

#[test]
fn a_value_behind_empty_ones_begins_the_word() {
    let dash: Option<&[u8]> = Some(b"-f");
    let empty: Option<&[u8]> = Some(b"");
    let text: Option<&[u8]> = Some(b"x");
    let template = "W \"#{a}#{b}#{c}\" \"#{d}\"";
    assert_eq!(broken(template, &[text, dash, text, text]), []);
    assert_eq!(broken(template, &[empty, dash, text, text]), [(1, Guard::LeadingDash)]);
    assert_eq!(broken(template, &[empty, empty, dash, text]), [(2, Guard::LeadingDash)]);
    assert_eq!(broken(template, &[empty, text, dash, text]), []);
    assert_eq!(broken(template, &[None, dash, text, text]), []);
    assert_eq!(broken(template, &[empty, empty, empty, dash]), [(3, Guard::LeadingDash)]);
}

#[test]
fn an_empty_value_needs_quotes() {
    for template in ["W #{v}", "W --x=#{v}", "X=#{v}", "W >#{v}", "W ${U:-#{v}}", "a=(#{v})"] {
        assert_eq!(broken(template, &[Some(b"")]), [(0, Guard::Empty)], "{template}");
    }
    for template in [
        "W \"#{v}\"",
        "W --x=\"#{v}\"",
        "W '#{v}'",
        "cat <<E\n#{v}\nE",
        "W \"${U:-#{v}}\"",
        "W \"a#{v}\"",
        "W # #{v}",
    ] {
        assert_eq!(broken(template, &[Some(b"")]), [], "{template}");
    }
}

#[test]
fn nul_and_length() {
    let long = vec![b'x'; LONGEST + 1];
    assert_eq!(broken("W \"#{v}\"", &[Some(b"a\0b")]), [(0, Guard::Nul)]);
    assert_eq!(broken("W \"#{v}\"", &[Some(&long)]), [(0, Guard::TooLong)]);
    assert_eq!(broken("W \"#{v}\"", &[Some(&long[1..])]), []);
    assert_eq!(broken("W # #{v}", &[Some(&long)]), []);
}

#[test]
fn an_empty_list_is_no_word_and_an_empty_element_is_one() {
    let command = Command::new("W #{xs}");
    let scan = command.scan(Dialect::Sh);
    assert_eq!(check(&scan, &[Value::List(Vec::new())]), []);
    let empty = Text { bytes: b"", literal: false };
    assert_eq!(check(&scan, &[Value::List(vec![empty])]), []);
}

#[test]
fn messages_are_one_line_of_plain_words() {
    for guard in [Guard::LeadingDash, Guard::Empty, Guard::Nul, Guard::TooLong] {
        for text in [guard.to_string(), guard.help().to_owned()] {
            assert!(!text.contains('\n') && !text.ends_with('.'), "{text}");
            assert!(text.starts_with(|c: char| c.is_lowercase()), "{text}");
        }
    }
}
