//! The commands `cluster serve --folder FOLDER` and `cluster task SPEC` of a program that has a
//! local cluster, and no others. `CLUSTER_SECOND` may say how many milliseconds a second of a
//! definition lasts.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use pipe_local_cluster::{Settings, serve, task_main};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["cluster", "serve", "--folder", folder] => run(PathBuf::from(folder)),
        ["cluster", "task", spec] => task_main(spec.as_ref()),
        _ => ExitCode::from(2),
    }
}

#[expect(clippy::print_stderr, reason = "what a program says when it fails")]
fn run(folder: PathBuf) -> ExitCode {
    let second = std::env::var("CLUSTER_SECOND").ok().and_then(|text| text.parse().ok());
    let mut settings = Settings::new(folder);
    settings.second = second.map_or(settings.second, Duration::from_millis);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let served = runtime.map(|runtime| runtime.block_on(serve(settings)));
    match served {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
