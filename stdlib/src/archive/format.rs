//! Which kind of archive a name stands for.

use pipe_grammar::Code;

use crate::core::Failure;

/// A kind of archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    Tar,
    TarGz,
    TarZst,
    Zip,
}

/// The ends of names, longer ones first.
const ENDS: [(&str, Format); 6] = [
    (".tar.gz", Format::TarGz),
    (".tar.zst", Format::TarZst),
    (".tgz", Format::TarGz),
    (".tzst", Format::TarZst),
    (".tar", Format::Tar),
    (".zip", Format::Zip),
];

impl Format {
    /// The kind of the archive with this name.
    pub(super) fn of(name: &str) -> Result<Self, Failure> {
        let lower = name.to_ascii_lowercase();
        let found = ENDS.iter().find(|(end, _)| lower.ends_with(end));
        found.map(|(_, format)| *format).ok_or_else(|| {
            Failure::new(Code::BAD_ARCHIVE, format!("`{name}` does not tell what archive it is"))
                .at_argument("file")
                .help("the name ends with `.tar`, `.tar.gz`, `.tar.zst` or `.zip`")
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_end_of_the_name_tells() {
        assert_eq!(Format::of("a/b.tar.gz").unwrap(), Format::TarGz);
        assert_eq!(Format::of("b.TGZ").unwrap(), Format::TarGz);
        assert_eq!(Format::of("b.tar.zst").unwrap(), Format::TarZst);
        assert_eq!(Format::of("b.tar").unwrap(), Format::Tar);
        assert_eq!(Format::of("b.jar.zip").unwrap(), Format::Zip);
        assert!(Format::of("b.rar").is_err());
    }
}
