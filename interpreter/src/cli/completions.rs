//! `pipe completions`

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, print::print};

/// Write what a shell completes the command line with
#[derive(clap::Args)]
#[command(
    after_help = "bash:  pipe completions bash > ~/.local/share/bash-completion/completions/pipe\n\
    zsh:   pipe completions zsh > \"${fpath[1]}/_pipe\"\n\
    fish:  pipe completions fish > ~/.config/fish/completions/pipe.fish"
)]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn main(args: &Args) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pipe", &mut text);
    print(text)
}
