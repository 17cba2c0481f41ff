//! Secrets of the cluster.

use pipe_grammar::diagnostic::did_you_mean;

use super::{
    super::{super::pointer::step, finding::Finding, known::Known},
    rules,
};

rules! { secrets: in_environment, named }

/// A finding, unless a secret is declared.
pub(super) fn defined(app: &Known, secret: &str, pointer: &str) -> Option<Finding> {
    let secrets = app.at("secrets");
    secrets.at(secret).is_absent().then(|| {
        let names = secrets.fields().map(|(name, _)| name);
        Finding::new(pointer, format!("no secret is called `{secret}`"))
            .help(format!("declare it: `\"secrets\": {{ \"{secret}\": {{ \"source\": \"…\" }} }}`"))
            .help_if(did_you_mean(secret, names))
    })
}

fn in_environment(app: &Known, found: &mut Vec<Finding>) {
    for (name, value) in app.at("env").fields() {
        if let Some(secret) = value.at("secret").text() {
            found.extend(defined(app, secret, &format!("/env{}/secret", step(name))));
        }
    }
}

fn named(app: &Known, found: &mut Vec<Finding>) {
    for field in ["env", "secrets"] {
        let unnamed =
            app.at(field).fields().any(|(name, value)| name.is_empty() && value.is_there());
        if unnamed {
            let what =
                if field == "env" { "a variable has no name" } else { "a secret has no name" };
            found.push(Finding::new(format!("/{field}/"), what).on_key());
        }
    }
}
