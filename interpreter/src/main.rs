//! The command `pipe`.

fn main() -> std::process::ExitCode {
    pipe_interpreter::cli::main()
}
