//! Generated files.

use pipe_grammar::{Severity, SourceId, parse};
use proptest::{collection::vec, prelude::*};

use crate::{generate, meaning::formatted};

/// So many files are tried at least; `PROPTEST_CASES` asks for more.
const CASES: u32 = 1000;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(CASES),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_layout_keeps_tree_and_comments(bytes in vec(any::<u8>(), 0..900)) {
        let text = generate::file(&bytes);
        let problems = parse(SourceId::default(), &text).problems;
        let errors: Vec<_> =
            problems.into_iter().filter(|p| p.severity == Severity::Error).collect();
        prop_assert!(errors.is_empty(), "the generator wrote what does not parse: {errors:#?}\n{text}");
        formatted("a generated file", &text);
    }
}
