//! The command line: reads it, and wires the parts together. No logic of its own.

mod check;
mod cluster;
mod docs;
mod explain;
mod fmt;
mod graph;
mod init;
mod list;
mod load;
mod look;
mod pages;
mod plan;
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
    /// The local cluster of this machine: a Marathon and an image registry
    #[command(subcommand)]
    Cluster(cluster::Command),
    /// Be the worker in a task of a cluster
    #[command(hide = true)]
    Worker(worker::Args),
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
    // One TLS implementation for every client; a second call would only say that it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let status = match cli.command {
        Command::Run(args) => run::main(args, cli.color),
        Command::Check(args) => check::main(&args, cli.color),
        Command::Plan(args) => plan::main(&args, cli.color),
        Command::Init(args) => init::main(&args, cli.color),
        Command::Fmt(args) => fmt::main(&args, cli.color),
        Command::List(args) => list::main(&args, cli.color),
        Command::Graph(args) => graph::main(&args, cli.color),
        Command::Docs(args) => docs::main(&args, cli.color),
        Command::Explain(args) => explain::main(&args, cli.color),
        Command::Cluster(command) => cluster::main(command),
        Command::Worker(args) => worker::main(&args),
    };
    status.into()
}

/// A runtime for what waits.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
