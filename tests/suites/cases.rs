//! One file in `cases/` is one case.

use pipe_tests::Case;

#[test]
fn cases() {
    insta::glob!("..", "cases/**/*.pipe", |path| {
        let text = std::fs::read_to_string(path).expect("a case");
        let shown = Case::read(&text).run();
        let area = path.parent().and_then(|p| p.file_name()).expect("an area").to_string_lossy();
        insta::with_settings!({
            prepend_module_to_snapshot => false,
            omit_expression => true,
            snapshot_path => "../snapshots",
        }, {
            insta::assert_snapshot!(area.into_owned(), shown);
        });
    });
}
