//! Tools that a test needs and a machine may lack.

/// Whether a program can be found.
#[must_use]
pub fn have(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Says that a test is left out for want of something; where nothing may be left out
/// (`PIPE_TEST_ALL=1`), fails instead.
pub fn left_out(test: &str, needs: &str) {
    let all = std::env::var("PIPE_TEST_ALL").is_ok_and(|value| value == "1");
    assert!(!all, "{test} needs {needs}");
    eprintln_line(&format!("left out: {test}: needs {needs}"));
}

/// Past the test harness, which shows output only of tests that fail.
fn eprintln_line(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
