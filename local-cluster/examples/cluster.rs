//! The local cluster by itself: `cluster start|status|stop|serve|task` with `--folder FOLDER`, as
//! `pipe cluster` has them. A file
//! `second` in the folder says how many milliseconds a second of a definition lasts.

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use pipe_local_cluster::{Settings, default_folder};

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "cluster") {
        words.remove(0);
    }
    // Before anything else: a task's process may not have threads.
    if let [command, spec] = words.as_slice()
        && command == "task"
    {
        return pipe_local_cluster::task_main(Path::new(spec));
    }
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<(), Box<dyn Error>> {
    let (command, folder) = match words {
        [command] => (command.as_str(), default_folder()),
        [command, option, folder] if option == "--folder" => {
            (command.as_str(), PathBuf::from(folder))
        }
        _ => return Err("usage: cluster start|status|stop|serve [--folder FOLDER]".into()),
    };
    let mut settings = Settings::new(folder);
    let second = settings.folder.join("second");
    if let Ok(millis) = std::fs::read_to_string(second) {
        settings.second = Duration::from_millis(millis.trim().parse()?);
    }
    match command {
        "serve" => runtime()?.block_on(pipe_local_cluster::serve(settings))?,
        "start" => {
            let running = pipe_local_cluster::start(&settings, &std::env::current_exe()?)?;
            say(&format!("{} {} {}", running.pid, running.marathon, running.registry));
        }
        "status" => match pipe_local_cluster::tasks(&settings)? {
            Some(apps) => apps.iter().for_each(|app| say(&format!("{app:#?}"))),
            None => say("not running"),
        },
        "stop" => {
            let stopped = runtime()?.block_on(pipe_local_cluster::stop(&settings))?;
            say(if stopped { "stopped" } else { "not running" });
        }
        other => return Err(format!("there is no `{other}`").into()),
    }
    Ok(())
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Runtime::new()
}

fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{text}");
}
