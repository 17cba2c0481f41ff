//! Instructions that set values of the configuration.

use parse_dockerfile::{
    Command, HealthcheckArguments, Instruction, JsonOrStringArray, UnescapedString,
};
use pipe_oci::Empty;

use super::{
    health, ports,
    stage::{State, Stop},
    wrong::Wrong,
};
use crate::docker::dockerfile::{joined, pairs};

impl State<'_, '_> {
    /// Carries out an instruction that makes no layer.
    pub(super) fn set(&mut self, instruction: &Instruction<'_>) -> Result<(), Stop> {
        let scope = self.scope();
        let at = |text: &UnescapedString<'_>| {
            let place = text.span.clone();
            move |message: String| Wrong::new(place, message)
        };
        match instruction {
            Instruction::Env(env) => {
                let line = &env.arguments;
                for (name, value) in pairs(&line.value, scope.escape).map_err(at(line))? {
                    let name = scope.word(&name).map_err(at(line))?;
                    let value = scope.word(&value).map_err(at(line))?;
                    self.config.config.set_variable(&name, &value);
                }
            }
            Instruction::Label(label) => {
                let line = &label.arguments;
                for (name, value) in pairs(&line.value, scope.escape).map_err(at(line))? {
                    let name = scope.word(&name).map_err(at(line))?;
                    let value = scope.word(&value).map_err(at(line))?;
                    self.config.config.labels.insert(name, value);
                }
            }
            Instruction::Cmd(cmd) => {
                self.config.config.cmd = Some(self.command(&cmd.arguments));
                self.has_command = true;
            }
            Instruction::Entrypoint(entrypoint) => {
                self.config.config.entrypoint = Some(self.command(&entrypoint.arguments));
                if !self.has_command {
                    self.config.config.cmd = None;
                }
            }
            Instruction::Shell(shell) => {
                let words = shell.arguments.iter().map(|w| w.value.to_string()).collect();
                self.config.config.shell = Some(words);
            }
            Instruction::Expose(expose) => {
                for word in &expose.arguments {
                    for port in scope.words(&word.value).map_err(at(word))? {
                        for port in ports::parse(&port).map_err(at(word))? {
                            self.config.config.exposed_ports.insert(port, Empty {});
                        }
                    }
                }
            }
            Instruction::User(user) => {
                let line = &user.arguments;
                self.config.config.user = scope.word(&line.value).map_err(at(line))?;
            }
            Instruction::Stopsignal(signal) => {
                let line = &signal.arguments;
                self.config.config.stop_signal = Some(scope.word(&line.value).map_err(at(line))?);
            }
            Instruction::Volume(volume) => {
                let words: &[UnescapedString<'_>] = match &volume.arguments {
                    JsonOrStringArray::Json(list) => &list.value,
                    JsonOrStringArray::String(list) => list,
                };
                for word in words {
                    let path = scope.word(&word.value).map_err(at(word))?;
                    if path.trim().is_empty() {
                        return Err(at(word)("`VOLUME` names no folder".into()).into());
                    }
                    self.config.config.volumes.insert(path, Empty {});
                }
            }
            Instruction::Healthcheck(check) => {
                let test = match &check.arguments {
                    HealthcheckArguments::None { .. } => vec!["NONE".to_owned()],
                    HealthcheckArguments::Cmd { arguments: Command::Exec(words), .. } => {
                        let words = words.value.iter().map(|w| w.value.to_string());
                        [vec!["CMD".to_owned()], words.collect()].concat()
                    }
                    HealthcheckArguments::Cmd { arguments: Command::Shell(text), .. } => {
                        vec!["CMD-SHELL".to_owned(), joined(text.value, scope.escape)]
                    }
                    _ => Vec::new(),
                };
                self.config.config.healthcheck = Some(health::check(test, &check.options)?);
            }
            Instruction::Maintainer(maintainer) => {
                self.config.author = Some(maintainer.name.value.to_string());
            }
            // The others were refused before the build began.
            _ => {}
        }
        Ok(())
    }

    /// The words of `CMD` and `ENTRYPOINT`; a line of shell is given to the shell. Variables are
    /// the shell's own.
    fn command(&self, command: &Command<'_>) -> Vec<String> {
        match command {
            Command::Exec(words) => words.value.iter().map(|w| w.value.to_string()).collect(),
            Command::Shell(text) => {
                let shell = self.config.config.shell.clone();
                let mut words = shell.unwrap_or_else(|| vec!["/bin/sh".into(), "-c".into()]);
                words.push(joined(text.value, self.scope().escape));
                words
            }
            _ => Vec::new(),
        }
    }
}
