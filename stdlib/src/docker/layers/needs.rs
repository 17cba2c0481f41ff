//! What is needed of the images that a Dockerfile builds on or copies from: a layer that only goes on
//! into the new image need not be fetched.

use std::{collections::BTreeSet, ops::Range};

use parse_dockerfile::Instruction;

use super::{
    beyond::names_an_owner,
    flags::is_name,
    plan::{Image, Origin, Plan},
};

/// An image, and what is needed of it.
pub(super) struct Needed {
    pub(super) image: Image,
    /// Where the Dockerfile names it.
    pub(super) place: Range<usize>,
    /// What its layers hold.
    pub(super) listings: bool,
    /// Its layers themselves.
    pub(super) contents: bool,
    /// Whether folders may be made that belong to its user.
    pub(super) folders: bool,
}

impl Plan<'_> {
    /// The images that the needed stages build on or copy from.
    pub(super) fn images(&self) -> Vec<Needed> {
        let mut found: Vec<Needed> = Vec::new();
        let mut add = |origin: &Origin, place: &Range<usize>, needs: [bool; 3]| {
            let Origin::Image(image) = origin else { return };
            let [listings, contents, folders] = needs;
            match found.iter_mut().find(|needed| needed.image == *image) {
                Some(needed) => {
                    needed.listings |= listings;
                    needed.contents |= contents;
                    needed.folders |= folders;
                }
                None => {
                    let (image, place) = (image.clone(), place.clone());
                    found.push(Needed { image, place, listings, contents, folders });
                }
            }
        };
        let read = self.read();
        for number in &self.needed {
            let stage = &self.stages[*number];
            let is_read = read.contains(number);
            // What triggers do is seen when the image is here.
            let writes = is_read || self.has(*number, |i| writes(i) || is_trigger(i));
            let folders = self.has(*number, |i| matches!(i, Instruction::Workdir(_)));
            add(&stage.from, &stage.place, [writes, is_read, folders]);
            for (place, origin) in &stage.copies {
                add(origin, place, [true, true, false]);
            }
        }
        found
    }

    /// Whether a stage, or one that builds on it, has an instruction.
    fn has(&self, number: usize, wanted: fn(&Instruction<'_>) -> bool) -> bool {
        let mut on_it =
            self.needed.iter().filter(|upper| self.stages[**upper].from == Origin::Stage(number));
        self.stages[number].instructions.iter().any(wanted)
            || on_it.any(|upper| self.has(*upper, wanted))
    }

    /// The stages whose files are read: those that others copy from, or whose users have names;
    /// and those below them.
    fn read(&self) -> BTreeSet<usize> {
        let mut found = Vec::new();
        for number in &self.needed {
            let stage = &self.stages[*number];
            found.extend(stage.copies.iter().filter_map(|(_, origin)| match origin {
                Origin::Stage(number) => Some(*number),
                _ => None,
            }));
            if stage.instructions.iter().any(names_an_owner) || self.makes_folders(*number) {
                found.push(*number);
            }
        }
        let mut at = 0;
        while let Some(number) = found.get(at) {
            if let Origin::Stage(lower) = self.stages[*number].from {
                found.push(lower);
            }
            at += 1;
        }
        found.into_iter().collect()
    }

    /// Whether a `WORKDIR` stands behind a `USER` with a name, in a stage or between it and those
    /// below.
    fn makes_folders(&self, number: usize) -> bool {
        let mut named = self.user(number);
        self.stages[number].instructions.iter().any(|instruction| match instruction {
            Instruction::User(user) => {
                named = is_name(&user.arguments.value);
                false
            }
            Instruction::Workdir(_) => named,
            _ => false,
        })
    }

    /// Whether a stage begins with a user that has a name, as far as the file tells.
    fn user(&self, number: usize) -> bool {
        let Origin::Stage(lower) = self.stages[number].from else { return false };
        let mut users = self.stages[lower].instructions.iter().filter_map(|i| match i {
            Instruction::User(user) => Some(is_name(&user.arguments.value)),
            _ => None,
        });
        users.next_back().unwrap_or_else(|| self.user(lower))
    }
}

fn writes(instruction: &Instruction<'_>) -> bool {
    matches!(instruction, Instruction::Copy(_) | Instruction::Add(_) | Instruction::Workdir(_))
}

fn is_trigger(instruction: &Instruction<'_>) -> bool {
    matches!(instruction, Instruction::Onbuild(_))
}
