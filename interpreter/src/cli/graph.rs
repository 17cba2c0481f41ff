//! `pipe graph`

use clap::ValueEnum;

use super::{Colour, FileArg, load, print::print};
use crate::graph::{self, Graph};

/// Draw the stages and what each waits for
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    file: FileArg,

    /// What to draw it for
    #[arg(long, value_name = "FORMAT", default_value = "mermaid")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Mermaid, for Markdown on GitHub and GitLab
    Mermaid,
    /// Graphviz
    Dot,
    /// An image
    Svg,
}

pub(super) fn main(args: &Args, colour: Colour) -> u8 {
    let loaded = match load::load_clean(args.file.file.as_deref(), colour) {
        Ok(loaded) => loaded,
        Err(status) => return status,
    };
    let graph = Graph::of(&loaded.program, &loaded.folder());
    let drawn = match args.format {
        Format::Mermaid => graph::mermaid(&graph),
        Format::Dot => graph::dot(&graph),
        Format::Svg => graph::svg(&graph),
    };
    print(drawn)
}
