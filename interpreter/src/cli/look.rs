//! What the terminal can show.

use std::io::IsTerminal;

use super::Colour;
use crate::report::draw::Look;

/// How output to `stream` may look.
pub(super) fn look(stream: &(impl IsTerminal + std::os::fd::AsFd), colour: Colour) -> Look {
    let terminal = stream.is_terminal();
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    let colour = match colour {
        Colour::Always => true,
        Colour::Never => false,
        // https://no-color.org, and the usual way round it.
        Colour::Auto => !set("NO_COLOR") && !dumb && (terminal || set("FORCE_COLOR")),
    };
    let width = if terminal {
        rustix::termios::tcgetwinsize(stream.as_fd()).map_or(100, |size| usize::from(size.ws_col))
    } else {
        100
    };
    Look { colour, unicode: unicode(), width: width.clamp(40, 120) }
}

/// Whether the locale speaks UTF-8: POSIX says that `LC_ALL` wins over `LC_CTYPE` over `LANG`.
fn unicode() -> bool {
    let value = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    value.is_some_and(|value| {
        let value = value.to_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    })
}
