//! The files of a task, as its agent serves them.
//!
//! `READ_FILE` of the v1 API, because `/files/read` puts the bytes into a JSON text as they are,
//! which is no JSON when they are no UTF-8 (recording 20). The virtual path is there since 1.5 and
//! holds for as long as the agent keeps the files.

use serde::Deserialize;
use serde_json::json;

use super::{Client, Error, Id};
use crate::client::base64;

/// An agent gives at most 64 KiB at once, whatever is asked for.
const PAGE: usize = 64 << 10;

/// The folder of a task of a command executor, whose id is the task's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sandbox {
    /// The agent: `http://10.0.0.5:5051`, `https://dcos.example.com/agent/ID`.
    pub agent: String,
    /// The framework.
    pub framework: Id,
    /// The task.
    pub task: Id,
}

/// A piece of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// How long the whole file is.
    pub size: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Sandbox {
    fn path(&self, file: &str) -> String {
        let (framework, task) = (&self.framework, &self.task);
        format!("/frameworks/{framework}/executors/{task}/runs/latest/{file}")
    }
}

impl Client {
    /// Where an agent answers: behind DC/OS's gateway if the master is, else where it says.
    #[must_use]
    pub fn agent(&self, id: &Id, url: Option<&super::Url>) -> Option<String> {
        match self.leader().strip_suffix("/mesos") {
            Some(cluster) => Some(format!("{cluster}/agent/{id}")),
            None => url?.base(),
        }
    }

    /// A piece of a file of a task.
    ///
    /// # Errors
    ///
    /// No answer, or a refusal; [`super::Kind::NotFound`] when there is no such file (yet).
    pub async fn read_file(
        &self,
        sandbox: &Sandbox,
        file: &str,
        offset: u64,
        length: usize,
    ) -> Result<Page, Error> {
        #[derive(Deserialize)]
        struct Answer {
            read_file: ReadFile,
        }
        #[derive(Deserialize)]
        struct ReadFile {
            size: u64,
            #[serde(default)]
            data: String,
        }
        let body = json!({ "type": "READ_FILE", "read_file": {
            "path": sandbox.path(file), "offset": offset, "length": length.min(PAGE) } });
        let request = self
            .http
            .post(format!("{}/api/v1", sandbox.agent))
            .headers(self.headers())
            .header(reqwest::header::ACCEPT, "application/json")
            .json(&body)
            .timeout(self.pace.look);
        let failure = |e: reqwest::Error| self.failure(&e, &sandbox.agent, None);
        let response = request.send().await.map_err(failure)?;
        let status = response.status();
        let body = self.body(response).await?;
        if !status.is_success() {
            return Err(Error::read(status.as_u16(), &String::from_utf8_lossy(&body)));
        }
        let foreign = || Error::Foreign(format!("`{}` is no Mesos agent", sandbox.agent));
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| foreign())?;
        let bytes = base64::decode(&answer.read_file.data).ok_or_else(foreign)?;
        Ok(Page { size: answer.read_file.size, bytes })
    }

    /// A file of a task from `offset` to its end, page by page; `take` gets each.
    ///
    /// # Errors
    ///
    /// As of [`Client::read_file`].
    pub async fn read_rest(
        &self,
        sandbox: &Sandbox,
        file: &str,
        mut offset: u64,
        mut take: impl FnMut(&[u8]) + Send,
    ) -> Result<u64, Error> {
        loop {
            let page = self.read_file(sandbox, file, offset, PAGE).await?;
            if page.bytes.is_empty() {
                return Ok(offset);
            }
            take(&page.bytes);
            offset += page.bytes.len() as u64;
            if offset >= page.size {
                return Ok(offset);
            }
        }
    }

    /// The last bytes of a file of a task, at most a page.
    ///
    /// # Errors
    ///
    /// As of [`Client::read_file`].
    pub async fn read_tail(
        &self,
        sandbox: &Sandbox,
        file: &str,
        most: usize,
    ) -> Result<Vec<u8>, Error> {
        let first = self.read_file(sandbox, file, 0, most).await?;
        let most = most.min(PAGE) as u64;
        if first.size <= first.bytes.len() as u64 {
            return Ok(first.bytes);
        }
        let from = first.size - most.min(first.size);
        Ok(self.read_file(sandbox, file, from, PAGE).await?.bytes)
    }
}
