//! Where tasks may run.

use pipe_grammar::diagnostic::{did_you_mean, list_or};

use super::{
    super::{
        super::super::client::marathon::ServerVersion,
        finding::{Finding, V1_5},
        known::Known,
        text::regex_problem,
    },
    rules,
};

rules! { constraints: constraints }

const OPERATORS: [&str; 7] = ["UNIQUE", "CLUSTER", "GROUP_BY", "LIKE", "UNLIKE", "MAX_PER", "IS"];

fn constraints(app: &Known, found: &mut Vec<Finding>) {
    for (at, constraint) in app.at("constraints").items().iter().enumerate() {
        if let Known::List(parts) = constraint {
            found.extend(one(parts, &format!("/constraints/{at}")));
        }
    }
}

fn one(parts: &[Known], pointer: &str) -> Option<Finding> {
    let (field, operator, value) = match parts {
        [field, operator] => (field, operator, None),
        [field, operator, value] => (field, operator, Some(value)),
        _ => {
            return Some(
                Finding::new(pointer, "a constraint has two or three parts").on_key().help(
                    "a field, an operator and what it compares with: `[\"hostname\", \"UNIQUE\"]`",
                ),
            );
        }
    };
    if field.text() == Some("") {
        return Some(Finding::new(format!("{pointer}/0"), "the constraint names no field"));
    }
    let written = operator.text()?;
    let at_operator = format!("{pointer}/1");
    let Some(operator) = OPERATORS.into_iter().find(|name| name.eq_ignore_ascii_case(written))
    else {
        let all: Vec<String> = OPERATORS.iter().map(|name| format!("`{name}`")).collect();
        return Some(
            Finding::new(at_operator, format!("`{written}` is no operator of a constraint"))
                .help(format!("it is {}", list_or(&all)))
                .help_if(did_you_mean(&written.to_uppercase(), OPERATORS)),
        );
    };
    if operator != written {
        let what = format!("an operator is written in capitals: `{operator}`");
        return Some(Finding::new(at_operator, what).before(V1_5));
    }
    if operator == "IS" {
        let what = "`IS` means nothing before Marathon 1.6";
        let old = Finding::new(at_operator.clone(), what).before(ServerVersion(1, 6, 0));
        return compared(operator, value, pointer, at_operator).or(Some(old));
    }
    compared(operator, value, pointer, at_operator)
}

/// What an operator compares with.
fn compared(
    operator: &str,
    value: Option<&Known>,
    pointer: &str,
    at_operator: String,
) -> Option<Finding> {
    let at_value = format!("{pointer}/2");
    // A value that is known later may be right.
    let text = match value {
        Some(value) => Some(value.text()?),
        None => None,
    };
    let number = |text: &str| text.parse::<i32>().is_ok();
    match (operator, text) {
        ("UNIQUE", Some(text)) => {
            let finding = Finding::new(at_value, "`UNIQUE` compares with nothing")
                .help("`MAX_PER` allows a number of tasks");
            Some(if text.is_empty() { finding.since(V1_5) } else { finding })
        }
        ("CLUSTER", None | Some("")) => Some(
            Finding::new(at_operator, "`CLUSTER` needs the value that all tasks have").before(V1_5),
        ),
        ("GROUP_BY", Some(text)) if !number(text) => Some(
            Finding::new(at_value, "`GROUP_BY` takes the number of groups, or nothing")
                .help("a number, as text: `\"3\"`"),
        ),
        ("MAX_PER", text) if !text.is_some_and(number) => Some(
            Finding::new(
                if text.is_some() { at_value } else { at_operator },
                "`MAX_PER` needs the number of tasks that may share a value",
            )
            .help("a number, as text: `[\"hostname\", \"MAX_PER\", \"2\"]`"),
        ),
        ("LIKE" | "UNLIKE", None) => Some(
            Finding::new(at_operator, format!("`{operator}` needs a regular expression"))
                .help("`[\"rack\", \"LIKE\", \"rack-[1-3]\"]`"),
        ),
        ("LIKE" | "UNLIKE", Some(text)) => regex_problem(text).map(|why| {
            Finding::new(at_value, format!("`{text}` is no regular expression: {why}"))
                .help("`.*` stands for anything")
        }),
        ("IS", Some(text))
            if !text.chars().all(|c| c.is_ascii_alphanumeric() || "_/.-".contains(c)) =>
        {
            Some(
                Finding::new(at_value, "`IS` compares with a plain text or a number")
                    .help("letters, digits and `_/.-`; `LIKE` takes a regular expression"),
            )
        }
        _ => None,
    }
}
