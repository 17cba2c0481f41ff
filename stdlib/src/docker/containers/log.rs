//! What a service writes: kept with the run, its last lines for messages.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::Write,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::StreamExt;
use pipe_grammar::Code;
use tokio::task::JoinHandle;

use super::Lines;
use crate::{
    client::engine::Chunks,
    core::{Call, Failure, Stream},
};

/// So many lines are shown in a message.
const SHOWN: usize = 15;
/// Of a service that writes more, the rest is not kept.
const MOST: u64 = 50 << 20;

/// The log of a service.
pub(in crate::docker) struct Log {
    /// Its file, absolute.
    pub(in crate::docker) path: PathBuf,
    kept: Arc<Mutex<Kept>>,
    reader: JoinHandle<()>,
}

struct Kept {
    file: File,
    written: u64,
    last: VecDeque<String>,
    hidden: Vec<String>,
}

impl Log {
    /// Follows the output of a service into a file of the run; `hidden` is masked in it.
    pub(in crate::docker) fn follow(
        call: &Call<'_>,
        name: &str,
        output: Chunks,
        hidden: Vec<String>,
    ) -> Result<Self, Failure> {
        let folder = call.run_folder.join("services");
        let stage = call.stage.replace('/', "-");
        let path = folder.join(format!("{stage}-{name}.log"));
        let opened = fs::create_dir_all(&folder)
            .and_then(|()| File::options().create(true).append(true).open(&path));
        let file = opened.map_err(|error| {
            let (shown, why) = (call.world.display(&path), pipe_oci::plain(&error));
            let what = format!("the log `{shown}` can't be written: {why}");
            Failure::infrastructure(Code::UNWRITABLE_FILE, what)
        })?;
        let kept = Kept { file, written: 0, last: VecDeque::new(), hidden };
        let kept = Arc::new(Mutex::new(kept));
        let reader = tokio::spawn(read(output, kept.clone()));
        Ok(Self { path, kept, reader })
    }

    /// The last lines.
    pub(in crate::docker) fn last(&self) -> Vec<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).last.iter().cloned().collect()
    }

    /// Waits until everything is read of a service that has ended.
    pub(in crate::docker) async fn complete(&self) {
        let end = tokio::time::Instant::now() + std::time::Duration::from_secs(1);
        while !self.reader.is_finished() && tokio::time::Instant::now() < end {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(mut output: Chunks, kept: Arc<Mutex<Kept>>) {
    let mut lines = Lines::default();
    let take = |_: Stream, line: &[u8], _: bool| {
        kept.lock().unwrap_or_else(PoisonError::into_inner).add(&String::from_utf8_lossy(line));
    };
    while let Some(Ok((stream, chunk))) = output.next().await {
        lines.add(stream, &chunk, take);
    }
    lines.end(take);
}

impl Kept {
    fn add(&mut self, line: &str) {
        let mut line = line.trim_end_matches('\r').to_owned();
        for secret in &self.hidden {
            line = line.replace(secret.as_str(), "***");
        }
        if self.written <= MOST {
            self.written += line.len() as u64 + 1;
            // A full disk must not end the service; the stage's own log tells of it.
            let _ = writeln!(self.file, "{line}");
        }
        if self.last.len() == SHOWN {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }
}
