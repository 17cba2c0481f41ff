//! `pipe list`

use clap::ValueEnum;

use super::{
    Colour, FileArg, load,
    look::look,
    print::{print, print_json},
};
use crate::outline::{self, Outline};

/// Show the parameters, secrets and stages of a file
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    file: FileArg,

    /// How to show them
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
}

/// No line is longer on any terminal.
const WIDEST: usize = 80;

pub(super) fn main(args: &Args, colour: Colour) -> u8 {
    let loaded = match load::load_clean(args.file.file.as_deref(), colour) {
        Ok(loaded) => loaded,
        Err(status) => return status,
    };
    let outline = Outline::of(&loaded.program, &loaded.folder());
    match args.format {
        Format::Text => {
            let width = look(&std::io::stdout(), colour).width.min(WIDEST);
            print(outline::text(&outline, width))
        }
        Format::Json => print_json(&outline),
    }
}
