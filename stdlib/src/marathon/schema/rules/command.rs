//! What an app runs.

use super::{
    super::{
        finding::{Finding, V1_5},
        known::Known,
        network::is_docker,
    },
    rules,
};

rules! { command: one_of_cmd_and_args, something_runs, cmd_of_one_letter }

fn one_of_cmd_and_args(app: &Known, found: &mut Vec<Finding>) {
    if app.at("cmd").is_there() && app.at("args").has_items() {
        found.push(
            Finding::new("/args", "`cmd` and `args` can't stand together")
                .on_key()
                .help("`cmd` is run by a shell, `args` go to the image's entrypoint: keep one"),
        );
    }
}

fn something_runs(app: &Known, found: &mut Vec<Finding>) {
    let container = app.at("container");
    if !app.at("cmd").is_absent() || !app.at("args").lacks_items() {
        return;
    }
    let finding = || {
        Finding::new("", "nothing says what the app runs")
            .on_key()
            .help("give it `cmd`, `args`, or a `container` with an image")
    };
    if container.is_absent() {
        found.push(finding());
    } else if is_docker(app) == Some(false)
        && container.at("docker").is_absent()
        && container.at("appc").is_absent()
    {
        found.push(finding().before(V1_5));
    }
}

/// The length has to be greater than 1 (`AppValidation.validateCanonicalAppAPI`).
fn cmd_of_one_letter(app: &Known, found: &mut Vec<Finding>) {
    if let Some(cmd) = app.at("cmd").text()
        && cmd.encode_utf16().count() == 1
    {
        found.push(Finding::new("/cmd", "`cmd` of a single letter is taken for empty").since(V1_5));
    }
}
