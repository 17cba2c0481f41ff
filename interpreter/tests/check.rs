//! Files in, messages out: one file in `check/` is one case. After a line `--- name` a further file
//! begins, which lies beside the Pipelinefile.

mod beside;

use beside::cut;
use pipe_interpreter::{
    program::Program,
    report::draw::{self, Look},
};

#[test]
fn messages() {
    insta::glob!("check/*.pipe", |path| {
        let case = std::fs::read_to_string(path).expect("a case");
        let (text, files) = cut(case.trim_end());
        let program = Program::new("Pipelinefile", text, &files);
        let drawn =
            program.sources(|sources| draw::problems(&program.problems, sources, Look::PLAIN));
        let shown = format!("{}\n-----\n{drawn}", case.trim_end());
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!("check", shown);
        });
    });
}
