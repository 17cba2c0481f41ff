//! The last lines that a task wrote to its stderr.
//!
//! Marathon does not have them: the Mesos agent serves the files of a task's sandbox
//! (<https://mesos.apache.org/documentation/latest/sandbox/>). The local cluster serves the same
//! `/files/read` on Marathon's own address. All of this is a help for the reader of a report, so
//! every error here is only silence.

use reqwest::RequestBuilder;
use serde_json::Value as Json;

use super::Client;

/// So many bytes of the end are read, and so many lines of them are shown.
const BYTES: u64 = 16 << 10;
const LINES: usize = 10;

impl Client {
    /// The last lines of a task's stderr, or nothing when nobody has them. `agent` is the id of
    /// the Mesos agent, `info` the answer of `/v2/info`.
    pub async fn stderr_tail(&self, task: &str, agent: &str, info: &Json) -> Option<Vec<String>> {
        let own = format!("{}/files/read", self.base);
        let path = format!("/tasks/{task}/stderr");
        let ask = |url: &str| self.http.get(url).headers(self.headers());
        if let Some(lines) = self.tail(&own, &path, ask).await {
            return Some(lines);
        }
        let (files, path) = self.sandbox(task, agent, info).await?;
        // Marathon's credentials are none of the agent's business.
        self.tail(&files, &path, |url| self.http.get(url)).await
    }

    /// Where the agent serves the sandbox: the virtual path of Mesos 1.5 and later; the executor
    /// of a Marathon task bears the task's id.
    async fn sandbox(&self, task: &str, agent: &str, info: &Json) -> Option<(String, String)> {
        let master = info["marathon_config"]["mesos_leader_ui_url"].as_str()?;
        let framework = info["frameworkId"].as_str()?;
        let slaves = format!("{}/slaves", master.trim_end_matches('/'));
        let slaves = self.look(self.http.get(slaves)).await?;
        let slave = slaves["slaves"].as_array()?.iter().find(|slave| slave["id"] == agent)?;
        let (_, address) = slave["pid"].as_str()?.split_once('@')?;
        let path = format!("/frameworks/{framework}/executors/{task}/runs/latest/stderr");
        Some((format!("http://{address}/files/read"), path))
    }

    async fn tail(
        &self,
        url: &str,
        path: &str,
        ask: impl Fn(&str) -> RequestBuilder,
    ) -> Option<Vec<String>> {
        let size = self.look(ask(url).query(&[("path", path), ("offset", "-1")])).await?;
        let size = size["offset"].as_u64()?;
        let offset = size.saturating_sub(BYTES);
        let (from, length) = (offset.to_string(), BYTES.to_string());
        let query = [("path", path), ("offset", from.as_str()), ("length", length.as_str())];
        let answer = self.look(ask(url).query(&query)).await?;
        Some(last_lines(answer["data"].as_str()?, offset > 0))
    }

    async fn look(&self, request: RequestBuilder) -> Option<Json> {
        let response = request.timeout(self.pace.look).send().await.ok()?;
        if !response.status().is_success() {
            return None;
        }
        // A piece may begin inside a character, and an agent sends it as it is.
        let bytes = response.bytes().await.ok()?;
        serde_json::from_str(&String::from_utf8_lossy(&bytes)).ok()
    }
}

/// `cut`: the text begins somewhere inside a line.
fn last_lines(text: &str, cut: bool) -> Vec<String> {
    let whole = if cut { text.split_once('\n').map_or(text, |(_, rest)| rest) } else { text };
    let lines: Vec<&str> = whole.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..]
        .iter()
        .map(|line| line.trim_end().chars().take(500).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ten_lines_are_kept() {
        let text: String = (1..=30).map(|n| format!("line {n}\n")).collect();
        let lines = last_lines(&text, false);
        assert_eq!((lines.len(), lines[0].as_str(), lines[9].as_str()), (10, "line 21", "line 30"));
        assert_eq!(last_lines("ne 1\nline 2\n\n", true), ["line 2"]);
        assert_eq!(last_lines("", false), [""; 0]);
    }
}
