//! The command line: reads it, and wires the parts together. No logic of its own.

mod answer;
mod check;
mod cluster;
mod completions;
mod docs;
mod engine;
mod explain;
mod fmt;
mod gc;
mod graph;
mod guard;
mod history;
mod how;
mod init;
mod list;
mod load;
mod look;
mod pages;
mod plan;
mod print;
mod recorded;
mod report;
mod resume;
mod run;
mod sarif;
mod signals;
mod worker;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};

use crate::exit;

/// Builds, pushes and deploys what a Pipelinefile describes.
///
/// A Pipelinefile stands beside the code. `pipe check` finds mistakes before anything runs,
/// `pipe plan` shows what would happen, `pipe run` does it: on a laptop, in Jenkins, on Mesos.
#[derive(Parser)]
#[command(name = "pipe", version, disable_help_subcommand = true)]
#[command(after_help = "Try it without any cluster: pipe run --local")]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Colour,
}

#[derive(Subcommand)]
enum Command {
    /// Run the pipeline
    Run(run::Args),
    /// Go on with a run: what succeeded in it is kept, the rest runs
    Resume(resume::Args),
    /// Answer yes to a run that waits for an approval, and go on with it
    Approve(answer::Args),
    /// Answer no to a run that waits for an approval, and go on with it
    Refuse(answer::Args),
    /// List the runs of a Pipelinefile, newest first
    Runs(history::RunsArgs),
    /// Show a run: its stages, what failed, what it did outside
    Show(history::ShowArgs),
    /// Show the output of a run, or of one stage of it
    Log(history::LogArgs),
    /// Write a report of a run: a page for the browser, or JUnit's XML
    Report(report::Args),
    /// Remove what earlier runs of this folder have left: processes, containers, networks, copies
    Gc(gc::Args),
    /// Look for mistakes, without running anything
    Check(check::Args),
    /// Show what a run would do, without doing it
    Plan(plan::Args),
    /// Lay out a Pipelinefile the way all are
    Fmt(fmt::Args),
    /// Write a first Pipelinefile, from what lies in the repository
    Init(init::Args),
    /// Show the parameters, secrets and stages of a file
    List(list::Args),
    /// Draw the stages and what each waits for
    Graph(graph::Args),
    /// Show the reference of a built-in, a module, a type or a method
    Docs(docs::Args),
    /// Explain the codes of messages, each with a wrong and a repaired example
    Explain(explain::Args),
    /// Write what a shell completes the command line with
    Completions(completions::Args),
    /// The local cluster of this machine: a Marathon and an image registry
    #[command(subcommand)]
    Cluster(cluster::Command),
    /// End the processes of a run when `pipe` itself is killed
    #[command(hide = true, name = crate::run::watchdog::COMMAND)]
    Watchdog {
        /// The beginning of their mark
        mark: String,
    },
    /// Be the worker in a task of a cluster
    #[command(hide = true)]
    Worker(worker::Args),
    /// Wait for the end of a run, and remove the containers that it leaves
    #[command(hide = true)]
    GuardContainers,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

/// Which file is meant.
#[derive(clap::Args)]
struct FileArg {
    /// The Pipelinefile [default: `Pipelinefile` here or in a folder above]
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to clap, and are none.
            let status = if error.use_stderr() { exit::WRONG_INPUT } else { exit::SUCCESS };
            let _ = error.print();
            return status.into();
        }
    };
    // The task runner of the local cluster must be alone in its process: before any thread.
    if let Command::Cluster(cluster::Command::Task { spec }) = &cli.command {
        return pipe_local_cluster::task_main(spec);
    }
    if let Command::Watchdog { mark } = &cli.command {
        crate::run::watchdog::watch(mark);
        return exit::SUCCESS.into();
    }
    // One TLS implementation for every client; a second call would only say that it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let status = match cli.command {
        Command::Run(args) => run::main(&args, cli.color),
        Command::Resume(args) => resume::main(&args, cli.color),
        Command::Approve(args) => answer::main(args, true, cli.color),
        Command::Refuse(args) => answer::main(args, false, cli.color),
        Command::Runs(args) => history::runs(&args, cli.color),
        Command::Show(args) => history::show(&args, cli.color),
        Command::Log(args) => history::log(&args),
        Command::Report(args) => report::main(&args),
        Command::Gc(args) => gc::main(&args),
        Command::Check(args) => check::main(&args, cli.color),
        Command::Plan(args) => plan::main(&args, cli.color),
        Command::Init(args) => init::main(&args, cli.color),
        Command::Fmt(args) => fmt::main(&args, cli.color),
        Command::List(args) => list::main(&args, cli.color),
        Command::Graph(args) => graph::main(&args, cli.color),
        Command::Docs(args) => docs::main(&args, cli.color),
        Command::Explain(args) => explain::main(&args, cli.color),
        Command::Watchdog { .. } => exit::SUCCESS,
        Command::Completions(args) => completions::main(&args),
        Command::Cluster(command) => cluster::main(command),
        Command::Worker(args) => worker::main(&args),
        Command::GuardContainers => guard::main(),
    };
    status.into()
}

/// A runtime for what waits.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
