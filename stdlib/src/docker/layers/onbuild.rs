//! Instructions that a base image leaves for those who build on it.

use std::{collections::BTreeMap, ops::Range};

use parse_dockerfile::Instruction;

use super::{
    beyond::why_not,
    plan::Stage,
    stage::{State, Stop},
    wrong::Wrong,
};

/// Why this builder can't do some of the triggers of a base image, which the Dockerfile names at
/// `place`.
pub(super) fn beyond(triggers: &[String], place: &Range<usize>) -> Vec<Wrong> {
    let why_not = |trigger: &String| {
        let message = match with(trigger, |instruction| match instruction {
            Instruction::Copy(copy) if copy.options.iter().any(|f| f.name.value == "from") => {
                Some("`COPY --from` in a trigger is beyond this builder".to_owned())
            }
            other => why_not(other).map(|wrong| wrong.message),
        }) {
            Some(why) => why?,
            None => "it can't be read".to_owned(),
        };
        let message = format!("the base image brings `ONBUILD {trigger}`: {message}");
        Some(Wrong::new(place.clone(), message))
    };
    triggers.iter().filter_map(why_not).collect()
}

/// Whether a trigger puts files into the image.
pub(super) fn writes(trigger: &str) -> bool {
    with(trigger, |instruction| {
        matches!(instruction, Instruction::Copy(_) | Instruction::Add(_) | Instruction::Workdir(_))
    })
    .unwrap_or_default()
}

/// Whether a trigger makes folders of the image's user.
pub(super) fn makes_folders(trigger: &str) -> bool {
    with(trigger, |i| matches!(i, Instruction::Workdir(_))).unwrap_or_default()
}

/// Carries out a trigger. Its mistakes are shown where the Dockerfile names the base.
pub(super) fn run(state: &mut State<'_, '_>, stage: &Stage<'_>, trigger: &str) -> Result<(), Stop> {
    let unreadable = || {
        let message = format!("the base image brings `ONBUILD {trigger}`, which can't be read");
        Stop::from(Wrong::new(stage.place.clone(), message))
    };
    let done =
        with(trigger, |instruction| state.instruction(instruction, trigger, &BTreeMap::new()));
    done.ok_or_else(unreadable)?.map_err(|stop| match stop {
        Stop::Wrong(wrong) => {
            let message = format!("in the base image's `ONBUILD {trigger}`: {}", wrong.message);
            Stop::Wrong(Wrong { place: stage.place.clone(), message, help: wrong.help })
        }
        failed => failed,
    })
}

/// Reads a trigger; nothing when it can't be read.
fn with<T>(trigger: &str, act: impl FnOnce(&Instruction<'_>) -> T) -> Option<T> {
    let text = format!("FROM scratch\n{trigger}\n");
    let dockerfile = parse_dockerfile::parse(&text).ok()?;
    dockerfile.instructions.get(1).map(act)
}
