//! Who runs an app: names of `/etc/passwd` and `/etc/group` turned into numbers.

use std::fs;

/// A user and its group, with its home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) user: u32,
    pub(super) group: u32,
    /// Further groups that the user is a member of.
    pub(super) groups: Vec<u32>,
    pub(super) home: String,
}

impl Identity {
    /// Finds `user` or `user:group`, by name or number, in the root that this process is in, by
    /// the rules of Docker's `USER`.
    pub(super) fn find(text: &str) -> Result<Self, String> {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        Self::find_in(text, &read("/etc/passwd"), &read("/etc/group"))
    }

    fn find_in(text: &str, passwd: &str, group: &str) -> Result<Self, String> {
        let (user, wanted_group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
            None => (text, None),
        };
        let user = if user.is_empty() { "0" } else { user };
        let number: Option<u32> = user.parse().ok();
        let mut lines = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let known = lines.find(|fields| {
            fields.len() >= 6
                && (fields[0] == user || number.is_some() && fields[2].parse().ok() == number)
        });
        let (name, uid, gid, home) = match (&known, number) {
            (Some(fields), _) => {
                let number =
                    |text: &str| text.parse().map_err(|_| format!("`{user}` has no number"));
                (fields[0], number(fields[2])?, number(fields[3])?, fields[5])
            }
            (None, Some(number)) => ("", number, 0, "/"),
            (None, None) => {
                return Err(format!(
                    "unable to find user {user}: no matching entries in passwd file"
                ));
            }
        };
        let groups = || group.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let (gid, groups) = match wanted_group {
            Some(wanted) => {
                let known = groups().find(|fields| fields.len() >= 3 && fields[0] == wanted);
                let gid = known.and_then(|fields| fields[2].parse().ok()).or(wanted.parse().ok());
                let missing =
                    || format!("unable to find group {wanted}: no matching entries in group file");
                (gid.ok_or_else(missing)?, Vec::new())
            }
            None => {
                let member = |fields: &Vec<&str>| {
                    !name.is_empty()
                        && fields.get(3).is_some_and(|all| all.split(',').any(|m| m == name))
                };
                let of = groups().filter(member).filter_map(|fields| fields[2].parse().ok());
                (gid, of.collect())
            }
        };
        let home = if home.is_empty() { "/" } else { home };
        Ok(Self { user: uid, group: gid, groups, home: home.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_number() {
        let passwd = "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/false\n";
        let group = "web:x:34:\nadm:x:4:web,root\nother:x:7:root\n";
        let find = |text: &str| Identity::find_in(text, passwd, group);
        let identity = |user, group, groups: &[u32], home: &str| {
            Ok(Identity { user, group, groups: groups.into(), home: home.into() })
        };
        assert_eq!(find(""), identity(0, 0, &[4, 7], "/root"));
        assert_eq!(find("web"), identity(33, 34, &[4], "/srv"));
        assert_eq!(find("33"), identity(33, 34, &[4], "/srv"));
        assert_eq!(find("web:adm"), identity(33, 4, &[], "/srv"));
        assert_eq!(find("1000:1000"), identity(1000, 1000, &[], "/"));
        assert!(find("nobody").is_err_and(|error| error.contains("unable to find user nobody")));
        assert!(find("web:none").is_err());
    }
}
