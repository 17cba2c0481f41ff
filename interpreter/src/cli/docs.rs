//! `pipe docs`

use pipe_grammar::diagnostic::list_or;

use super::{Colour, load::complain, look::look, print::print};
use crate::{docs, exit};

/// Show the reference of a built-in, a module, a type or a method
#[derive(clap::Args)]
pub(super) struct Args {
    /// What: `docker.push`, `docker`, `string.trim`, `Image`, `connect docker`
    #[arg(value_name = "NAME")]
    name: Vec<String>,

    /// Everything, as Markdown
    #[arg(long, conflicts_with = "name")]
    markdown: bool,
}

/// No line is longer on any terminal.
const WIDEST: usize = 80;

pub(super) fn main(args: &Args, colour: Colour) -> u8 {
    let name = args.name.join(" ");
    let text = if args.markdown {
        docs::markdown()
    } else {
        let width = look(&std::io::stdout(), colour).width.min(WIDEST);
        match docs::find(&name) {
            Ok(page) => docs::show(page, width),
            Err(meant) => return unknown(&name, &meant),
        }
    };
    print(text)
}

fn unknown(name: &str, meant: &[String]) -> u8 {
    complain(&format!("pipe: nothing is called `{name}`"));
    if meant.is_empty() {
        complain("  `pipe docs` lists all there is");
    } else {
        let meant: Vec<String> = meant.iter().map(|name| format!("`pipe docs {name}`")).collect();
        complain(&format!("  did you mean {}?", list_or(&meant)));
    }
    exit::WRONG_INPUT
}
