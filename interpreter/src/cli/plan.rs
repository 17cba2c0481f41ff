//! `pipe plan`

use std::io::Write;

use pipe_grammar::Diagnostic;
use pipe_stdlib::core::LocalCluster;

use super::{Colour, FileArg, cluster, load, load::Loaded, look::look, print::print};
use crate::{
    exit,
    plan::{self, Inputs, Plan},
    program::Program,
    report::draw,
    run::new_id,
};

/// Show what a run would do, without doing it
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) inputs: InputArgs,
}

/// What a person gives beside the file.
#[derive(clap::Args)]
pub(super) struct InputArgs {
    /// Inputs of the pipeline: its `param`s
    #[arg(value_name = "NAME=VALUE")]
    params: Vec<String>,

    #[command(flatten)]
    pub(super) file: FileArg,

    /// Push and deploy to the local cluster of this machine, whatever the file connects to
    #[arg(long)]
    pub(super) local: bool,

    /// A JSON file with inputs
    #[arg(long, value_name = "FILE")]
    params_file: Option<std::path::PathBuf>,

    /// A secret or variable that may be missing: only a stage that reads it fails
    #[arg(long, value_name = "NAME")]
    pub(super) may_lack: Vec<String>,
}

pub(super) fn main(args: &Args, colour: Colour) -> u8 {
    let prepared = prepare(&args.inputs, colour, None);
    match prepared {
        Ok(plan) => print(plan::show(&plan)),
        Err(status) => status,
    }
}

/// Reads, checks and plans. What is wrong has been told; an error is the exit status.
pub(super) fn prepare(
    args: &InputArgs,
    colour: Colour,
    local: Option<LocalCluster>,
) -> Result<Plan, u8> {
    let loaded = load::load_clean(args.file.file.as_deref(), colour)?;
    let inputs = inputs(args, &loaded, local)?;
    let Loaded { program, world } = loaded;
    plan::plan(program.clone(), world, &inputs)
        .map_err(|problems| tell(&program, &problems, colour))
}

/// Shows what keeps a run from beginning, and gives the exit status.
pub(super) fn tell(program: &Program, problems: &[Diagnostic], colour: Colour) -> u8 {
    let look = look(&std::io::stderr(), colour);
    let drawn = program.sources(|sources| draw::problems(problems, sources, look));
    let _ = write!(std::io::stderr(), "{drawn}");
    exit::WRONG_INPUT
}

fn inputs(args: &InputArgs, loaded: &Loaded, local: Option<LocalCluster>) -> Result<Inputs, u8> {
    let mut params = Vec::new();
    for given in &args.params {
        let Some((name, value)) = given.split_once('=') else {
            load::complain(&format!("pipe: `{given}` is no input: write `NAME=VALUE`"));
            return Err(exit::WRONG_INPUT);
        };
        params.push((name.to_owned(), value.to_owned()));
    }
    let params_file = match &args.params_file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                let why = crate::run::plain(&error);
                load::complain(&format!("pipe: `{}` can't be read: {why}", path.display()));
                exit::WRONG_INPUT
            })?;
            Some((path.display().to_string(), text))
        }
    };
    let local = match (args.local, local) {
        (false, _) => None,
        (true, Some(local)) => Some(local),
        (true, None) => Some(
            cluster::running()
                .unwrap_or(LocalCluster { marathon: String::new(), registry: String::new() }),
        ),
    };
    Ok(Inputs {
        params,
        params_file,
        local,
        may_lack: args.may_lack.clone(),
        run: new_id(loaded.world.now()),
        recorded: None,
    })
}
