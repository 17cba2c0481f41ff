//! Files in, messages out: one file in `check/` is one case. After a line `--- name` a further file
//! begins, which lies beside the Pipelinefile.

use std::collections::BTreeMap;

use pipe_interpreter::{
    check::Files,
    program::Program,
    report::draw::{self, Look},
};

/// The files of a case.
struct Beside(BTreeMap<String, String>);

impl Files for Beside {
    fn exists(&self, path: &str) -> bool {
        let path = path.trim_start_matches("./");
        path == "."
            || path.is_empty()
            || self.0.keys().any(|name| name == path || name.starts_with(&format!("{path}/")))
    }

    fn read(&self, path: &str) -> Result<String, String> {
        self.0.get(path.trim_start_matches("./")).cloned().ok_or_else(|| "is a folder".to_owned())
    }
}

fn cut(text: &str) -> (String, Beside) {
    let mut parts = text.split("\n--- ");
    let main = parts.next().unwrap_or("").to_owned() + "\n";
    let files = parts.filter_map(|part| part.split_once('\n'));
    (main, Beside(files.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()))
}

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
