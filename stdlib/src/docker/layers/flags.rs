//! `--chown` and `--chmod`.

use std::path::Path;

use parse_dockerfile::Flag;
use pipe_oci::{Attributes, Content, Node, Spool, Tree};

use super::wrong::Wrong;
use crate::docker::dockerfile::Scope;

/// What `--chown` and `--chmod` say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) owner: Option<(u32, u32)>,
    pub(super) mode: Option<u32>,
}

impl Change {
    /// Reads the flags; names of users and groups are those of the image.
    pub(super) fn read(flags: &[Flag<'_>], scope: &Scope, image: &Tree) -> Result<Self, Wrong> {
        let mut change = Self::default();
        for flag in flags {
            let wrong = |message: String| Wrong::new(flag.span(), message);
            let value = flag.value.as_ref().map_or("", |value| &*value.value);
            let value = scope.word(value).map_err(wrong)?;
            match &*flag.name.value {
                "chown" => change.owner = Some(owner(&value, image).map_err(wrong)?),
                "chmod" => {
                    let mode = u32::from_str_radix(&value, 8).ok().filter(|mode| *mode <= 0o7777);
                    change.mode = Some(mode.ok_or_else(|| {
                        wrong(format!("`{value}` is no mode"))
                            .help("write it in octal: `--chmod=0755`")
                    })?);
                }
                // `--link` changes how layers are cached, not what they hold.
                _ => {}
            }
        }
        Ok(change)
    }

    pub(super) fn apply(self, attributes: Attributes) -> Attributes {
        let (uid, gid) = self.owner.unwrap_or((attributes.uid, attributes.gid));
        Attributes { mode: self.mode.unwrap_or(attributes.mode), uid, gid }
    }

    /// Of a folder on the way to the destination.
    pub(super) fn parent(self) -> Attributes {
        Self { mode: None, ..self }.apply(Attributes::FOLDER)
    }
}

/// To whom the folders belong that `WORKDIR` makes, where a user was named: to that user, as BuildKit
/// has it, or to root when the image does not know the name.
pub(super) fn owned(user: &str, image: &Tree) -> Attributes {
    let owner = if user.is_empty() { None } else { owner(user, image).ok() };
    Change { owner, mode: None }.apply(Attributes::FOLDER)
}

/// Whether a user or group is a name, which only the image knows the number of.
pub(super) fn is_name(text: &str) -> bool {
    let is_name = |part: &str| part != "root" && !part.bytes().all(|byte| byte.is_ascii_digit());
    text.split(':').any(is_name)
}

/// `1000`, `1000:50`, `www-data`, `node:node`. Without a group it is the one with the user's number,
/// as Docker has it, or the user's own when the user has a name.
fn owner(text: &str, image: &Tree) -> Result<(u32, u32), String> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let find = |name: &str, file: &str, what: &str| match name.parse::<u32>() {
        Ok(number) => Ok((number, None)),
        // Without a file of users there is one.
        Err(_) => match entry(image, file, name) {
            Some(found) => Ok(found),
            None if name == "root" => Ok((0, Some(0))),
            None => Err(format!("the image has no {what} `{name}` in its `/{file}`")),
        },
    };
    let (uid, own) = find(user, "etc/passwd", "user")?;
    let gid = match group {
        Some(group) => find(group, "etc/group", "group")?.0,
        None => own.unwrap_or(uid),
    };
    Ok((uid, gid))
}

/// The number of a user or group, and the group of a user:
/// [`passwd(5)`](https://man7.org/linux/man-pages/man5/passwd.5.html), `group(5)`.
fn entry(image: &Tree, file: &str, name: &str) -> Option<(u32, Option<u32>)> {
    let path = image.resolve(Path::new(file)).ok()?;
    let Node::File { content, .. } = &image.get(&path)?.node else { return None };
    let text = read(content)?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let number = fields.nth(1)?.parse().ok()?;
        Some((number, fields.next().and_then(|group| group.parse().ok())))
    })
}

fn read(content: &Content) -> Option<String> {
    let packed = match content {
        Content::Packed(packed) => Some(packed),
        _ => None,
    };
    let create = || {
        tempfile::tempfile()
            .map_err(|e| pipe_oci::Error::io("can't unpack a file of the image", &e))
    };
    let spool = Spool::of_files(packed.into_iter(), create).ok()?;
    let mut text = String::new();
    std::io::Read::read_to_string(&mut spool.open(content).ok()?, &mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pipe_oci::Entry;

    use super::*;

    #[test]
    fn names_are_those_of_the_image() {
        let mut image = Tree::default();
        let file = |text: &str| {
            let content = Content::Bytes(text.as_bytes().into());
            Entry::new(Node::file(content), Attributes::root(0o644))
        };
        assert_eq!(owner("root", &image), Ok((0, 0)));
        image.put(Path::new("etc/passwd"), file("root:x:0:0::/:/bin/sh\nweb:x:101:33::/:\n"));
        image.put(Path::new("etc/group"), file("root:x:0:\nwww:x:33:web\n"));
        for (text, owner_of) in [
            ("7", (7, 7)),
            ("7:8", (7, 8)),
            ("web", (101, 33)),
            ("web:root", (101, 0)),
            ("7:www", (7, 33)),
            ("root", (0, 0)),
        ] {
            assert_eq!(owner(text, &image), Ok(owner_of), "{text}");
        }
        let message = "the image has no user `nobody` in its `/etc/passwd`";
        assert_eq!(owner("nobody", &image).unwrap_err(), message);
        assert_eq!(
            owner("7:x", &image).unwrap_err(),
            "the image has no group `x` in its `/etc/group`"
        );
    }
}
