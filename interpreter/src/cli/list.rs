//! `pipe list`

use std::io::Write;

use clap::ValueEnum;

use super::{Colour, FileArg, load, look::look};
use crate::{
    exit,
    outline::{self, Outline},
};

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
    let loaded = match load::load(args.file.file.as_deref()) {
        Ok(loaded) => loaded,
        Err(status) => return status,
    };
    if let Err(status) = load::require_clean(&loaded.program, colour) {
        return status;
    }
    let outline = Outline::of(&loaded.program, &loaded.folder());
    let shown = match args.format {
        Format::Text => {
            let width = look(&std::io::stdout(), colour).width.min(WIDEST);
            outline::text(&outline, width)
        }
        Format::Json => match serde_json::to_string_pretty(&outline) {
            Ok(text) => text + "\n",
            Err(error) => {
                load::complain(&format!("pipe: {error}"));
                return exit::FAILED;
            }
        },
    };
    let written = std::io::stdout().write_all(shown.as_bytes());
    if written.is_ok() { exit::SUCCESS } else { exit::FAILED }
}
