//! One file of this folder is one case; its snapshot shows what becomes of it.

use crate::meaning::formatted;

#[test]
fn cases() {
    insta::glob!("*.pipe", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let out = formatted(&path.display().to_string(), &text);
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!("format", format!("{text}\n-----\n{out}"));
        });
    });
}
