//! `ARG`.

use super::{plan::platform_args, stage::State};
use crate::docker::dockerfile::fields;

/// `ARG`s that need no declaration.
const PROXIES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

impl State<'_, '_> {
    /// `ARG name`, `ARG name=default`: declares what the call, the default or the top of the file
    /// gives.
    pub(super) fn declare(&mut self, text: &str) -> Result<(), String> {
        for field in fields(text, self.job.plan.escape) {
            let (name, default) = match field.split_once('=') {
                Some((name, default)) => (name, Some(self.scope().word(default)?)),
                None => (field.as_str(), None),
            };
            self.declared.push(name.to_owned());
            let given = self.job.request.args.get(name).cloned();
            let of_platform = || {
                let mut args = platform_args(&self.platform).into_iter();
                args.find(|(arg, _)| *arg == name).map(|(_, value)| value)
            };
            let global = self.job.plan.globals.variables.get(name).cloned();
            if let Some(value) = given.or(default).or(global).or_else(of_platform) {
                self.args.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }

    /// The build arguments of the call that nothing takes.
    pub(super) fn unused(&self) -> Vec<&str> {
        let text = &self.job.context.text;
        let is_known = |name: &str| {
            self.declared.iter().any(|declared| declared == name)
                || PROXIES.iter().any(|proxy| proxy.eq_ignore_ascii_case(name))
                // In another stage.
                || text.contains(&format!("ARG {name}"))
        };
        self.job.request.args.keys().map(String::as_str).filter(|name| !is_known(name)).collect()
    }
}
